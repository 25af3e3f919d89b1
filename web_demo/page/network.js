// A .tflite network on LiteRT.js, inside a worker.

import {
  getGlobalLiteRt,
  loadAndCompile,
  loadLiteRt,
  supportsFeature,
  Tensor,
} from "./litert/core.js";
import { Unusable } from "./unusable.js";

const WASM = new URL("litert/wasm/", import.meta.url);

/** A network that is ready to run, with the names, shapes and types of its `input` and `outputs`. */
export class Network {
  #model;

  /** @param {Uint8Array} file A whole .tflite file. */
  static async load(file) {
    const threads = await startRuntime();
    const network = new Network();
    try {
      network.#model = await loadAndCompile(file, { accelerator: "wasm" });
    } catch (error) {
      throw new Unusable(`LiteRT.js cannot run this model (${error.message ?? error}).`);
    }
    [network.input] = network.#model.getInputDetails();
    network.outputs = network.#model.getOutputDetails();
    network.threads = threads;
    return network;
  }

  /**
   * Runs the network once.
   *
   * @param {Float32Array|Uint8Array} pixels The input, of its type, values 0..255.
   * @returns {Promise<Object<string, Float32Array|Int32Array>>} The outputs by name, whose order is
   *     arbitrary.
   */
  async run(pixels) {
    const input = new Tensor(pixels, this.input.shape);
    const outputs = await this.#model.run([input]);
    input.delete();
    const named = outputs.map((output, i) => [this.outputs[i].name, output.toTypedArray()]);
    outputs.forEach((output) => output.delete()); // WebAssembly has no garbage collector
    return Object.fromEntries(named);
  }
}

/** Loads LiteRT.js and returns how many threads it uses. */
async function startRuntime() {
  const threads =
    self.crossOriginIsolated &&
    (await supportsFeature("threads")) &&
    (await supportsFeature("relaxedSimd"));
  self.Module = {
    printErr: log,
    // In a worker the runtime takes the worker's script for its own: its threads would run that.
    locateFile: (name) => new URL(name, WASM).href,
    mainScriptUrlOrBlob: new URL("litert_wasm_threaded_internal.js", WASM).href,
  };
  try {
    await loadLiteRt(WASM.href, { threads });
  } catch (error) {
    throw new Unusable(
      `LiteRT.js could not be started: ${error.message ?? error}. ` +
        "A current version of Chrome, Edge, Firefox or Safari is needed.",
    );
  }
  return threads ? getGlobalLiteRt().liteRtWasm.getThreadCount() : 1;
}

/** The runtime writes everything to standard error, remarks included. */
function log(line) {
  (/^(INFO|WARNING|VERBOSE)/.test(line) ? console.debug : console.error)(line);
}
