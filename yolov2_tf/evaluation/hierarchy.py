"""What counts as right where classes are nodes of a label tree."""

import dataclasses

import numpy as np


def with_ancestors(dataset, detections, tree):
    """Makes every box stand for the ancestors of its label too, as Open Images is evaluated.

    A hound is a dog: a detection of `hound` is also one of `dog`, and ground truth `hound` is also
    ground truth `dog`. Only classes that ground truth boxes carry themselves are scored. A
    detection deeper than the ground truth therefore matches it, and counts as a false positive of
    its own class if that class is scored; a detection less deep misses the ground truth, and
    matches the ancestor if that class is scored.

    Args:
        dataset: `Dataset` whose labels are nodes.
        detections: As `yolov2_tf.evaluation.detections.evaluate` takes them, with nodes as labels.
        tree: `yolov2_tf.trees.wordtree.WordTree`.

    Returns:
        `(dataset, detections)` in which a box may occur several times, with one label each.
    """
    counted = np.zeros(len(tree), bool)
    for record in dataset.records:
        counted[record.labels[~record.ignore]] = True
    records = []
    for record in dataset.records:
        row, labels = _expand(record.labels, tree, counted)
        boxes, ignore = record.boxes[row], record.ignore[row]
        records.append(dataclasses.replace(record, boxes=boxes, labels=labels, ignore=ignore))
    expanded = []
    for found in detections:
        row, labels = _expand(found["labels"], tree, counted)
        boxes, scores = (np.asarray(found[key])[row] for key in ("boxes", "scores"))
        expanded.append({"boxes": boxes, "labels": labels, "scores": scores})
    return dataclasses.replace(dataset, records=records), expanded


def _expand(labels, tree, counted):
    """For each counted node on the paths to n labels: which of the n it is of, and the node."""
    paths = tree.paths[np.asarray(labels, int)]
    row, level = np.nonzero((paths >= 0) & counted[paths])
    return row, paths[row, level]
