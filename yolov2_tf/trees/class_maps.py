"""Which node of a tree stands for each class of a data set, and what people call the nodes."""

import re

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import read_lines


def read_node_names(path, tree):
    """Reads what people call the nodes, one per line, such as `9k.names`.

    Returns:
        Tuple of str, one per node of `tree`.

    Raises:
        InputError: If the file has not one line for each node.
    """
    lines = read_lines(path)
    if len(lines) != len(tree):
        raise InputError(
            f"{len(lines):,} names", where=path, expected=f"{len(tree):,}, one for each node"
        )
    return tuple(line.strip() for line in lines)


def read_class_map(path, tree, class_names=None):
    """Reads which node stands for each class of a data set, such as `coco9k.map`.

    Args:
        path: File with the number of a node on each line, in the order of the classes.
        tree: The tree.
        class_names: The classes of the data set, if their number is to be checked.

    Returns:
        `(classes,)` int32.

    Raises:
        InputError: If a line is not the number of a node, or their count is not the classes'.
    """
    nodes = []
    for number, line in enumerate(read_lines(path), start=1):
        digits = line.strip()
        if not re.fullmatch("[0-9]{1,9}", digits) or int(digits) >= len(tree):
            raise InputError(
                f"not the number of a node: {line[:60]!r}",
                where=f"{path}:{number}",
                expected=f"0 to {len(tree) - 1}",
            )
        nodes.append(int(digits))
    if class_names is not None and len(nodes) != len(class_names):
        raise InputError(
            f"{len(nodes)} nodes", where=path, expected=f"{len(class_names)}, one for each class"
        )
    return np.array(nodes, np.int32)


def match_classes(class_names, tree, node_names=None, *, takes_map=False):
    """Finds the node of each class of a data set by its name.

    Args:
        class_names: Names of nodes (WordNet ids), or of `node_names`. In the latter, case counts
            for nothing and an underscore is a space.
        tree: The tree.
        node_names: What people call the nodes, one per node.
        takes_map: Whether who asks takes a map file in place of names, for the message.

    Returns:
        `(classes,)` int32.

    Raises:
        InputError: If a class has no node, or several nodes have its name.
    """
    candidates = {}
    for node, name in enumerate(node_names or ()):
        candidates.setdefault(_plain(name), []).append(node)

    nodes, problems = [], []
    for name in class_names:
        found = [tree._nodes[name]] if name in tree._nodes else candidates.get(_plain(name), [])
        if len(found) != 1:
            others = " and ".join(tree.names[node] for node in found[:3])
            problems.append(f"{name} (could be {others})" if found else name)
        nodes.extend(found[:1])
    if problems:
        raise InputError(
            f"no single node for {len(problems)} of the classes: {', '.join(problems[:5])}",
            hint="the names that the tree file has"
            + (", or --map FILE with the number of each class's node" if takes_map else ""),
        )
    return np.array(nodes, np.int32)


def _plain(name):
    return " ".join(name.replace("_", " ").casefold().split())
