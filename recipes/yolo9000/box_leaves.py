"""Trains as `yolov2` does, but tells boxes apart by leaves of their own: a trial, see the docs.

    python recipes/yolo9000/box_leaves.py tree SETS
    python recipes/yolo9000/box_leaves.py SHARE|constant train OPTIONS...
    python recipes/yolo9000/box_leaves.py SETS/own.map train --model JOINT/model.keras OPTIONS...

The first writes SETS/own.tree and own.names: SETS/word.tree with a leaf `WNID-other`, "other dog",
below each inner class of SETS/voc.map. `own.map` names these leaves, to train on, `above.map` the
classes, to score.

The second line is a joint training with `--tree-logits leaves --spare --map SETS/own.map`. The
softmax of a box's class is over the leaves of boxes, and beside them over all others: counted SHARE
times (0: boxes are told apart among themselves alone), or whole and without a gradient
(`constant`).

The third goes on with such a network, with `--map SETS/above.map` and without `--spare`: only what
the last convolution has for these leaves trains, and a box's class is told apart from all others.
"""

import math
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from yolov2_tf.cli import main as yolov2
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.trees.class_maps import read_class_map, read_node_names
from yolov2_tf.trees.wordtree import WordTree


def write_tree(sets):
    """Writes the tree, its names and both maps."""
    tree = WordTree.read(sets / "word.tree")
    called = dict(zip(tree.names, read_node_names(sets / "word.names", tree), strict=True))
    boxed = read_class_map(sets / "voc.map", tree).tolist()
    rows = []
    for node, (name, up) in enumerate(zip(tree.names, tree.parent.tolist(), strict=True)):
        above = tree.names[up] if up >= 0 else None
        rows.append((name, above))
        if up in boxed and node == tree.children(up)[-1]:
            rows.append((f"{above}-other", above))
            called[f"{above}-other"] = f"other {called[above]}"
    at = {name: number for number, (name, _) in enumerate(rows)}
    parents = [-1 if above is None else at[above] for _, above in rows]
    WordTree([name for name, _ in rows], parents).write(sets / "own.tree")
    (sets / "own.names").write_text("".join(f"{called[name]}\n" for name, _ in rows))
    names = [tree.names[node] for node in boxed]
    own = [at.get(f"{name}-other", at[name]) for name in names]
    (sets / "own.map").write_text("".join(f"{node}\n" for node in own))
    (sets / "above.map").write_text("".join(f"{at[name]}\n" for name in names))


def class_term(share):
    """The loss' class term for boxes; `share` is a number, or None for constants."""

    def term(self, matched, matches, labels):
        labels, logits = tf.maximum(labels, 0), matched[..., 5:]
        leaves = self.tree.leaves.tolist()
        boxed = [leaf for leaf in leaves if leaf in self.box_classes]
        others = [leaf for leaf in leaves if leaf not in self.box_classes]
        entropy = tf.reduce_logsumexp(tf.gather(logits, boxed, axis=-1), axis=-1)
        if share != 0:
            rest = tf.reduce_logsumexp(tf.gather(logits, others, axis=-1), axis=-1)
            rest = tf.stop_gradient(rest) if share is None else rest + math.log(share)
            entropy = tf.reduce_logsumexp(tf.stack([entropy, rest], axis=-1), axis=-1)
        entropy -= tf.gather(logits, labels, batch_dims=2)
        entropy = tf.where(matches.kept > 0, entropy, 0.0)
        return tf.reduce_sum(self._class_weight(labels) * entropy, axis=1)

    return term


def hold_all_but(leaves_file):
    """Lets only the logits of some leaves train in what `DetectionTask` begins or goes on with."""
    compile_all, go_on = DetectionTask.compile, DetectionTask.go_on

    def compile_few(task, model, *arguments):
        hold(model, read_class_map(leaves_file, model.head.tree).tolist())
        compile_all(task, model, *arguments)

    def go_on_with_few(task, model, *arguments):
        hold(model, read_class_map(leaves_file, model.head.tree).tolist())
        go_on(task, model, *arguments)

    DetectionTask.compile, DetectionTask.go_on = compile_few, go_on_with_few


def hold(model, leaves):
    """Holds all of a network but the logits of some leaves."""
    head = model.head
    every = head.tree.leaves.tolist()
    columns = np.zeros((len(head.anchors), 5 + len(every)), np.float32)
    columns[:, [5 + every.index(leaf) for leaf in leaves]] = 1
    learning = tf.constant(columns.reshape(-1))
    for layer in model.layers:
        layer.trainable = layer is head
    for variable in head.trainable_variables:
        before = tf.constant(variable.numpy())
        # Keras' optimizers give an updated variable to its constraint.
        variable.constraint = lambda after, before=before: tf.where(learning > 0, after, before)


if __name__ == "__main__":
    how, *arguments = sys.argv[1:]
    if how == "tree":
        write_tree(Path(*arguments))
    else:
        if how.endswith(".map"):
            hold_all_but(how)
        else:
            YOLOv2Loss._class = class_term(None if how == "constant" else float(how))
        sys.argv[1:] = arguments
        yolov2()
