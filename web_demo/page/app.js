// The page: where pictures and models come from, and what happens to them.

import { benchmark, placeInWords, report } from "./benchmark.js";
import { LOWEST_THRESHOLD } from "./detector.js";
import { Closed, Engine } from "./engine.js";
import { connectFiles } from "./files.js";
import { cameras, Film } from "./film.js";
import { keepOffline } from "./offline.js";
import { fetched } from "./packed.js";
import { decode } from "./picture.js";
import { Results } from "./results.js";
import { Unusable } from "./unusable.js";
import { showPicture } from "./view.js";

const SPOKEN_EVERY = 3_000; // milliseconds between what a screen reader hears of a film
const SMOOTHING = 0.9;
const VIDEO = /\.(mp4|m4v|mov|webm|ogv|mkv)$/i;
const MODEL = /\.tflite$/i;

const element = (id) => document.getElementById(id);
const results = new Results(tell);

let models = []; // {name, read, examples, credit}
let current = null; // the one in use
let engine = null; // runs it
let picture = null; // the file in use, unless a film is
let film = null; // the camera or a video

// Numbers of the newest requests: answers to older ones are thrown away.
let modelRequest = 0;
let pictureRequest = 0;

// === Models ===

async function useModel(model) {
  const request = ++modelRequest;
  element("alert").hidden = true;
  showLoading(`Loading ${model.name}…`);
  try {
    const started = await Engine.start(await model.read(), element("place").value);
    if (request !== modelRequest) return started.close();
    engine?.close();
    engine = started;
    current = model;
    if (!models.includes(model)) models.push(model);
    showModel();
  } catch (error) {
    if (request === modelRequest) {
      tell(engine ? `${current.name} is still in use.` : "There is no model yet.");
    }
    throw error;
  } finally {
    if (request === modelRequest) element("loading").hidden = true;
    showModels(); // the list says which one is in use, whatever was chosen
  }
  if (picture) await detectIn(await decode(picture));
  else if (!film) tell("Ready for a picture.");
}

function showLoading(words) {
  element("loading-words").textContent = words;
  element("loading").hidden = false;
  tell(words);
}

function showModels() {
  element("model").replaceChildren(
    ...models.map((model, i) => new Option(model.name, i, false, model === current)),
  );
  element("model").disabled = models.length < 2;
  element("measure").disabled = !engine;
  if (!engine) element("facts").textContent = "Open a model: a .tflite file of yolov2 export.";
}

function showModel() {
  const { layout } = engine;
  const count = layout.class_names.length;
  element("facts").textContent = [
    `${count} ${count === 1 ? "class" : "classes"}`,
    `${layout.input_size} × ${layout.input_size} px, ${layout.resize}`,
    layout.quantization === "none" ? "float32" : layout.quantization,
  ].join(" · ");
  showPlace();
  element("measured").replaceChildren();
  element("measured-head").hidden = element("share").hidden = true;
  results.useLayout(layout, layout.nms ? layout.score_threshold : LOWEST_THRESHOLD);
  showExamples(current.examples);
}

function showPlace() {
  const { place, threads, refusal } = engine;
  element("runs-on").textContent = placeInWords(engine);
  element("threads").textContent = threads;
  const alone = threads === 1 && place === "cpu" && navigator.hardwareConcurrency > 1;
  const why = crossOriginIsolated
    ? "One thread only: this browser's WebAssembly has no threads, or no relaxed SIMD."
    : "One thread only: this browser keeps threads from the page.";
  element("notice").textContent = `${refusal}${alone ? why : ""}`;
  element("notice").hidden = !element("notice").textContent;
}

function showExamples(urls) {
  const buttons = urls.map((url, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(Object.assign(new Image(), { src: url, alt: `Example ${i + 1}` }));
    button.addEventListener(
      "click",
      guarded(async () => {
        const blob = await (await fetched(url)).blob();
        await usePicture(new File([blob], url.split("/").pop(), { type: blob.type }));
      }),
    );
    return button;
  });
  element("examples").replaceChildren(...buttons);
  element("examples").hidden = !buttons.length;
  element("credit").textContent = current.credit;
}

/** Times the model on all that can run it; nothing else runs meanwhile. */
async function measure() {
  stopFilm();
  const shown = element("frame").hidden ? new ImageData(8, 8) : element("canvas");
  element("measure").disabled = true;
  element("measured").replaceChildren();
  try {
    const times = await benchmark(
      await current.read(),
      await createImageBitmap(shown),
      (words) => (element("measuring").textContent = words),
    );
    const rows = times.map(({ place, median, p95, refusal }) => {
      const row = document.createElement("tr");
      const cells = refusal ? [place, refusal, ""] : [place, ...[median, p95].map(milliseconds)];
      for (const words of cells) row.insertCell().textContent = words;
      return row;
    });
    element("measured").replaceChildren(...rows);
    element("measured-head").hidden = false;
    element("share").value = report(current.name, engine.layout, times);
    element("share").hidden = false;
    tell("Measured.");
  } finally {
    element("measuring").textContent = "";
    element("measure").disabled = false;
  }
}

