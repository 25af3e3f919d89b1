"""What keeps the classes that never had a box back: boxes, or names.

    python recipes/yolo9000/names.py MODEL SETS [SIDE] [PICTURES]

Looks at some pictures that score, one object each, as SIDE × SIDE (128). Told are the shares of
pictures of which any box, and of which the surest one, overlaps the object by half, and of which
the surest box has the right leaf of the tree as its likeliest or among its five likeliest.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from yolov2_tf.boxes import iou
from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.decoding import DecodeNodes
from yolov2_tf.models.loading import load_model


def main(model, sets, side=128, count=400):
    """Prints one line."""
    model = load_model(model)
    head = model.head
    leaves = head.tree.leaves.tolist()
    decode = DecodeNodes(head.anchors, head.tree, leaves)
    dataset = open_dataset(Path(sets) / "scored", images=Path(sets) / "scored/images")
    chosen = np.random.default_rng(0).permutation(len(dataset))[: int(count)]
    rows = [look(model, decode, leaves, dataset, dataset.records[i], int(side)) for i in chosen]
    best, surest, rank = np.array(rows).T
    print(
        f"{len(rows)} pictures at {side} px: any box overlaps by half {np.mean(best >= 0.5):.3f}, "
        f"the surest {np.mean(surest >= 0.5):.3f}; its leaf is right {np.mean(rank == 0):.3f}, "
        f"among five {np.mean(rank < 5):.3f}, of {len(leaves)}"
    )


def look(model, decode, leaves, dataset, record, side):
    """Overlap of the best and of the surest box; how many leaves are likelier than the truth."""
    image = tf.image.resize(load_image(record.image), (side, side))
    boxes, scores = (one[0].numpy() for one in decode(model(image[None], training=False)))
    overlaps = iou(boxes, np.asarray(record.boxes)[:1])
    surest = scores.sum(axis=1).argmax()  # all leaves together have the objectness
    truth = leaves.index(model.head.tree.names.index(dataset.class_names[record.labels[0]]))
    return overlaps.max(), overlaps[surest], np.sum(scores[surest] > scores[surest, truth])


if __name__ == "__main__":
    main(*sys.argv[1:])
