// Picture files to bitmaps.

import { Unusable } from "./unusable.js";

const MAX_PIXELS = 89_000_000; // as in yolov2_tf/data/images.py

// Pixels as they are stored: no colour profile is applied, as in training. Upright, by EXIF.
const AS_STORED = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

/**
 * Decodes a picture.
 *
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>}
 */
export async function decode(file) {
  const name = file.name ? `“${file.name}”` : "This";
  if (file.type === "image/svg+xml" || /\.svgz?$/i.test(file.name ?? "")) {
    throw new Unusable(
      `${name} is an SVG drawing, which has no pixels. Save it as PNG and drop that.`,
    );
  }
  const { width, height } = await measure(file, name);
  if (width * height > MAX_PIXELS) {
    const millions = Math.round((width * height) / 1e6);
    throw new Unusable(`${name} has ${millions} million pixels: too many.`);
  }
  try {
    return await createImageBitmap(file, AS_STORED);
  } catch {
    throw new Unusable(`${name} is damaged and cannot be shown.`);
  }
}

/** Reads the size of a picture, without decoding all of it. */
async function measure(file, name) {
  const url = URL.createObjectURL(file);
  try {
    return await new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
      image.onerror = () =>
        reject(
          new Unusable(
            `${name} is not a picture that this browser can read. ` +
              "JPEG, PNG, WebP, GIF and BMP are fine, videos, and models of yolov2 export (.tflite).",
          ),
        );
      image.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
