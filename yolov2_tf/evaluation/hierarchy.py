"""What counts as right where classes are nodes of a label tree."""

import dataclasses

import numpy as np


def with_ancestors(dataset, detections, tree, *, every_node=False):
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
        every_node: Whether boxes were scored by every node that counts, as Darknet does with a
            `map`: then a detection stands for its own node alone, with the score that this has.

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
    if every_node:
        return dataclasses.replace(dataset, records=records), detections
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


def of_classes(dataset, detections, tree, classes, *, every_node=False):
    """Turns nodes of a tree into the classes of a data set, for who knows no tree.

    As for `with_ancestors`, a detection of `hound` is one of the class whose node is `dog`; what is
    less deep than every class is left out.

    Args:
        dataset: `Dataset` whose labels are nodes.
        detections: As `yolov2_tf.evaluation.detections.evaluate` takes them, with nodes as labels.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        classes: Dict from the name of each class to its node; several may share one.
        every_node: As for `with_ancestors`.

    Returns:
        `(dataset, detections)` with these classes as labels; the data set is without its boxes.
    """
    at = {}
    for label, node in enumerate(classes.values()):
        at.setdefault(int(node), []).append(label)
    named = []
    for found in detections:
        rows, labels = [], []
        for row, node in enumerate(np.asarray(found["labels"], int)):
            for place in [node] if every_node else tree.paths[node]:
                some = at.get(int(place), [])
                rows += [row] * len(some)
                labels += some
        rows, labels = np.array(rows, int), np.array(labels, np.int32)
        boxes, scores = (np.asarray(found[key])[rows] for key in ("boxes", "scores"))
        named.append({"boxes": boxes, "labels": labels, "scores": scores})
    records = [
        dataclasses.replace(r, boxes=r.boxes[:0], labels=r.labels[:0], ignore=r.ignore[:0])
        for r in dataset.records
    ]
    return dataclasses.replace(dataset, class_names=tuple(classes), records=records), named


SUPERVISION = ("boxes", "below one with boxes", "never a box")
"""How classes of a network that was trained jointly were taught."""


def by_supervision(ap, tree, boxed):
    """Mean AP of the classes by how a joint training taught them.

    The paper's split of ImageNet detection's 200 classes, "44 that it has seen in COCO" and 156
    others, is not published. With Darknet's `inet9k.map` and `coco9k.map` 38 have a node of COCO's,
    18 more lie below one.

    Args:
        ap: `(nodes,)` AP of each node, NaN where there are no truths.
        tree: `yolov2_tf.trees.wordtree.WordTree`.
        boxed: Nodes that had boxes in training.

    Returns:
        Dict from those of `SUPERVISION` that occur to `(mean AP, number of classes)`; a class
        belongs to the first that fits.
    """
    ap, boxed = np.asarray(ap, float), set(map(int, boxed))
    groups = {name: [] for name in SUPERVISION}
    for node in np.flatnonzero(~np.isnan(ap)):
        above = {int(up) for up in tree.paths[node] if up >= 0} - {int(node)}
        name = SUPERVISION[0 if node in boxed else 1 if above & boxed else 2]
        groups[name].append(ap[node])
    return {name: (float(np.mean(some)), len(some)) for name, some in groups.items() if some}
