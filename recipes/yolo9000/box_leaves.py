"""Trains as `yolov2` does, but tells boxes apart by leaves of their own: a trial, see the docs.

    python recipes/yolo9000/box_leaves.py tree SETS         writes SETS/own.tree, own.map, above.map
    python recipes/yolo9000/box_leaves.py SHARE|constant COMMAND OPTIONS...

The tree is SETS/word.tree with a leaf `WNID-other` below each inner class of SETS/voc.map:
`own.map` names these leaves, to train on, `above.map` the classes, to score. COMMAND is `train`,
with `--tree-logits leaves --spare`. The softmax of a box's class is over the leaves of boxes, and
beside them over all others: counted SHARE times, or whole and without a gradient (`constant`).
"""

import math
import sys
from pathlib import Path

import tensorflow as tf

from yolov2_tf.cli import main as yolov2
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.trees.class_maps import read_class_map
from yolov2_tf.trees.wordtree import WordTree


def write_tree(sets):
    """Writes the tree and both maps."""
    tree = WordTree.read(sets / "word.tree")
    boxed = read_class_map(sets / "voc.map", tree).tolist()
    rows = []
    for node, (name, up) in enumerate(zip(tree.names, tree.parent.tolist(), strict=True)):
        above = tree.names[up] if up >= 0 else None
        rows.append((name, above))
        if up in boxed and node == tree.children(up)[-1]:
            rows.append((f"{above}-other", above))
    at = {name: number for number, (name, _) in enumerate(rows)}
    parents = [-1 if above is None else at[above] for _, above in rows]
    WordTree([name for name, _ in rows], parents).write(sets / "own.tree")
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
        all_boxes = tf.reduce_logsumexp(tf.gather(logits, boxed, axis=-1), axis=-1)
        rest = tf.reduce_logsumexp(tf.gather(logits, others, axis=-1), axis=-1)
        rest = tf.stop_gradient(rest) if share is None else rest + math.log(share)
        entropy = tf.reduce_logsumexp(tf.stack([all_boxes, rest], axis=-1), axis=-1)
        entropy -= tf.gather(logits, labels, batch_dims=2)
        entropy = tf.where(matches.kept > 0, entropy, 0.0)
        return tf.reduce_sum(self._class_weight(labels) * entropy, axis=1)

    return term


if __name__ == "__main__":
    how, *arguments = sys.argv[1:]
    if how == "tree":
        write_tree(Path(*arguments))
    else:
        YOLOv2Loss._class = class_term(None if how == "constant" else float(how))
        sys.argv[1:] = arguments
        yolov2()
