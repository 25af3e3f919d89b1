"""What keeps the classes that never had a box back: boxes, or names.

    python recipes/yolo9000/names.py MODEL SETS [SIDE] [PICTURES]

Looks at some pictures that score, one object each, as SIDE × SIDE (128). Told are the shares of
pictures of which any box, and of which the surest one, overlaps the object by half, and of which
the surest box has the right leaf of the tree as its likeliest or among its five likeliest. Of a
classifier only its leaves are told.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from yolov2_tf.boxes import iou
from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.decoding import DecodeNodes
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.models.loading import load_model


def main(model, sets, side=128, count=400):
    """Prints one line."""
    model, side = load_model(model), int(side)
    detects = isinstance(model, DetectionModel)
    head = model.head if detects else find_classification_head(model)
    leaves = head.tree.leaves.tolist()
    look = boxes_of(model, leaves) if detects else classes_of(model, head, leaves)
    dataset = open_dataset(Path(sets) / "scored", images=Path(sets) / "scored/images")
    chosen = np.random.default_rng(0).permutation(len(dataset))[: int(count)]
    rows = []
    for i in chosen:
        record = dataset.records[i]
        truth = leaves.index(head.tree.names.index(dataset.class_names[record.labels[0]]))
        image = tf.image.resize(load_image(record.image), (side, side))
        overlaps, scores = look(image[None], np.asarray(record.boxes)[:1])
        rows.append((*overlaps, np.sum(scores > scores[truth])))
    *overlaps, rank = np.array(rows).T
    said = [f"{len(rows)} pictures at {side} px"]
    for which, overlap in zip(("any box", "the surest"), overlaps, strict=False):
        said.append(f"{which} overlaps by half {np.mean(overlap >= 0.5):.3f}")
    said.append(f"leaf right {np.mean(rank == 0):.3f}, among five {np.mean(rank < 5):.3f}")
    print("; ".join(said), f"of {len(leaves)}")


def boxes_of(model, leaves):
    """A function that gives the best box's and the surest's overlap, and the surest's leaves."""
    decode = DecodeNodes(model.head.anchors, model.head.tree, leaves)

    def look(images, truth):
        boxes, scores = (one[0].numpy() for one in decode(model(images, training=False)))
        overlaps = iou(boxes, truth)
        surest = scores.sum(axis=1).argmax()  # all leaves together have the objectness
        return (overlaps.max(), overlaps[surest]), scores[surest]

    return look


def classes_of(model, head, leaves):
    """A function that gives no overlaps, and the leaves of a classifier."""

    def look(images, _):
        return (), head.probabilities(model(images, training=False)).numpy().reshape(-1)[leaves]

    return look


if __name__ == "__main__":
    main(*sys.argv[1:])
