// The page: where pictures and models come from, and what happens to them.

import { Camera } from "./camera.js";
import { LOWEST_THRESHOLD } from "./detector.js";
import { Closed, Engine } from "./engine.js";
import { keepOffline } from "./offline.js";
import { decode } from "./picture.js";
import { Unusable } from "./unusable.js";
import { percent, showDetections, showPicture, summary } from "./view.js";

const DEFAULT_THRESHOLD = 0.25; // as in yolov2_tf/detection/thresholds.py
const SPOKEN_EVERY = 3_000; // milliseconds between what a screen reader hears of the camera
const SMOOTHING = 0.9;

const element = (id) => document.getElementById(id);
const slider = element("threshold");

let models = []; // {name, read, examples}
let current = null; // the one in use
let engine = null; // runs it
let picture = null; // the file in use, unless the camera is
let camera = null;
let detections = []; // of what is shown, at any threshold

// Numbers of the newest requests: answers to older ones are thrown away.
let modelRequest = 0;
let pictureRequest = 0;

// === Models ===

async function useModel(model) {
  const request = ++modelRequest;
  element("alert").hidden = true;
  tell(`Loading ${model.name}…`);
  try {
    const started = await Engine.start(await model.read());
    if (request !== modelRequest) return started.close();
    engine?.close();
    engine = started;
    current = model;
    if (!models.includes(model)) models.push(model);
    showModel();
  } catch (error) {
    tell(engine ? `${current.name} is still in use.` : "There is no model yet.");
    throw error;
  } finally {
    showModels(); // the list says which one is in use, whatever was chosen
  }
  if (picture) await detectIn(await decode(picture));
  else if (!camera) tell("Ready for a picture.");
}

function showModels() {
  element("model").replaceChildren(
    ...models.map((model, i) => new Option(model.name, i, false, model === current)),
  );
  element("model").disabled = models.length < 2;
  if (!engine) element("facts").textContent = "Open a model: a .tflite file of yolov2 export.";
}

function showModel() {
  const { layout, threads } = engine;
  const count = layout.class_names.length;
  element("facts").textContent = [
    `${count} ${count === 1 ? "class" : "classes"}`,
    `${layout.input_size} × ${layout.input_size} px, ${layout.resize}`,
    layout.quantization === "none" ? "float32" : layout.quantization,
  ].join(" · ");
  element("threads").textContent = threads;
  element("notice").textContent = crossOriginIsolated
    ? "One thread only: this browser's WebAssembly has no threads, or no relaxed SIMD."
    : "One thread only: the server does not send the COOP and COEP headers that WebAssembly " +
      "threads need. “yolov2 demo-web” does.";
  element("notice").hidden = threads > 1 || navigator.hardwareConcurrency === 1;
  const own = layout.nms ? layout.score_threshold : 0;
  slider.min = Math.max(LOWEST_THRESHOLD, Math.ceil(100 * own) / 100); // moves the value, too
  showThreshold();
  showExamples(current.examples);
}

function showExamples(urls) {
  const buttons = urls.map((url, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(Object.assign(new Image(), { src: url, alt: `Example ${i + 1}` }));
    button.addEventListener(
      "click",
      guarded(async () => usePicture(await fetched(url))),
    );
    return button;
  });
  element("examples").replaceChildren(...buttons);
  element("examples").hidden = !buttons.length;
}

// === Pictures ===

async function usePicture(file) {
  element("alert").hidden = true;
  const bitmap = await decode(file); // what is shown stays if this fails
  stopCamera();
  picture = file;
  await detectIn(bitmap);
}

async function detectIn(bitmap) {
  const request = ++pictureRequest;
  const start = performance.now();
  showPicture(bitmap);
  show([]);
  if (!engine) return tell("The picture waits for a model.");
  const answer = await engine.detect(bitmap);
  answer.bitmap.close();
  if (request !== pictureRequest) return;
  showAnswer(answer, start);
  element("rate").textContent = "–";
  tellDetections();
}

function showAnswer(answer, start) {
  show(answer.detections);
  element("network-time").textContent = `${answer.milliseconds.toFixed(1)} ms`;
  element("total-time").textContent = `${(performance.now() - start).toFixed(1)} ms`;
}

function show(found) {
  detections = found.map((each) => ({ ...each, name: engine.layout.class_names[each.label] }));
  showDetections(aboveThreshold());
}

function aboveThreshold() {
  return detections.filter(({ score }) => score > slider.value);
}

// === Camera ===

