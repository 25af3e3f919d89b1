// Ways in which people give the page a file: they choose, paste or drop it.

import { Unusable } from "./unusable.js";

const element = (id) => document.getElementById(id);

/**
 * Listens for files.
 *
 * @param {(file: File) => void} useFile Takes a picture, a video or a model.
 * @param {(handler: Function) => Function} guarded Makes an event handler tell its errors.
 */
export function connectFiles(useFile, guarded) {
  const use = (file) => file && useFile(file);
  connectChoosing(use);
  connectPasting(use, guarded);
  connectDrop(use);
}

function connectChoosing(use) {
  const inputs = { empty: "file", choose: "file", open: "model-file" };
  for (const [button, input] of Object.entries(inputs)) {
    element(button).addEventListener("click", () => element(input).click());
  }
  for (const input of ["file", "model-file"]) {
    element(input).addEventListener("change", ({ target }) => {
      use(target.files[0]);
      target.value = ""; // so that the same file can be chosen again
    });
  }
}

function connectPasting(use, guarded) {
  document.addEventListener("paste", (event) => use(event.clipboardData.files[0]));
  element("paste").addEventListener(
    "click",
    guarded(async () => use(await pasted())),
  );
  element("paste").hidden = !navigator.clipboard?.read;
}

/** For phones, which have no keys to paste with. */
async function pasted() {
  const items = await navigator.clipboard.read().catch((error) => {
    console.warn(error);
    throw new Unusable("The clipboard was not allowed. Allow it in the browser's address bar.");
  });
  for (const item of items) {
    const type = item.types.find((each) => each.startsWith("image/"));
    if (type) return new File([await item.getType(type)], "pasted.png", { type });
  }
  throw new Unusable("There is no picture in the clipboard. Copy one, then paste it here.");
}

function connectDrop(use) {
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
    use(event.dataTransfer.files[0]);
  });
}
