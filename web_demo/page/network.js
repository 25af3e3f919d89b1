// A .tflite network on LiteRT.js, inside a worker.

import {
  getGlobalLiteRt,
  getWebGpuDevice,
  loadAndCompile,
  loadLiteRt,
  supportsFeature,
  Tensor,
} from "./litert/core.js";
import { unpacked } from "./packed.js";
import { Unusable } from "./unusable.js";

const WASM = new URL("litert/wasm/", import.meta.url);
const REMARK = /^(INFO|WARNING|VERBOSE)/; // the runtime writes all to standard error

/**
 * A network that is ready to run, with the names, shapes and types of its `input` and `outputs`,
 * the number of `threads`, and `place`, where it runs: "gpu", "gpu and cpu" or "cpu".
 */
export class Network {
  #model;

  /**
   * @param {Uint8Array} file A whole .tflite file.
   * @param {"gpu"|"cpu"} place Where it should run.
   * @throws {Unusable} If it does not run there.
   */
  static async load(file, place) {
    const network = new Network();
    network.threads = await startRuntime(place);
    if (place === "gpu" && !getWebGpuDevice()) throw new Unusable("This browser offers no GPU.");
    try {
      const accelerator = place === "gpu" ? "webgpu" : "wasm";
      network.#model = await loadAndCompile(file, { accelerator });
    } catch (error) {
      console.warn(error);
      throw new Unusable(
        place === "gpu"
          ? "The GPU cannot run this model."
          : "This page cannot run this model: the file is damaged, or was made by other means than " +
            "“yolov2 export”.",
      );
    }
    // Without a way to wait inside WebAssembly, what the GPU cannot run whole goes to the CPU.
    if (place === "gpu" && network.#model.options.accelerator !== "webgpu") {
      throw new Unusable("The GPU cannot run all of this model. Export it with --no-nms for that.");
    }
    const whole = network.#model.isFullyAccelerated;
    network.place = place === "cpu" ? "cpu" : whole ? "gpu" : "gpu and cpu";
    [network.input] = network.#model.getInputDetails();
    network.outputs = network.#model.getOutputDetails();
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
    const named = {};
    for (const [i, output] of outputs.entries()) {
      const near = output.accelerator === "wasm" ? output : await output.moveTo("wasm");
      named[this.outputs[i].name] = near.toTypedArray();
      near.delete(); // WebAssembly has no garbage collector
    }
    return named;
  }
}

/** Loads LiteRT.js and returns how many threads it uses. */
async function startRuntime(place) {
  const form = await runtimeForm(place);
  const name = ["litert_wasm", ...(form ? [form] : []), "internal"].join("_");
  const binary = await unpacked(new URL(`${name}.wasm.gz`, WASM));
  const url = URL.createObjectURL(new Blob([binary], { type: "application/wasm" }));
  self.Module = {
    // What a GPU cannot run is no error: it is asked first, and the CPU does it then.
    printErr: (line) => (REMARK.test(line) || place === "gpu" ? console.debug : console.error)(line),
    // In a worker the runtime takes the worker's script for its own: its threads would run that.
    locateFile: (file) => (file.endsWith(".wasm") ? url : new URL(file, WASM).href),
    mainScriptUrlOrBlob: new URL(`${name}.js`, WASM).href,
  };
  try {
    await loadLiteRt(WASM.href, { threads: form === "threaded", jspi: form === "jspi" });
  } catch (error) {
    console.warn(error);
    throw new Unusable(
      "The part that runs networks did not start. " +
        "A current version of Chrome, Edge, Firefox or Safari is needed.",
    );
  } finally {
    URL.revokeObjectURL(url);
  }
  return form === "threaded" ? getGlobalLiteRt().liteRtWasm.getThreadCount() : 1;
}

/** Which of LiteRT.js's builds fits: it knows as well, but not where its compressed file is. */
async function runtimeForm(place) {
  if (!(await supportsFeature("relaxedSimd"))) return "compat";
  // JSPI lets a network wait for the GPU in its midst, so that the CPU may run the rest of it.
  if (place === "gpu") return (await supportsFeature("jspi")) ? "jspi" : "";
  return self.crossOriginIsolated && (await supportsFeature("threads")) ? "threaded" : "";
}
