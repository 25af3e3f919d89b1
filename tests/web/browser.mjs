// A browser that a Python test steers: one JSON request a line, one JSON answer a line.
// {"call": "page.click", "arguments": ["#camera"]} -> {"value": ...} or {"error": "..."}

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [webDemo, executablePath, ...extra] = process.argv.slice(2);
const { chromium } = createRequire(`${webDemo}/package.json`)("playwright-core");

const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    ...extra,
  ],
});
let objects, seen;
await begin();
for await (const line of createInterface({ input: process.stdin })) {
  const { call, arguments: values } = JSON.parse(line);
  const [object, method] = call.split(".");
  let answer;
  try {
    const value = await objects[object][method](...values);
    // Other methods return handles of Playwright's, which mean nothing in Python.
    answer = { value: ["test.seen", "page.evaluate"].includes(call) ? (value ?? null) : null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();

/** Opens an empty page, in a window that knows nothing of those before. Options: Playwright's. */
async function begin(options = {}) {
  await objects?.context.close();
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  seen = { console: [], errors: [], requests: [] };
  const { console, errors, requests } = seen;
  page.on("console", (message) => console.push([message.type(), message.text()]));
  page.on("pageerror", (error) => errors.push(String(error)));
  context.on("request", (request) => requests.push(request.url()));
  objects = { test: { begin, seen: () => seen }, page, context, keyboard: page.keyboard };
}
