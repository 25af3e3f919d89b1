// Runs one network away from the page, which stays responsive. Not a module: LiteRT.js loads its
// WebAssembly with importScripts, which module workers do not have.
"use strict";

let detector;
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

self.onmessage = async ({ data: { id, model, place, bitmap } }) => {
  const moved = bitmap ? [bitmap] : [];
  try {
    const answer = model ? await start(model, place) : await detect(bitmap);
    self.postMessage({ id, bitmap, ...answer }, moved);
  } catch (error) {
    console.warn(error);
    self.postMessage({ id, bitmap, error: inWords(error) }, moved);
  }
};

async function start(model, place) {
  const [{ readLayout }, { Network }, { Detector }] = await Promise.all(
    ["layout.js", "network.js", "detector.js"].map(part),
  );
  const layout = readLayout(model);
  const network = await Network.load(model, place);
  detector = new Detector(layout, network);
  await detector.detect(new ImageData(8, 8)); // tells whether it runs, and warms up
  return { layout, threads: network.threads, place: network.place };
}

async function part(name) {
  try {
    return await import(`./${name}`);
  } catch (error) {
    console.warn(error);
    const { Unusable } = await import("./unusable.js");
    throw new Unusable(
      `A part of this page is missing on its server (${name}, or what it needs). ` +
        "Put all of the folder there.",
    );
  }
}

async function detect(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(bitmap, 0, 0);
  return detector.detect(context.getImageData(0, 0, width, height));
}

/** Words of the browser's or the engine's mean nothing to people: they are in the console. */
function inWords(error) {
  const ours = error.constructor.name === "Unusable";
  return ours ? error.message : "The network stopped in the middle of a run.";
}
