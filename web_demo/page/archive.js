// Files packed into a zip archive at the end of a larger file, stored as they are.

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_SIZE = 22;
const STORED = 0;

/**
 * The bytes of one file of the archive.
 *
 * @param {Uint8Array} file A file with an archive at its end.
 * @param {string} name
 * @returns {Uint8Array}
 * @throws {RangeError} If there is no archive, it is damaged, or there is no such file in it.
 */
export function packedFile(file, name) {
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
  const bytes = file.subarray(start, start + view.getUint32(entry + 24, true));
  if (checksum(bytes) !== view.getUint32(entry + 16, true)) throw new RangeError("damaged");
  return bytes;
}

/** CRC-32, as zip archives have it. */
function checksum(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function text(file, start, length) {
  return new TextDecoder().decode(file.subarray(start, start + length));
}
