// Runs one network away from the page, which stays responsive. Not a module: LiteRT.js loads its
// WebAssembly with importScripts, which module workers do not have.
"use strict";

let detector;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

self.onmessage = async ({ data: { id, model, bitmap } }) => {
  try {
    const answer = model ? await start(model) : await detect(bitmap);
    self.postMessage({ id, ...answer }, bitmap ? [bitmap] : []);
  } catch (error) {
    self.postMessage({ id, error: error.message ?? String(error) });
  }
};

async function start(model) {
  const [{ readLayout }, { Network }, { Detector }] = await Promise.all([
    import("./layout.js"),
    import("./network.js"),
    import("./detector.js"),
  ]);
  const layout = readLayout(model);
  const network = await Network.load(model);
  detector = new Detector(layout, network);
  await detector.detect(new ImageData(8, 8)); // tells whether it runs, and warms up
  return { layout, threads: network.threads };
}

async function detect(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(bitmap, 0, 0);
  return { bitmap, ...(await detector.detect(context.getImageData(0, 0, width, height))) };
}
