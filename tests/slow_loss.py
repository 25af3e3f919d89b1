"""The loss by its formulas: loops over images, truths and predictions, in float64."""

import math

import numpy as np

ANCHORS = [(0.6, 0.8), (1.5, 1.0), (2.0, 2.5)]
CLASSES = 4
DEPTH = 5 + CLASSES
TERMS = ("box", "objectness", "no_objectness", "class", "prior")
DEFAULTS = {
    "coord_scale": 1.0,
    "object_scale": 5.0,
    "noobject_scale": 1.0,
    "class_scale": 1.0,
    "ignore_iou": 0.6,
    "rescore": True,
    "warmup_images": 12_800,
    "class_weights": None,
}


# === An image with boxes ===


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(a, b):
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    if height <= 0 or width <= 0:
        return 0.0
    return height * width / (area(a) + area(b) - height * width)


def usable(boxes, labels):
    """Indices of the truths that are neither padding nor degenerate."""
    return [
        t
        for t, (y_min, x_min, y_max, x_max) in enumerate(boxes)
        if labels[t] >= 0 and all(map(math.isfinite, boxes[t])) and y_max > y_min and x_max > x_min
    ]


def slots(boxes, labels, rows, columns):
    """`{(row, column, anchor): truth}`: a later truth takes the slot of an earlier one."""
    taken = {}
    for t in usable(boxes, labels):
        y_min, x_min, y_max, x_max = boxes[t]
        i = min(max(math.floor((y_min + y_max) / 2 * rows), 0), rows - 1)
        j = min(max(math.floor((x_min + x_max) / 2 * columns), 0), columns - 1)
        w, h = (x_max - x_min) * columns, (y_max - y_min) * rows
        fits = [
            overlap([-h / 2, -w / 2, h / 2, w / 2], [-p_h / 2, -p_w / 2, p_h / 2, p_w / 2])
            for p_w, p_h in ANCHORS
        ]
        taken[i, j, fits.index(max(fits))] = t
    return taken


def decoded(head, i, j, a):
    """The box that the prediction of a slot stands for."""
    rows, columns = head.shape[:2]
    t_x, t_y, t_w, t_h = head[i, j, a * DEPTH : a * DEPTH + 4]
    x, y = (j + sigmoid(t_x)) / columns, (i + sigmoid(t_y)) / rows
    w = ANCHORS[a][0] * math.exp(t_w) / columns
    h = ANCHORS[a][1] * math.exp(t_h) / rows
    return [y - h / 2, x - w / 2, y + h / 2, x + w / 2]


def overlaps(head, boxes, labels):
    """`{slot: {truth: IoU}}`: what the loss takes as constants."""
    rows, columns = head.shape[:2]
    return {
        (i, j, a): {t: overlap(decoded(head, i, j, a), boxes[t]) for t in usable(boxes, labels)}
        for i in range(rows)
        for j in range(columns)
        for a in range(len(ANCHORS))
    }


def slow_terms(head, boxes, labels, seen=None, ious=None, **options):
    """The terms of the loss of one image, by the formulas; `ious` freezes the constants."""
    options = {**DEFAULTS, **options}
    rows, columns = head.shape[:2]
    ious = overlaps(head, boxes, labels) if ious is None else ious
    taken = slots(boxes, labels, rows, columns)
    terms = dict.fromkeys(TERMS, 0.0)
    for slot in ious:
        i, j, a = slot
        t_x, t_y, t_w, t_h, t_o, *logits = head[i, j, a * DEPTH : (a + 1) * DEPTH]
        if slot not in taken:
            if max(ious[slot].values(), default=0.0) <= options["ignore_iou"]:
                terms["no_objectness"] += 0.5 * options["noobject_scale"] * sigmoid(t_o) ** 2
            if seen is not None and seen < options["warmup_images"]:
                pull = (sigmoid(t_x) - 0.5) ** 2 + (sigmoid(t_y) - 0.5) ** 2 + t_w**2 + t_h**2
                terms["prior"] += 0.5 * 0.01 * pull
            continue
        truth = taken[slot]
        y_min, x_min, y_max, x_max = boxes[truth]
        w, h = x_max - x_min, y_max - y_min
        error = (
            (sigmoid(t_x) - ((x_min + x_max) / 2 * columns - j)) ** 2
            + (sigmoid(t_y) - ((y_min + y_max) / 2 * rows - i)) ** 2
            + (t_w - math.log(w * columns / ANCHORS[a][0])) ** 2
            + (t_h - math.log(h * rows / ANCHORS[a][1])) ** 2
        )
        terms["box"] += 0.5 * options["coord_scale"] * (2 - w * h) * error
        target = ious[slot][truth] if options["rescore"] else 1.0
        terms["objectness"] += 0.5 * options["object_scale"] * (sigmoid(t_o) - target) ** 2
        entropy = math.log(sum(math.exp(z - max(logits)) for z in logits)) + max(logits)
        entropy -= logits[labels[truth]]
        weights = options["class_weights"] or [1.0] * CLASSES
        terms["class"] += options["class_scale"] * weights[labels[truth]] * entropy
    return terms


