// What a .tflite file says about itself. `yolov2 export` packs yolov2.json into a zip archive at
// the end of the file; export/metadata.py writes it, and export/runtime.py reads the same.

import { Unusable } from "./unusable.js";

const LAYOUT_FILE = "yolov2.json";
const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_SIZE = 22;
const STORED = 0;

/**
 * Reads how a network is to be used.
 *
 * @param {Uint8Array} file A whole .tflite file.
 * @returns {{class_names: string[], input_size: number, resize: string, nms: boolean,
 *     score_threshold: number, iou_threshold: number, max_detections: number,
 *     per_class: boolean, quantization: string}}
 */
export function readLayout(file) {
  try {
    return JSON.parse(new TextDecoder().decode(packedFile(file, LAYOUT_FILE)));
  } catch {
    throw new Unusable(
      `This file holds no ${LAYOUT_FILE}: it is damaged, or "yolov2 export" did not write it.`,
    );
  }
}

/** The bytes of one file of the archive. */
function packedFile(file, name) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = findEnd(view);
  const size = view.getUint32(end + 12, true);
  // Offsets may count from the start of the file or of the archive.
  const before = end - size - view.getUint32(end + 16, true);
  let entry = end - size;
  while (view.getUint32(entry, true) === ENTRY_SIGNATURE) {
    const lengths = [28, 30, 32].map((field) => view.getUint16(entry + field, true));
    if (text(file, entry + 46, lengths[0]) === name) {
      return content(file, view, entry, before);
    }
    entry += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  throw new RangeError("no such file in the archive");
}

function findEnd(view) {
  for (let end = view.byteLength - END_SIZE; end >= 0; end--) {
    if (view.getUint32(end, true) === END_SIGNATURE) return end;
  }
  throw new RangeError("no archive");
}

function content(file, view, entry, before) {
  if (view.getUint16(entry + 10, true) !== STORED) throw new RangeError("compressed");
  const header = view.getUint32(entry + 42, true) + before;
  const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  return file.subarray(start, start + view.getUint32(entry + 24, true));
}

function text(file, start, length) {
  return new TextDecoder().decode(file.subarray(start, start + length));
}
