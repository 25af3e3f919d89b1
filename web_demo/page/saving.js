// What is shown, as files of one's own.

import { caption, color } from "./view.js";

const LINE = 1 / 200; // of the picture's longer side
const TEXT = 1 / 45;

/**
 * The picture with its boxes, at its own size.
 *
 * @param {HTMLCanvasElement} picture
 * @param {{box: number[], label: number, name: string, score: number}[]} detections By score.
 * @returns {Promise<Blob>} PNG.
 */
export function drawn(picture, detections) {
  const { width, height } = picture;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const longest = Math.max(width, height);
  const size = Math.max(11, longest * TEXT);
  context.lineWidth = Math.max(2, longest * LINE);
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "top";
  for (const detection of [...detections].reverse()) drawBox(context, detection, size);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function drawBox(context, { box: [top, left, bottom, right], ...what }, size) {
  const { width, height } = context.canvas;
  context.strokeStyle = context.fillStyle = color(what.label);
  context.strokeRect(
    left * width,
    top * height,
    (right - left) * width,
    (bottom - top) * height,
  );
  const words = caption(what);
  const [wide, high] = [context.measureText(words).width + size / 2, size * 1.3];
  const x = Math.max(Math.min(left * width, width - wide), 0);
  const y = top * height >= high ? top * height - high : top * height; // inside, if none is above
  context.fillRect(x, y, wide, high);
  context.fillStyle = "#101216";
  context.fillText(words, x + size / 4, y + size * 0.15);
}

/**
 * Detections as `yolov2 predict --json` writes them.
 *
 * @param {string} image The picture's name.
 * @param {object[]} detections
 * @returns {Blob} JSON; boxes are [y_min, x_min, y_max, x_max] as fractions of the picture.
 */
export function described(image, detections) {
  const rounded = (value) => Number(value.toFixed(5));
  const entries = detections.map(({ box, name, score }) => ({
    box: box.map(rounded),
    label: name,
    score: rounded(score),
  }));
  const text = JSON.stringify([{ image, detections: entries }], null, 2);
  return new Blob([`${text}\n`], { type: "application/json" });
}

/** Gives a file to the browser's downloads. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // it may be asked where to, first
}
