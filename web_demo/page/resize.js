// Pictures to the network's input: bilinear, half-pixel centres, no antialiasing. Bit for bit what
// export/numpy_resize.py computes, hence the rounding to float32 after every step; another
// way of resizing costs a point of mAP.

const PADDING = 127.5;
const f32 = Math.fround;

/**
 * Resizes a picture to a square.
 *
 * @param {{data: Uint8ClampedArray, width: number, height: number}} picture RGBA.
 * @param {number} size Side of the square in pixels.
 * @param {"stretch"|"letterbox"} mode What happens to the shape of the picture.
 * @returns {{pixels: Float32Array, scale: number[], offset: number[]}} RGB, 0..255, and where boxes
 *     of the picture are in the square: box * scale + offset, [y_min, x_min, y_max, x_max].
 */
export function resize(picture, size, mode) {
  const pixels = new Float32Array(size * size * 3);
  if (mode === "stretch") {
    bilinear(picture, pixels, size, { top: 0, left: 0, height: size, width: size });
    return { pixels, scale: [1, 1, 1, 1], offset: [0, 0, 0, 0] };
  }
  const longest = Math.max(picture.height, picture.width);
  const [height, width] = [picture.height, picture.width].map((side) =>
    Math.max(Math.floor((2 * side * size + longest) / (2 * longest)), 1),
  );
  const top = Math.floor((size - height) / 2);
  const left = Math.floor((size - width) / 2);
  pixels.fill(PADDING);
  bilinear(picture, pixels, size, { top, left, height, width });
  const scale = [f32(height / size), f32(width / size)];
  const offset = [f32(top / size), f32(left / size)];
  return { pixels, scale: [...scale, ...scale], offset: [...offset, ...offset] };
}

/** Fills a part of the square, which is `size` pixels wide. */
function bilinear({ data, width, height }, pixels, size, part) {
  const down = neighbours(height, part.height);
  const across = neighbours(width, part.width);
  for (let y = 0; y < part.height; y++) {
    const upper = down.first[y] * width;
    const lower = down.second[y] * width;
    const share = down.share[y];
    let place = ((part.top + y) * size + part.left) * 3;
    for (let x = 0; x < part.width; x++) {
      const left = across.first[x];
      const right = across.second[x];
      const weight = across.share[x];
      for (let channel = 0; channel < 3; channel++) {
        const above = mix(
          data[(upper + left) * 4 + channel],
          data[(upper + right) * 4 + channel],
          weight,
        );
        const below = mix(
          data[(lower + left) * 4 + channel],
          data[(lower + right) * 4 + channel],
          weight,
        );
        pixels[place++] = mix(above, below, share);
      }
    }
  }
}

function mix(from, to, share) {
  return f32(from + f32(f32(to - from) * share));
}

/** For each new pixel the two old ones it lies between, and how far from the first. */
function neighbours(old, count) {
  const scale = f32(old / count);
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const share = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = f32(f32((i + 0.5) * scale) - 0.5);
    const low = Math.floor(position);
    first[i] = Math.max(low, 0);
    second[i] = Math.min(Math.ceil(position), old - 1);
    share[i] = position - low;
  }
  return { first, second, share };
}
