// What was found, and which of it people want to see: by score and by class.

import { chosenClasses } from "./classes.js";
import { LOWEST_THRESHOLD } from "./detector.js";
import { described, drawn, save } from "./saving.js";
import { percent, showDetections, summary } from "./view.js";

const DEFAULT_THRESHOLD = 0.25; // as in yolov2_tf/detection/thresholds.py
const MOST_SUGGESTIONS = 500;

const element = (id) => document.getElementById(id);
const slider = element("threshold");

export class Results {
  #names = [];
  #wanted = null; // labels, null for all
  #all = []; // of what is shown, at any threshold and of any class
  #picture = "picture.png";
  #tell;

  /** @param {(words: string) => void} tell Says something to everybody. */
  constructor(tell) {
    this.#tell = tell;
    slider.value = DEFAULT_THRESHOLD;
    this.#showThreshold();
    slider.addEventListener("input", () => {
      this.#showThreshold();
      showDetections(this.#shown());
    });
    slider.addEventListener("change", () => this.#tellIfAny());
    element("classes").addEventListener("input", () => {
      this.#choose();
      showDetections(this.#shown());
    });
    element("classes").addEventListener("change", () => this.#tellIfAny());
    element("save-picture").addEventListener("click", async () =>
      save(await drawn(element("canvas"), this.#shown()), this.#fileName("-boxes.png")),
    );
    element("save-json").addEventListener("click", () =>
      save(described(this.#picture, this.#shown()), this.#fileName(".json")),
    );
  }

  /**
   * Another model: other classes, and another lowest score.
   *
   * @param {{class_names: string[]}} layout
   * @param {number} lowest Scores below are never found.
   */
  useLayout({ class_names }, lowest) {
    this.#names = class_names;
    slider.min = Math.max(LOWEST_THRESHOLD, Math.ceil(100 * lowest) / 100); // moves the value, too
    this.#showThreshold();
    element("class-names").replaceChildren(
      ...class_names.slice(0, MOST_SUGGESTIONS).map((name) => new Option(name)),
    );
    this.#choose();
  }

  /**
   * @param {{box: number[], label: number, score: number}[]} detections By score.
   * @param {string} picture The name of the picture they are in.
   */
  show(detections, picture) {
    this.#all = detections.map((each) => ({ ...each, name: this.#names[each.label] }));
    this.#picture = picture;
    showDetections(this.#shown());
  }

  summary() {
    return summary(this.#shown());
  }

  tell() {
    this.#tell(this.summary());
  }

  #tellIfAny() {
    if (!element("frame").hidden) this.tell();
  }

  #shown() {
    return this.#all.filter(
      ({ score, label }) => score > slider.value && (!this.#wanted || this.#wanted.has(label)),
    );
  }

  #choose() {
    const { wanted, unknown } = chosenClasses(element("classes").value, this.#names);
    this.#wanted = wanted;
    element("classes-hint").textContent = unknown.length
      ? `This model has no class “${unknown.join("”, “")}”.`
      : "";
  }

  #showThreshold() {
    element("threshold-value").textContent = percent(slider.value);
    slider.setAttribute("aria-valuetext", percent(slider.value));
  }

  #fileName(end) {
    return this.#picture.replace(/\.\w+$/, "") + end;
  }
}
