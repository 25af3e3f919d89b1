// Which classes people want to see: words of theirs, split by commas.

/**
 * @param {string} text What was typed, e.g. "dog, cat".
 * @param {string[]} names All classes.
 * @returns {{wanted: ?Set<number>, unknown: string[]}} Labels of the classes that hold one of the
 *     words, null for all; and words that no class holds.
 */
export function chosenClasses(text, names) {
  const words = text
    .split(",")
    .map((word) => word.trim().toLowerCase())
    .filter(Boolean);
  if (!words.length) return { wanted: null, unknown: [] };
  const lower = names.map((name) => name.toLowerCase());
  const wanted = new Set();
  const unknown = [];
  for (const word of words) {
    // A class of just this name is meant alone: "bear" is no "teddy bear".
    const fits = lower.includes(word) ? (name) => name === word : (name) => name.includes(word);
    lower.forEach((name, label) => fits(name) && wanted.add(label));
    if (!lower.some(fits)) unknown.push(word);
  }
  return { wanted, unknown };
}
