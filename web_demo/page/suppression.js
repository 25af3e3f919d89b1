// Boxes and scores to detections, as in export/postprocessing.py: for files without suppression.

const CANDIDATES_PER_DETECTION = 4;
const LEAST_SIDE = 1e-4; // else boxes without an area would overlap nothing, not even themselves

/**
 * Keeps the best of boxes that overlap.
 *
 * @param {Float32Array} boxes M boxes [y_min, x_min, y_max, x_max] as fractions of the input.
 * @param {Float32Array} scores M rows of C scores in 0..1; or M scores, with `labels`.
 * @param {object} settings
 * @param {number} settings.score_threshold Scores must be above this.
 * @param {number} settings.iou_threshold Boxes overlapping more than this are one detection.
 * @param {number} settings.max_detections The most detections.
 * @param {boolean} settings.per_class Whether boxes of different classes leave one another alone.
 * @param {?Int32Array} labels M labels, where each box has one class already.
 * @returns {{box: number[], label: number, score: number}[]} Sorted by score.
 */
export function suppress(boxes, scores, settings, labels = null) {
  const classes = scores.length / (boxes.length / 4);
  const found = [];
  scores.forEach((score, i) => {
    if (score > settings.score_threshold) found.push(i);
  });
  found.sort((a, b) => scores[b] - scores[a]); // stable: the earlier one wins a tie
  const kept = [];
  for (const i of found.slice(0, CANDIDATES_PER_DETECTION * settings.max_detections)) {
    const place = 4 * Math.floor(i / classes);
    const box = [...boxes.subarray(place, place + 4)].map((v) => Math.min(Math.max(v, 0), 1));
    const candidate = { box, label: labels ? labels[i] : i % classes, score: scores[i] };
    const hidden = kept.some(
      (better) =>
        (!settings.per_class || better.label === candidate.label) &&
        iou(better.box, box) > settings.iou_threshold,
    );
    if (!hidden) kept.push(candidate);
    if (kept.length === settings.max_detections) break;
  }
  return kept;
}

/** Intersection over union of boxes that are at least `LEAST_SIDE` high and wide. */
function iou(...boxes) {
  const [a, b] = boxes.map(([top, left, bottom, right]) => [
    top,
    left,
    Math.max(bottom, top + LEAST_SIDE),
    Math.max(right, left + LEAST_SIDE),
  ]);
  const height = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  const width = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
  return (height * width) / (area(a) + area(b) - height * width);
}

function area([top, left, bottom, right]) {
  return (bottom - top) * (right - left);
}
