"""What a reader of a `.tflite` file has to do, read plainly: loops in float64, a box at a time.

Nothing of the package is used, so a fault there cannot hide here.
"""

import itertools
import math

import numpy as np

CANDIDATES_PER_DETECTION = 4
GREY = 127.5
LEAST_SIDE = 1e-4
MARGIN = 0.015  # float32 and float64 decide alike what is so far from a threshold


def letterboxed(height, width, size):
    """Rows, columns, first row and first column of a picture in the network's square."""
    longest = max(height, width)
    rows, columns = (max(math.floor(side * size / longest + 0.5), 1) for side in (height, width))
    return rows, columns, (size - rows) // 2, (size - columns) // 2


def placed(description, height, width):
    """Where the picture lies in the square, see `letterboxed`."""
    size = description["input_size"]
    if description["resize"] == "stretch":
        return size, size, 0, 0
    return letterboxed(height, width, size)


def pixel(picture, place, row, column):
    """One pixel of the network's square: bilinear, half-pixel centres, or grey beside it."""
    rows, columns, top, left = place
    if not (top <= row < top + rows and left <= column < left + columns):
        return [GREY] * 3
    height, width, _ = picture.shape
    y = (row - top + 0.5) * height / rows - 0.5
    x = (column - left + 0.5) * width / columns - 0.5
    values = np.zeros(3)
    for below, right in itertools.product((0, 1), repeat=2):
        weight = (y % 1 if below else 1 - y % 1) * (x % 1 if right else 1 - x % 1)
        near_y = min(max(math.floor(y) + below, 0), height - 1)
        near_x = min(max(math.floor(x) + right, 0), width - 1)
        values += weight * picture[near_y, near_x]
    return values.tolist()


def overlap(a, b):
    """Intersection over union of two boxes, none of them thinner than `LEAST_SIDE`."""
    a, b = (
        (*box[:2], max(box[2], box[0] + LEAST_SIDE), max(box[3], box[1] + LEAST_SIDE))
        for box in (a, b)
    )
    height = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    width = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return height * width / (areas - height * width)


def clipped(box):
    """A box cut off at 0 and 1."""
    return [min(max(side, 0), 1) for side in box]


def suppressed(found, description, threshold):
    """The best of overlapping boxes: `found` and the answer are lists of (box, label, score)."""
    most = description["max_detections"]
    found = [(clipped(box), label, score) for box, label, score in found if score > threshold]
    found = sorted(found, key=lambda one: -one[2])[: CANDIDATES_PER_DETECTION * most]
    kept = []
    for box, label, score in found:
        rivals = [other for other, name, _ in kept if name == label or not description["per_class"]]
        overlaps = [overlap(box, other) for other in rivals]
        far = all(abs(each - description["iou_threshold"]) > MARGIN for each in overlaps)
        assert far, "an overlap too near to the threshold"
        if all(each <= description["iou_threshold"] for each in overlaps):
            kept.append((box, label, score))
    return kept[:most]


def candidates(description, outputs):
    """All that the outputs hold, as (box, label, score), boxes in the network's square."""
    tensor = {name: np.array(o["values"]).reshape(o["shape"])[0] for name, o in outputs.items()}
    if description["nms"]:
        places = range(int(tensor["number of detections"]))
        return [(tensor["location"][i], int(tensor["category"][i]), tensor["score"][i])
                for i in places]  # fmt: skip
    boxes, scores = tensor["boxes"], tensor["scores"]
    if description["tree"]:
        return [*zip(boxes, tensor["labels"].tolist(), scores, strict=True)]
    return [(box, label, score) for box, row in zip(boxes, scores, strict=True)
            for label, score in enumerate(row.tolist())]  # fmt: skip


def detections(description, outputs, shape, threshold):
    """What a reader of this description has to find in these outputs.

    Args:
        description: Dict, the content of `yolov2.json`.
        outputs: Dict of the outputs by name, each with `shape` and `values`.
        shape: `(height, width)` of the picture.
        threshold: Detections score above this.

    Returns:
        List of dicts of `box`, as fractions of the picture, `label`, `name` and `score`.
    """
    found = candidates(description, outputs)
    assert all(abs(score - threshold) > MARGIN for _, _, score in found)
    if description["nms"]:
        found = [one for one in found if one[2] > threshold]
    else:
        found = suppressed(found, description, threshold)
    rows, columns, top, left = placed(description, *shape)
    size = description["input_size"]
    answer = []
    for box, label, score in found:
        pixels = [side * size for side in box]
        in_picture = [
            (pixels[0] - top) / rows,
            (pixels[1] - left) / columns,
            (pixels[2] - top) / rows,
            (pixels[3] - left) / columns,
        ]
        answer.append(
            {
                "box": [round(float(side), 7) for side in clipped(in_picture)],
                "label": label,
                "name": description["class_names"][label],
                "score": round(float(score), 7),
            }
        )
    return answer