def slow_batch(head, boxes, labels, **options):
    images = [
        slow_terms(h, b, c, **options)
        for h, b, c in zip(
            head.astype(float), boxes.astype(float).tolist(), labels.tolist(), strict=True
        )
    ]
    return {name: np.array([image[name] for image in images]) for name in TERMS}


# === An image with a label and no boxes ===


def slow_probability(logits, label, tree):
    """Pr(label | object)."""
    if tree is None:
        scaled = np.exp(logits - logits.max())
        return scaled[label] / scaled.sum()
    product = 1.0
    while label >= 0:
        siblings = logits[tree.parent == tree.parent[label]]
        product *= math.exp(logits[label]) / np.exp(siblings).sum()
        label = tree.parent[label]
    return product


def slow_image_terms(head, label, tree, options, chosen=None):
    """`(terms, slot)` of one image with a label; `chosen` freezes the slot that answers."""
    options = {**DEFAULTS, "image_rule": "paper", **options}
    rows, columns = head.shape[:2]
    values = {
        (i, j, a): head[i, j, a * DEPTH : (a + 1) * DEPTH]
        for i in range(rows)
        for j in range(columns)
        for a in range(len(ANCHORS))
    }
    by_label = options["image_rule"] != "object"
    probability = {
        slot: sigmoid(v[4]) * (slow_probability(v[5:], label, tree) if by_label else 1)
        for slot, v in values.items()
    }
    chosen = max(probability, key=probability.get) if chosen is None else chosen
    terms = dict.fromkeys(TERMS, 0.0)
    weight = (options["class_weights"] or [1.0] * CLASSES)[label] * options["class_scale"]
    terms["class"] = -weight * math.log(slow_probability(values[chosen][5:], label, tree))
    if options["image_rule"] != "darknet":
        lack = max(0.3 - sigmoid(values[chosen][4]), 0)
        terms["objectness"] = 0.5 * options["object_scale"] * lack**2
    else:
        terms["no_objectness"] = sum(
            0.5 * options["noobject_scale"] * sigmoid(v[4]) ** 2
            for slot, v in values.items()
            if slot != chosen
        )
    return terms, chosen


# === Heads and truths ===


def random_truths(rng, count):
    sizes = rng.uniform(0.1, 0.8, (count, 2))
    corners = rng.uniform(0, 1, (count, 2)) * (1 - sizes)
    boxes = np.concatenate([corners, corners + sizes], axis=1).astype(np.float32)
    return boxes, rng.integers(0, CLASSES, count).astype(np.int32)


def random_head(rng, boxes, labels, rows, columns):
    """Random, but all anchors of a truth's cell nearly fit it: so some are to be ignored."""
    head = rng.normal(0, 1.5, (rows, columns, len(ANCHORS) * DEPTH))
    for (i, j, _), t in slots(boxes.tolist(), labels.tolist(), rows, columns).items():
        y_min, x_min, y_max, x_max = boxes[t].astype(float)
        x, y = (x_min + x_max) / 2 * columns - j, (y_min + y_max) / 2 * rows - i
        x, y = min(max(x, 0.02), 0.98), min(max(y, 0.02), 0.98)
        for a, (p_w, p_h) in enumerate(ANCHORS):
            fit = [
                math.log(x / (1 - x)),
                math.log(y / (1 - y)),
                math.log((x_max - x_min) * columns / p_w),
                math.log((y_max - y_min) * rows / p_h),
            ]
            head[i, j, a * DEPTH : a * DEPTH + 4] = fit + rng.normal(0, 0.1, 4)
    return head.astype(np.float32)


def scene(name, seed=0, batch=2):
    """Head `(B, rows, columns, k · (5 + C))`, boxes `(B, M, 4)` and labels `(B, M)`."""
    rng = np.random.default_rng(seed)
    rows, columns = {"wide": (2, 5), "tall": (4, 3)}.get(name, (3, 3))
    heads, all_boxes, all_labels = [], [], []
    for _ in range(batch):
        boxes, labels = random_truths(rng, 0 if name == "none" else 6)
        if name == "one slot":
            boxes[3:] = boxes[:3] + np.float32(0.002)
        elif name == "last cell":
            boxes[0] = [0.8, 0.9, 1, 1]  # in the corner (1, 1)
            boxes[1] = [0.9, 0, 1, 0.1]  # in (1, 0)
        elif name == "padded":
            labels[[1, 4, 5]] = -1
            boxes[4:] = [[1e30, -1e30, np.nan, np.inf], [0, 0, 0, 0]]
        elif name == "all padding":
            labels[:] = -1
        elif name == "degenerate":
            boxes[0] = [0.3, 0.3, 0.3, 0.3]  # a point
            boxes[1] = [0.2, 0.6, 0.7, 0.6]  # a line
            boxes[2] = [0.9, 0.9, 0.1, 0.1]  # swapped
            boxes[3] = [0.1, np.nan, 0.5, 0.5]
            boxes[4] = [0.1, 0.1, np.inf, 0.5]
        heads.append(random_head(rng, boxes, labels, rows, columns))
        all_boxes.append(boxes)
        all_labels.append(labels)
    return np.stack(heads), np.stack(all_boxes), np.stack(all_labels)
