// How long a network takes, on each part of the device that can run it.

import { Engine, hasGpu } from "./engine.js";

export const RUNS = 30;
const NAMES = { gpu: "GPU", cpu: "CPU", "gpu and cpu": "GPU, the rest on the CPU" };

/** Where an engine runs, in words. */
export function placeInWords({ place, threads }) {
  if (place !== "cpu") return NAMES[place];
  return `${NAMES.cpu}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/**
 * Times a network's runs, without the work on the picture.
 *
 * @param {Uint8Array} model A whole .tflite file.
 * @param {ImageBitmap} picture What it looks at; it stays.
 * @param {(words: string) => void} tell Hears how far it is.
 * @returns {Promise<{place: string, median: number, p95: number, refusal: string}[]>} Milliseconds.
 */
export async function benchmark(model, picture, tell) {
  const results = [];
  for (const place of (await hasGpu()) ? ["cpu", "gpu"] : ["cpu"]) {
    const engine = await Engine.start(model, place);
    try {
      if (place === "gpu" && engine.place === "cpu") {
        results.push({ place: NAMES.gpu, refusal: engine.refusal.trim() });
        continue;
      }
      const times = [];
      let copy = await createImageBitmap(picture);
      for (let run = 1; run <= RUNS; run++) {
        const answer = await engine.detect(copy);
        copy = answer.bitmap;
        times.push(answer.milliseconds);
        tell(`${placeInWords(engine)}: ${run} of ${RUNS}`);
      }
      copy.close();
      results.push({ place: placeInWords(engine), ...spread(times), refusal: "" });
    } finally {
      engine.close();
    }
  }
  return results;
}

/** The time that half of the runs stay below, and that 19 of 20 do (nearest rank). */
export function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const rank = (share) => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
  return { median: rank(0.5), p95: rank(0.95) };
}

/** Results as lines of text, to be passed on. */
export function report(name, { input_size, quantization }, results) {
  const type = quantization === "none" ? "float32" : quantization;
  const lines = results.map(({ place, median, p95, refusal }) =>
    refusal
      ? `${place}: ${refusal}`
      : `${place}: median ${median.toFixed(1)} ms, 95 % below ${p95.toFixed(1)} ms`,
  );
  return [`${name} (${input_size} px, ${type}), ${RUNS} runs`, ...lines, navigator.userAgent].join(
    "\n",
  );
}
