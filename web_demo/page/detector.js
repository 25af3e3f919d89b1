// A picture in, detections out: what export/detectors.py and the app's Detector.java do.

import { resize } from "./resize.js";
import { suppress } from "./suppression.js";
import { Unusable } from "./unusable.js";

/** The page's slider starts here; scores below are never looked at. */
export const LOWEST_THRESHOLD = 0.05;

export class Detector {
  #read;

  /**
   * @param {object} layout What the file says about itself, see `parseLayout`.
   * @param {object} network What runs it, see `Network`.
   * @param {{shape: number[], dtype: string}} network.input
   * @param {{name: string, shape: number[], dtype: string}[]} network.outputs
   * @param {(pixels: Float32Array|Uint8Array) =>
   *     Promise<Object<string, Float32Array|Int32Array>>} network.run
   * @throws {Unusable} If the network is not what the file says.
   */
  constructor(layout, network) {
    this.layout = layout;
    this.network = network;
    const size = layout.input_size;
    check(`input (input_size ${size})`, network.input, [1, size, size, 3], "float32", "uint8");
    this.#read = layout.nms ? this.#detections() : this.#predictions();
  }

  /**
   * Finds the objects in a picture.
   *
   * @param {{data: Uint8ClampedArray, width: number, height: number}} picture RGBA.
   * @param {number} threshold Detections score above this.
   * @returns {Promise<{detections: {box: number[], label: number, score: number}[],
   *     milliseconds: number}>} Boxes [y_min, x_min, y_max, x_max] as fractions of the picture,
   *     sorted by score, and how long the network itself took.
   */
  async detect(picture, threshold = LOWEST_THRESHOLD) {
    const { pixels, scale, offset } = resize(picture, this.layout.input_size, this.layout.resize);
    const start = performance.now();
    const outputs = await this.network.run(this.#converted(pixels));
    const milliseconds = performance.now() - start;
    const detections = this.#read(outputs, threshold).map((found) => ({
      ...found,
      box: found.box.map((v, i) => Math.min(Math.max((v - offset[i]) / scale[i], 0), 1)),
    }));
    for (const { label } of detections) this.#checkLabel(label);
    return { detections, milliseconds };
  }

  /** Clamped arrays round halves to even, as NumPy's rint does. */
  #converted(pixels) {
    const integers = this.network.input.dtype === "uint8";
    return integers ? new Uint8Array(new Uint8ClampedArray(pixels).buffer) : pixels;
  }

  /** Reads the outputs of a file with suppression, without the unused places. */
  #detections() {
    const most = this.layout.max_detections;
    const places = `(max_detections ${most})`;
    this.#output("location", [1, most, 4], places);
    this.#output("category", [1, most], places);
    this.#output("score", [1, most], places);
    this.#output("number of detections", [1]);
    return (outputs, threshold) =>
      Array.from({ length: Math.min(outputs["number of detections"][0], most) }, (_, i) => ({
        box: [...outputs.location.subarray(4 * i, 4 * i + 4)],
        label: outputs.category[i],
        score: outputs.score[i],
      })).filter(({ score }) => score > threshold);
  }

  /** Reads all boxes: with a score for each class or, where there is a label tree, one label. */
  #predictions() {
    const { class_names, tree, ...settings } = this.layout;
    const boxes = this.#named("boxes").shape[1];
    this.#output("boxes", [1, boxes, 4]);
    if (tree) {
      this.#output("labels", [1, boxes], "", "int32");
      this.#output("scores", [1, boxes], "(there is a tree: one label a box)");
    } else {
      const classes = class_names.length;
      this.#output("scores", [1, boxes, classes], `(${classes} class_names, no tree)`);
    }
    return ({ boxes, scores, labels }, score_threshold) =>
      suppress(boxes, scores, { ...settings, score_threshold }, tree ? labels : null);
  }

  #named(name) {
    const output = this.network.outputs.find((each) => each.name === name);
    if (output) return output;
    const names = this.network.outputs.map((each) => each.name).join(", ");
    throw new Unusable(`This model has no output "${name}", only ${names}.`);
  }

  #output(name, shape, why = "", type = "float32") {
    check(`output "${name}" ${why}`.trim(), this.#named(name), shape, type);
  }

  #checkLabel(label) {
    if (label in this.layout.class_names) return;
    throw new Unusable(
      `This model gave the label ${label}, but its yolov2.json has ` +
        `${this.layout.class_names.length} class_names.`,
    );
  }
}

function check(what, { shape, dtype }, expected, ...types) {
  if ([...shape].join() === expected.join() && types.includes(dtype)) return;
  throw new Unusable(
    `This model's ${what} is ${dtype} [${[...shape].join(", ")}]; its yolov2.json asks for ` +
      `${types.join(" or ")} [${expected.join(", ")}].`,
  );
}
