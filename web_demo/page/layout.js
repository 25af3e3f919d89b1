// What a .tflite file says about itself: yolov2.json, which `yolov2 export` packs into it. Nothing
// of it is believed before it was checked, as in export/layout.py and the app's Layout.java; the
// three are held together by the cases of tests/golden.

import { packedFile } from "./archive.js";
import { Unusable } from "./unusable.js";

const LAYOUT_FILE = "yolov2.json";
const VERSION = 2;
const HINT = `The file is damaged, or "yolov2 export" did not write it.`;

const oneOf = (...words) => [(value) => words.includes(value), words.join(" or ")];
const flag = [(value) => typeof value === "boolean", "true or false"];
const share = [(value) => typeof value === "number" && value >= 0 && value <= 1, "0 to 1"];
const count = [(value) => Number.isInteger(value) && value > 0, "a whole number above 0"];

/** What files have that do not say otherwise. */
const DEFAULTS = { version: 1, per_class: true, tree: null, quantization: "none" };

/** What each entry has to be, as a test and in words. */
const ENTRIES = {
  class_names: [(value) => isTexts(value) && value.length > 0, "a list of names"],
  anchors: [isAnchors, "a list of [width, height] in cells"],
  input_size: count,
  resize: oneOf("stretch", "letterbox"),
  nms: flag,
  score_threshold: share,
  iou_threshold: share,
  max_detections: count,
  per_class: flag,
  quantization: oneOf("none", "fp16", "dynamic", "int8"),
  tree: [
    (value, { class_names }) => value === null || isTree(value, class_names.length),
    "null, or a tree with a node for each of class_names",
  ],
  outputs: [
    (value, layout) => isTexts(value) && (!value.length || same(value, outputNames(layout))),
    "those that fit nms and tree",
  ],
};

/** The network's outputs by form: MediaPipe's four, or all boxes, labelled if there is a tree. */
export function outputNames({ nms, tree }) {
  if (nms) return ["location", "category", "score", "number of detections"];
  return tree ? ["boxes", "scores", "labels"] : ["boxes", "scores"];
}

/**
 * Reads how a network is to be used.
 *
 * @param {Uint8Array} file A whole .tflite file.
 * @returns {object} See `parseLayout`.
 */
export function readLayout(file) {
  let content;
  try {
    content = packedFile(file, LAYOUT_FILE);
  } catch {
    throw new Unusable(`This file holds no ${LAYOUT_FILE}. ${HINT}`);
  }
  return parseLayout(content);
}

/**
 * Checks a description.
 *
 * @param {Uint8Array} content The content of yolov2.json.
 * @returns {{class_names: string[], input_size: number, resize: string, nms: boolean,
 *     score_threshold: number, iou_threshold: number, max_detections: number,
 *     per_class: boolean, quantization: string, tree: ?{names: string[], parent: number[]},
 *     outputs: string[]}}
 *     As written, with what has a default filled in.
 */
export function parseLayout(content) {
  let layout;
  try {
    layout = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw new Unusable(`The ${LAYOUT_FILE} in this file cannot be read. ${HINT}`);
  }
  if (typeof layout !== "object" || layout === null || Array.isArray(layout)) {
    throw new Unusable(`The ${LAYOUT_FILE} in this file holds no entries. ${HINT}`);
  }
  layout = { ...DEFAULTS, outputs: outputNames(layout), ...layout }; // version 1 had no outputs
  checkVersion(layout.version);
  for (const [key, [fits, expected]] of Object.entries(ENTRIES)) {
    if (!(key in layout)) {
      throw new Unusable(`The ${LAYOUT_FILE} in this file has no "${key}". ${HINT}`);
    }
    if (!fits(layout[key], layout)) throw wrong(key, layout[key], expected);
  }
  return layout;
}

function checkVersion(version) {
  if (!count[0](version)) throw wrong("version", version, count[1]);
  if (version > VERSION) {
    throw new Unusable(
      `This file is of version ${version}; this page reads versions up to ${VERSION}. ` +
        "Take a newer page, or export the model with the yolov2 that this page came with.",
    );
  }
}

function wrong(key, value, expected) {
  const shown = JSON.stringify(value).slice(0, 60);
  return new Unusable(
    `In the ${LAYOUT_FILE} of this file "${key}" is ${shown}; expected: ${expected}. ${HINT}`,
  );
}

function isTexts(value) {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

function isAnchors(value) {
  const isAnchor = (pair) =>
    Array.isArray(pair) && pair.length === 2 && pair.every((side) => typeof side === "number" && side > 0);
  return Array.isArray(value) && value.length > 0 && value.every(isAnchor);
}

/** Parents stand before their children, and siblings together; -1 means the root, no node. */
function isTree({ names, parent }, count) {
  const seen = new Set();
  const follows = (up, i) => (up === parent[i - 1] || !seen.has(up)) && seen.add(up);
  return (
    isTexts(names) &&
    names.every((name) => /^\S+$/.test(name)) &&
    new Set(names).size === count &&
    names.length === count &&
    Array.isArray(parent) &&
    parent.length === count &&
    parent.every((up, i) => Number.isInteger(up) && up >= -1 && up < i && follows(up, i))
  );
}

function same(some, others) {
  return some.length === others.length && some.every((each, i) => each === others[i]);
}
