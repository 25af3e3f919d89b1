// A picture in, detections out: what export/runtime.py does.

import { resize } from "./resize.js";
import { suppress } from "./suppression.js";
import { Unusable } from "./unusable.js";

const DETECTION_OUTPUTS = ["location", "category", "score", "number of detections"];
const PREDICTION_OUTPUTS = ["boxes", "scores"];

/** The page's slider starts here; scores below are never looked at. */
export const LOWEST_THRESHOLD = 0.05;

export class Detector {
  /**
   * @param {object} layout What the file says about itself.
   * @param {(pixels: Float32Array) => Promise<Object<string, Float32Array>>} run Runs the network.
   */
  constructor(layout, run) {
    this.layout = layout;
    this.run = run;
  }

  /**
   * Finds the objects in a picture.
   *
   * @param {{data: Uint8ClampedArray, width: number, height: number}} picture RGBA.
   * @returns {Promise<{detections: {box: number[], label: number, score: number}[],
   *     milliseconds: number}>} Boxes [y_min, x_min, y_max, x_max] as fractions of the picture,
   *     sorted by score, and how long the network itself took.
   */
  async detect(picture) {
    const { pixels, scale, offset } = resize(picture, this.layout.input_size, this.layout.resize);
    const start = performance.now();
    const outputs = await this.run(pixels);
    const milliseconds = performance.now() - start;
    const detections = this.#detections(outputs).map((found) => ({
      ...found,
      box: found.box.map((v, i) => Math.min(Math.max((v - offset[i]) / scale[i], 0), 1)),
    }));
    return { detections, milliseconds };
  }

  #detections(outputs) {
    const names = this.layout.nms ? DETECTION_OUTPUTS : PREDICTION_OUTPUTS;
    const missing = names.filter((name) => !(name in outputs));
    if (missing.length) throw new Unusable(`This model has no output "${missing.join('", "')}".`);
    const settings = { ...this.layout, score_threshold: LOWEST_THRESHOLD };
    return this.layout.nms ? used(outputs) : suppress(outputs.boxes, outputs.scores, settings);
  }
}

/** The detections of a file with suppression, without the unused places. */
function used(outputs) {
  const count = outputs["number of detections"][0];
  return Array.from({ length: count }, (_, i) => ({
    box: [...outputs.location.subarray(4 * i, 4 * i + 4)],
    label: outputs.category[i],
    score: outputs.score[i],
  })).filter(({ score }) => score > LOWEST_THRESHOLD);
}
