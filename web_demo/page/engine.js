// The page's side of the worker. One worker for each model: to end it frees all of its memory, and
// a model that breaks the runtime breaks nothing else.

import { readLayout } from "./layout.js";
import { Unusable } from "./unusable.js";

/** The engine was closed before it answered. */
export class Closed extends Error {}

/** Where networks can be asked to run. */
export const PLACES = ["automatic", "gpu", "cpu"];

/**
 * A model that is ready, with `layout`, what the file says; `place`, where it runs: "gpu",
 * "gpu and cpu" or "cpu"; `threads`, their number; `refusal`, why it does not run where it was
 * asked to, or "".
 */
export class Engine {
  #model;
  #worker;
  #waiting = new Map();
  #count = 0;
  #closed = false;

  /**
   * Loads a model.
   *
   * @param {Uint8Array} model A whole .tflite file.
   * @param {string} place One of `PLACES`. What the GPU refuses runs on the CPU.
   * @returns {Promise<Engine>}
   */
  static async start(model, place) {
    if (typeof WebAssembly !== "object") {
      throw new Unusable("This browser has no WebAssembly, in which the network would run.");
    }
    const engine = new Engine();
    engine.#model = model;
    try {
      const automatic = place === "automatic";
      await engine.#start(automatic ? await quickestPlace(readLayout(model)) : place);
      if (automatic && engine.place === "gpu and cpu") await engine.#start("cpu");
    } catch (error) {
      engine.close();
      throw error;
    }
    return engine;
  }

  /**
   * Finds the objects in a picture.
   *
   * @param {ImageBitmap} bitmap The picture; it is moved away, and comes back in the answer.
   * @returns {Promise<{bitmap: ImageBitmap, detections: object[], milliseconds: number}>}
   */
  async detect(bitmap) {
    try {
      return await this.#ask({ bitmap }, [bitmap]);
    } catch (error) {
      if (error instanceof Closed || this.place === "cpu" || !error.bitmap) throw error;
      // A GPU may be lost at any time, as when the computer sleeps.
      this.refusal = "The GPU stopped. ";
      await this.#start("cpu");
      return this.#ask({ bitmap: error.bitmap }, [error.bitmap]);
    }
  }

  close() {
    this.#closed = true;
    this.#end();
  }

  #end() {
    this.#worker?.terminate();
    this.#refuse(new Closed());
  }

  async #start(place) {
    if (this.#closed) throw new Closed();
    this.#end();
    this.#worker = new Worker("worker.js");
    this.#worker.onmessage = ({ data: { id, error, ...answer } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(Object.assign(new Unusable(error), answer));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      console.warn(event.message);
      this.#refuse(
        new Unusable("The network stopped, or worker.js is missing on this page's server."),
      );
    };
    try {
      const { layout, threads, place: taken } = await this.#ask({ model: this.#model, place });
      Object.assign(this, { layout, threads, place: taken });
      this.refusal ??= "";
    } catch (error) {
      if (place === "cpu" || error instanceof Closed) throw error;
      this.refusal = `${error.message} `;
      await this.#start("cpu");
    }
  }

  #ask(message, moved = []) {
    return new Promise((resolve, reject) => {
      const id = this.#count++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message }, moved);
    });
  }

  #refuse(error) {
    this.#waiting.forEach(({ reject }) => reject(error));
    this.#waiting.clear();
  }
}

/** Whether this browser has a GPU, be it one that the processor plays. */
export async function hasGpu() {
  return Boolean(await navigator.gpu?.requestAdapter().catch(() => null));
}

/** The GPU is quick with floats; one that the processor plays is slower than that itself. */
async function quickestPlace({ quantization }) {
  if (quantization === "int8") return "cpu";
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const real = adapter && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
  return real ? "gpu" : "cpu";
}
