"""Makes a tree without inner nodes: one softmax over the classes, for comparison.

    python recipes/yolo9000/flat_tree.py WORD_TREE WORD_NAMES VOC_MAP LABELS OUT

writes OUT.tree, OUT.names, what people call its classes, and OUT.map.
"""

import sys
from pathlib import Path

from yolov2_tf.trees.class_maps import read_class_map, read_node_names
from yolov2_tf.trees.label_lists import wnids_of_folder
from yolov2_tf.trees.wordtree import WordTree


def main(word_tree, word_names, voc_map, labels, out):
    """The command."""
    tree = WordTree.read(word_tree)
    called = dict(zip(tree.names, read_node_names(word_names, tree), strict=True))
    boxed = [tree.names[node] for node in read_class_map(voc_map, tree)]
    names = list(dict.fromkeys([*boxed, *wnids_of_folder(labels)]))
    WordTree(names, [-1] * len(names)).write(f"{out}.tree")
    Path(f"{out}.names").write_text("".join(f"{called[wnid]}\n" for wnid in names))
    Path(f"{out}.map").write_text("".join(f"{names.index(wnid)}\n" for wnid in boxed))


if __name__ == "__main__":
    main(*sys.argv[1:])
