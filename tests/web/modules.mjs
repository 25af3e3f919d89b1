// Runs functions of the page for a Python test, without a browser: JSON in, JSON out.

import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { answers } from "./golden.mjs";

const page = pathToFileURL(`${process.argv[2]}/`);
const { resize } = await import(new URL("resize.js", page));
const { suppress } = await import(new URL("suppression.js", page));
const { chosenClasses } = await import(new URL("classes.js", page));
const { spread } = await import(new URL("benchmark.js", page));
const { readLayout } = await import(new URL("layout.js", page));

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const floats = (base64) => new Float32Array(bytes(base64).buffer);

const tasks = {
  resize: ({ picture, width, height, size, mode }) => {
    const { pixels, ...rest } = resize({ data: bytes(picture), width, height }, size, mode);
    return { pixels: Buffer.from(pixels.buffer).toString("base64"), ...rest };
  },
  golden: ({ runs }) => answers(page, runs),
  suppress: ({ boxes, scores, settings }) => suppress(floats(boxes), floats(scores), settings),
  chosenClasses: ({ text, names }) => {
    const { wanted, unknown } = chosenClasses(text, names);
    return { wanted: wanted && [...wanted].sort(), unknown };
  },
  spread: ({ times }) => spread(times),
  readLayout: ({ file }) => {
    try {
      return readLayout(bytes(file));
    } catch (error) {
      return { error: `${error.constructor.name}: ${error.message}` };
    }
  },
};

const { task, ...values } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await tasks[task](values)));
