"""Pictures and raw outputs of every kind of file, each with what has to be found in them."""

import itertools

import numpy as np
from definition import GREY, detections, pixel, placed, suppressed

FLAT = ["cat", "dog", "Vögel"]
TREE_CLASSES = ["animal", "plant", "cat", "dog", "Vögel"]
TREE = {"names": ["n1", "n2", "n3", "n4", "n5"], "parent": [-1, -1, 0, 0, 0]}
QUANTIZATIONS = ("none", "fp16", "dynamic", "int8")
VERSION = 2
DETECTIONS = ["location", "category", "score", "number of detections"]
OUTPUTS = {
    "nms/flat": DETECTIONS,
    "nms/tree": DETECTIONS,
    "no-nms/flat": ["boxes", "scores"],
    "no-nms/tree": ["boxes", "scores", "labels"],
}
FORMS = tuple(OUTPUTS)
MODES = ("stretch", "letterbox")
SIZES = {"wide": (7, 13), "tall": (11, 5), "square": (8, 8), "line": (1, 9)}  # height, width

# Boxes of the network's square with a label (flat, tree) and a score.
SCENE = (
    ((0.10, 0.10, 0.50, 0.40), (0, 2), 0.90),
    ((0.12, 0.11, 0.52, 0.42), (0, 2), 0.80),  # the same object again
    ((0.12, 0.12, 0.50, 0.41), (1, 0), 0.70),  # at the same place, of another class
    ((0.45, 0.55, 0.85, 1.05), (2, 4), 0.60),  # leaves the square
    ((0.55, 0.60, 0.90, 0.96), (2, 4), 0.50),  # overlaps the last one by a half
    ((0.05, 0.70, 0.20, 0.90), (1, 1), 0.12),  # too weak
    ((0.60, 0.05, 0.90, 0.30), (1, 3), 0.60),  # as strong as another: the earlier one goes first
)


def make_pictures():
    """Small pictures whose pixels all differ: dict of `(H, W, 3)` arrays."""
    random = np.random.default_rng(13)
    return {
        name: random.integers(0, 256, (height, width, 3)) for name, (height, width) in SIZES.items()
    }


