// What people see of a picture and its detections.

const HUE_STEP = 137.508; // the golden angle: neighbours in the list of classes look most different
const FIRST_HUE = 25;

const element = (id) => document.getElementById(id);
const canvas = element("canvas");
const context = canvas.getContext("2d", { alpha: false });

/** Draws a picture in place of the last one. */
export function showPicture(bitmap) {
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) {
    Object.assign(canvas, { width, height });
    element("frame").style.setProperty("--ratio", width / height);
  }
  context.drawImage(bitmap, 0, 0);
  element("frame").hidden = false;
  element("empty").hidden = true;
  element("saving").hidden = false;
}

/**
 * Draws boxes over the picture and lists them.
 *
 * @param {{box: number[], label: number, name: string, score: number}[]} detections By score.
 */
export function showDetections(detections) {
  // The best last: it is drawn over the others.
  element("boxes").replaceChildren(...detections.map(drawnBox).reverse());
  element("found").replaceChildren(...detections.map(listed));
  canvas.setAttribute("aria-label", summary(detections));
}

/** A few words, e.g. "3 objects: dog (2×), cat". */
export function summary(detections) {
  if (!detections.length) return "No objects";
  const counts = new Map();
  for (const { name } of detections) counts.set(name, (counts.get(name) ?? 0) + 1);
  const words = [...counts].map(([name, count]) => (count > 1 ? `${name} (${count}×)` : name));
  const objects = detections.length === 1 ? "object" : "objects";
  return `${detections.length} ${objects}: ${words.join(", ")}`;
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

function drawnBox({ box: [top, left, bottom, right], label, name, score }) {
  const box = document.createElement("div");
  box.className = "box";
  box.style.setProperty("--color", color(label));
  for (const [side, share] of Object.entries({
    top,
    left,
    height: bottom - top,
    width: right - left,
  })) {
    box.style[side] = `${100 * share}%`;
  }
  const tag = document.createElement("span");
  tag.className = "tag";
  tag.classList.toggle("inside", top < 0.06);
  tag.classList.toggle("leftwards", left > 0.8);
  tag.textContent = caption({ name, score });
  box.append(tag);
  return box;
}

function listed({ box, label, name, score }) {
  const item = document.createElement("li");
  item.style.setProperty("--color", color(label));
  item.style.setProperty("--score", score);
  Object.assign(item.dataset, { label, score, box: box.join(" ") });
  for (const words of [name, percent(score)]) {
    item.append(Object.assign(document.createElement("span"), { textContent: words }));
  }
  return item;
}

/** What stands on a box. */
export function caption({ name, score }) {
  return `${name} ${percent(score)}`;
}

export function color(label) {
  return `oklch(0.76 0.17 ${(FIRST_HUE + label * HUE_STEP) % 360})`;
}
