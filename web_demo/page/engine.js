// The page's side of the worker. One worker for each model: to end it frees all of its memory, and
// a model that breaks the runtime breaks nothing else.

import { Unusable } from "./unusable.js";

/** The engine was closed before it answered. */
export class Closed extends Error {}

export class Engine {
  #worker = new Worker("worker.js");
  #waiting = new Map();
  #count = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, error, ...answer } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Unusable(error));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#refuse(new Unusable(`The network stopped: ${event.message ?? "it cannot be loaded"}.`));
    };
  }

  /**
   * Loads a model.
   *
   * @param {Uint8Array} model A whole .tflite file.
   * @returns {Promise<Engine>} With `layout`, what the file says, and `threads`, their number.
   */
  static async start(model) {
    if (typeof WebAssembly !== "object") {
      throw new Unusable("This browser has no WebAssembly, in which the network would run.");
    }
    const engine = new Engine();
    try {
      return Object.assign(engine, await engine.#ask({ model }));
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /**
   * Finds the objects in a picture.
   *
   * @param {ImageBitmap} bitmap The picture; it is moved away, and comes back in the answer.
   * @returns {Promise<{bitmap: ImageBitmap, detections: object[], milliseconds: number}>}
   */
  detect(bitmap) {
    return this.#ask({ bitmap }, [bitmap]);
  }

  close() {
    this.#worker.terminate();
    this.#refuse(new Closed());
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