async function toggleCamera({ currentTarget: button }) {
  if (camera) {
    stopCamera();
    return tell("The camera is off.");
  }
  element("alert").hidden = true;
  button.disabled = true; // while the browser asks whether it may
  try {
    camera = await Camera.open();
  } finally {
    button.disabled = false;
  }
  pictureRequest++;
  picture = null;
  button.textContent = "Stop the camera";
  button.ariaPressed = "true";
  tell("The camera is on.");
  await follow(camera);
}

function stopCamera() {
  camera?.close();
  camera = null;
  element("camera").textContent = "Start the camera";
  element("camera").ariaPressed = "false";
}

/** Shows what the camera sees until it is stopped. One frame at a time: it never lags behind. */
async function follow(opened) {
  let spoken = performance.now();
  let last = spoken;
  let period = 0;
  try {
    for (;;) {
      const bitmap = await opened.frame();
      const start = performance.now();
      const answer = bitmap && (await analysed(bitmap));
      if (camera !== opened) return;
      if (!bitmap) throw new Unusable("The camera was unplugged, or another program took it.");
      if (!answer) continue;
      // Frame and boxes are drawn together, so that they always belong to one another.
      showPicture(answer.bitmap);
      answer.bitmap.close();
      showAnswer(answer, start);

      const now = performance.now();
      period = period ? SMOOTHING * period + (1 - SMOOTHING) * (now - last) : now - last;
      last = now;
      element("rate").textContent = `${Math.round(1000 / period)} frames/s`;
      element("summary").textContent = summary(aboveThreshold());
      if (now - spoken > SPOKEN_EVERY) {
        spoken = now;
        tellDetections();
      }
    }
  } finally {
    if (camera === opened) stopCamera();
  }
}

/** The answer for a frame; null where the model was changed meanwhile. */
async function analysed(bitmap) {
  if (!engine) return { bitmap, detections: [], milliseconds: 0 };
  try {
    return await engine.detect(bitmap);
  } catch (error) {
    if (error instanceof Closed) return null;
    throw error;
  }
}

// === Words ===

/** Says something to those who see the page and to those who hear it. */
function tell(words) {
  element("summary").textContent = words;
  element("status").textContent = words;
}

function tellDetections() {
  tell(summary(aboveThreshold()));
}

function showThreshold() {
  element("threshold-value").textContent = percent(slider.value);
  slider.setAttribute("aria-valuetext", percent(slider.value));
}

/** An event handler whose errors people are told about. */
function guarded(handler) {
  return async (...event) => {
    try {
      await handler(...event);
    } catch (error) {
      if (error instanceof Closed) return; // a newer request took its place
      if (!(error instanceof Unusable)) throw error;
      element("alert").textContent = error.message;
      element("alert").hidden = false;
    }
  };
}

// === Events ===

const useFile = guarded(async (file) => {
  if (!file) return;
  const suffix = /\.tflite$/i;
  if (!suffix.test(file.name)) return usePicture(file);
  await useModel({
    name: file.name.replace(suffix, ""),
    read: async () => new Uint8Array(await file.arrayBuffer()),
    examples: [],
  });
});

function connect() {
  for (const [button, input] of Object.entries({ choose: "file", open: "model-file" })) {
    element(button).addEventListener("click", () => element(input).click());
    element(input).addEventListener("change", ({ target }) => {
      useFile(target.files[0]);
      target.value = ""; // so that the same file can be chosen again
    });
  }
  element("camera").addEventListener("click", guarded(toggleCamera));
  element("model").addEventListener(
    "change",
    guarded(({ target }) => useModel(models[target.value])),
  );
  slider.addEventListener("input", () => {
    showThreshold();
    showDetections(aboveThreshold());
  });
  slider.addEventListener("change", () => {
    if (picture || camera) tellDetections();
  });
  document.addEventListener("paste", ({ clipboardData }) => useFile(clipboardData.files[0]));
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // else the browser opens the file in place of the page
    element("drop").classList.add("over");
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (!relatedTarget) element("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    element("drop").classList.remove("over");
    useFile(event.dataTransfer.files[0]);
  });
  addEventListener("pagehide", stopCamera);
}

async function fetched(url) {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) {
    throw new Unusable(`${url} could not be fetched (${response?.status ?? "no connection"}).`);
  }
  return response.blob();
}

async function begin() {
  connect();
  slider.value = DEFAULT_THRESHOLD;
  showThreshold();
  await keepOffline();
  const content = JSON.parse(await (await fetched("content.json")).text());
  models = content.models.map(({ name, url, examples }) => ({
    name,
    read: async () => new Uint8Array(await (await fetched(url)).arrayBuffer()),
    examples,
  }));
  await useModel(models[0]);
}

guarded(begin)();