// === Pictures ===

async function usePicture(file) {
  element("alert").hidden = true;
  const bitmap = await decode(file); // what is shown stays if this fails
  stopFilm();
  picture = file;
  await detectIn(bitmap);
}

async function detectIn(bitmap) {
  const request = ++pictureRequest;
  const start = performance.now();
  showPicture(bitmap);
  results.show([], picture.name || "picture.png");
  if (!engine) return tell("The picture waits for a model.");
  const answer = await engine.detect(bitmap);
  answer.bitmap.close();
  if (request !== pictureRequest) return;
  showAnswer(answer, start, picture.name || "picture.png");
  element("rate").textContent = "–";
  results.tell();
}

function showAnswer(answer, start, name) {
  results.show(answer.detections, name);
  showPlace(); // a GPU may have been lost
  element("network-time").textContent = milliseconds(answer.milliseconds);
  element("total-time").textContent = milliseconds(performance.now() - start);
}

function milliseconds(time) {
  return `${time.toFixed(1)} ms`;
}

// === Camera and videos ===

async function toggleCamera() {
  if (film) {
    stopFilm();
    return tell("The camera is off.");
  }
  await useFilm(() => Film.openCamera(element("cameras").value));
}

async function useFilm(open) {
  stopFilm();
  element("alert").hidden = true;
  const button = element("camera");
  button.disabled = true; // while the browser asks whether it may
  try {
    film = await open();
  } finally {
    button.disabled = false;
  }
  pictureRequest++;
  picture = null;
  button.textContent = film.camera === undefined ? "Stop the video" : "Stop the camera";
  button.ariaPressed = "true";
  if (film.camera !== undefined) {
    tell("The camera is on.");
    await showCameras(film.camera);
  } else {
    tell(`${film.name} plays.`);
  }
  await follow(film);
}

async function showCameras(current) {
  const found = await cameras();
  element("cameras").replaceChildren(
    ...found.map(({ id, name }) => new Option(name, id, false, id === current)),
  );
  element("cameras").hidden = found.length < 2;
}

function stopFilm() {
  film?.close();
  film = null;
  element("camera").textContent = "Start the camera";
  element("camera").ariaPressed = "false";
}

/** Shows a film until it ends or is stopped. One frame at a time: it never lags behind. */
async function follow(opened) {
  let spoken = performance.now();
  let last = spoken;
  let period = 0;
  try {
    for (;;) {
      const bitmap = await opened.frame();
      const start = performance.now();
      const answer = bitmap && (await analysed(bitmap));
      if (film !== opened) return;
      if (!bitmap && opened.camera === undefined) return tell(`${opened.name} is over.`);
      if (!bitmap) throw new Unusable("The camera was unplugged, or another program took it.");
      if (!answer) continue;
      // Frame and boxes are drawn together, so that they always belong to one another.
      showPicture(answer.bitmap);
      answer.bitmap.close();
      showAnswer(answer, start, `${opened.name.replace(/\.\w+$/, "")}.png`);

      const now = performance.now();
      period = period ? SMOOTHING * period + (1 - SMOOTHING) * (now - last) : now - last;
      last = now;
      element("rate").textContent = `${Math.round(1000 / period)} frames/s`;
      if (!element("loading").hidden) continue; // that is said now
      element("summary").textContent = results.summary();
      if (now - spoken > SPOKEN_EVERY) {
        spoken = now;
        results.tell();
      }
    }
  } finally {
    if (film === opened) stopFilm();
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
  if (MODEL.test(file.name)) {
    return useModel({
      name: file.name.replace(MODEL, ""),
      read: async () => new Uint8Array(await file.arrayBuffer()),
      examples: [],
      credit: "",
    });
  }
  if (file.type.startsWith("video/") || VIDEO.test(file.name)) {
    return useFilm(() => Film.openFile(file));
  }
  await usePicture(file);
});

function connect() {
  connectFiles(useFile, guarded);
  const on = (id, event, handler) => element(id).addEventListener(event, guarded(handler));
  on("camera", "click", toggleCamera);
  on("cameras", "change", () => useFilm(() => Film.openCamera(element("cameras").value)));
  on("model", "change", ({ target }) => useModel(models[target.value]));
  on("place", "change", () => current && useModel(current));
  on("measure", "click", measure);
  addEventListener("pagehide", stopFilm);
}

async function begin() {
  connect();
  if (!(await keepOffline())) return;
  const content = await (await fetched("content.json")).json();
  models = content.models.map(({ name, url, examples, credit }) => ({
    name,
    read: async () => new Uint8Array(await (await fetched(url)).arrayBuffer()),
    examples,
    credit,
  }));
  await useModel(models[0]);
}

guarded(begin)();
