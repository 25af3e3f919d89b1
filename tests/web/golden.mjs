// Runs the cases of tests/golden through the page's modules, under Node and in browsers.

/**
 * What the page makes of each case.
 *
 * @param {string} page URL of the folder with the page's modules.
 * @param {object[]} runs As `golden_runs` of tests/golden_runs.py makes them.
 * @returns {Promise<object[]>} For each `{detections, input}` or `{refused}`, the message.
 */
export async function answers(page, runs) {
  const [{ parseLayout }, { Detector }, { Unusable }] = await Promise.all(
    ["layout.js", "detector.js", "unusable.js"].map((name) => import(new URL(name, page))),
  );
  const answer = async (run) => {
    try {
      const layout = parseLayout(new TextEncoder().encode(run.content));
      const network = new RecordedNetwork(run);
      const { detections } = await new Detector(layout, network).detect(run.picture, run.threshold);
      return {
        detections: detections.map((one) => ({ ...one, name: layout.class_names[one.label] })),
        input: network.given,
      };
    } catch (error) {
      if (error instanceof Unusable) return { refused: error.message };
      throw error;
    }
  };
  return Promise.all(runs.map(answer));
}

/** Stands in for LiteRT.js: gives what the case holds, whatever it gets. */
class RecordedNetwork {
  constructor({ input, outputs }) {
    this.input = { shape: Int32Array.from(input.shape), dtype: input.type };
    this.outputs = Object.entries(outputs).map(([name, { shape, type }]) => ({
      name,
      shape: Int32Array.from(shape),
      dtype: type,
    }));
    this.values = Object.entries(outputs).map(([name, { type, values }]) => [
      name,
      type === "int32" ? Int32Array.from(values) : Float32Array.from(values),
    ]);
  }

  async run(pixels) {
    const expected = this.input.dtype === "uint8" ? Uint8Array : Float32Array;
    if (!(pixels instanceof expected)) throw new TypeError("pixels of another type");
    this.given = [...pixels];
    return Object.fromEntries(this.values);
  }
}