def make_case(place, form, mode, quantization, pictures):
    """One good case; `place`, its number, decides its picture, its sizes and its numbers."""
    nms, tree = form.startswith("nms"), form.endswith("tree")
    description = {
        "class_names": TREE_CLASSES if tree else FLAT,
        "anchors": [[1.0, 1.5], [3.0, 2.0]],
        "input_size": (32, 64, 96)[place % 3],
        "resize": mode,
        "per_class": True,
        "tree": TREE if tree else None,
        "nms": nms,
        "score_threshold": 0.005,
        "iou_threshold": 0.45,
        "max_detections": 8,
        "tree_threshold": 0.5,
        "writer": "yolov2_tf 0.1.0",
        "quantization": quantization,
    }
    if place % 2:  # the others are of version 1, which had neither of these
        description |= {"outputs": OUTPUTS[form], "version": VERSION}
    picture = ("wide", "tall", "line", "wide")[place % 4]
    case = {
        "name": f"{form}/{mode}/{quantization}",
        "description": description,
        "picture": picture,
        "threshold": (0.25, 0.3, 0.4)[place // 4 % 3],
        "outputs": raw_outputs(description, np.random.default_rng(place)),
    }
    return finished(case, pictures)


def finished(case, pictures):
    """The case with what the network has to get, and what has to be found."""
    description, picture = case["description"], pictures[case["picture"]]
    size, integers = description["input_size"], description["quantization"] == "int8"
    place = placed(description, *picture.shape[:2])
    middle = size // 2
    spots = [(0, 0), (middle, middle), (middle - 3, middle + 2), (size - 1, middle), (3, size - 1)]
    values = [pixel(picture, place, *spot) for spot in spots]
    if integers:  # halves to even; those that are not exact must not be near to a half
        assert all(v == GREY or abs(v % 1 - 0.5) > 1e-3 for value in values for v in value)
        values = [[round(v) for v in value] for value in values]
    case["input"] = {
        "type": "uint8" if integers else "float32",
        "shape": [1, size, size, 3],
        "pixels": [[*spot, *(round(v, 4) for v in value)]
                   for spot, value in zip(spots, values, strict=True)],
    }  # fmt: skip
    found = detections(description, case["outputs"], SIZES[case["picture"]], case["threshold"])
    return {**case, "detections": found}


def raw_outputs(description, random):
    """The outputs of a network that sees `SCENE`, a little moved."""
    tree = description["tree"] is not None
    count = len(SCENE)
    boxes = np.array([box for box, _, _ in SCENE]) + random.uniform(-0.004, 0.004, (count, 4))
    boxes = boxes.round(4)
    labels = np.array([label[tree] for _, label, _ in SCENE])
    best = np.array([score for _, _, score in SCENE])
    if description["nms"]:
        found = [*zip(boxes, labels.tolist(), best, strict=True)]
        found = suppressed(found, description, description["score_threshold"])
        return suppressed_outputs(found, description["max_detections"])
    if tree:
        return tensors(boxes=boxes, scores=best, labels=labels)
    scores = random.uniform(0.01, 0.1, (count, len(FLAT))).round(3)
    scores[np.arange(count), labels] = best
    scores[6, 0] = 0.55  # one box, two classes
    return tensors(boxes=boxes, scores=scores)


def suppressed_outputs(found, most):
    """As the graph orders its detections. What lies in unused places means nothing."""
    location = np.full((most, 4), 0.25)
    category, score = np.zeros(most), np.full(most, 0.99)
    for place, (box, label, confidence) in enumerate(found):
        location[place], category[place], score[place] = box, label, confidence
    outputs = tensors(location=location, category=category, score=score)
    count = {"type": "float32", "shape": [1], "values": [float(len(found))]}
    return {**outputs, "number of detections": count}


def tensors(**arrays):
    """Outputs by name, each with a batch dimension of 1."""
    return {
        name: {
            "type": "int32" if name == "labels" else "float32",
            "shape": [1, *array.shape],
            "values": array.ravel().tolist(),
        }
        for name, array in arrays.items()
    }


def crowd(case, pictures):
    """More overlapping boxes than the suppression looks at: the last one is not reached."""
    description = {**case["description"], "max_detections": 2}
    boxes = np.array([[0.1, 0.1, 0.5, 0.5]] * 8 + [[0.6, 0.6, 0.9, 0.9]])
    scores = np.full((9, len(FLAT)), 0.01)
    scores[:, 1] = np.linspace(0.9, 0.5, 9)
    outputs = tensors(boxes=boxes, scores=scores.round(3))
    case = {**case, "name": "crowd", "description": description, "outputs": outputs}
    return finished(case, pictures)


def outside(case, pictures):
    """Two boxes that are one inside the square, and would be two if they were not cut off first."""
    boxes = np.array([[-1.0, 0.2, 0.5, 0.6], [0.1, 0.2, 0.5, 0.6]])
    scores = np.array([[0.01, 0.8, 0.01], [0.01, 0.7, 0.01]])
    case = {**case, "name": "outside the square", "outputs": tensors(boxes=boxes, scores=scores)}
    return finished(case, pictures)


def thin(case, pictures):
    """Boxes without an area: twice the same is one object, and what lies elsewhere is another."""
    line, point, beside = [0.3, 0.1, 0.3, 0.6], [0.5, 0.5, 0.5, 0.5], [-0.4, 0.2, -0.1, 0.6]
    boxes = np.array([line, line, [0.31, 0.1, 0.31, 0.6], point, point, beside, beside])
    scores = np.full((7, len(FLAT)), 0.01)
    scores[:, 2] = np.linspace(0.9, 0.6, 7)
    case = {**case, "name": "thin boxes", "outputs": tensors(boxes=boxes, scores=scores.round(3))}
    return finished(case, pictures)


def make_cases(pictures):
    """All good cases."""
    kinds = itertools.product(FORMS, MODES, QUANTIZATIONS)
    cases = [make_case(place, *kind, pictures) for place, kind in enumerate(kinds)]
    plain = next(case for case in cases if case["name"] == "no-nms/flat/stretch/none")
    empty = {**plain, "name": "nothing found", "threshold": 0.95}
    square = {**plain, "name": "square picture", "picture": "square"}
    more = (crowd(plain, pictures), outside(plain, pictures), thin(plain, pictures))
    return [*cases, *more, finished(empty, pictures), finished(square, pictures)]
