"""Label trees (paper, section 4, "Hierarchical classification"): the tree itself, in NumPy.

What is computed with a tree on tensors is in `yolov2_tf.trees.group_softmax`.
"""

import functools
import re
from pathlib import Path

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

MAX_DEPTH = 100
"""Levels of a tree; WordNet has 20. Paths take nodes × levels, which a chain would make huge."""


class WordTree:
    """Classes as the nodes of a tree; the children of one node exclude each other.

    The root, "physical object", is no node: its probability is the objectness in detection and 1
    in classification. Nodes are numbered in the order of the file. Children of one node follow
    each other and form a group, over which a softmax runs; group 0 holds the children of the root.

    Args:
        names: The names of the nodes, without white space, e.g. WordNet ids.
        parent: For each node the number of its parent, -1 for children of the root.
        source: Where the tree comes from, for messages.

    Attributes:
        names: Tuple of str.
        parent: `(nodes,)` int32, -1 for children of the root.
        depth: `(nodes,)` int32, 0 for children of the root.
        group: `(nodes,)` int32, the group that the node is in.
        group_offset: `(groups,)` int32, the first node of each group.
        group_size: `(groups,)` int32, the number of its nodes.
        child_group: `(nodes,)` int32, the group of the node's children, -1 for leaves.

    Raises:
        InputError: If this is no tree, a parent does not stand before its children, siblings do
            not stand together, or it has more than `MAX_DEPTH` levels.
    """

    def __init__(self, names, parent, source=None):
        names, parent = list(names), list(parent)
        _check(names, parent, source)
        self.names = tuple(names)
        self.parent = _frozen(parent)

        starts = np.diff(self.parent, prepend=-2) != 0
        self.group = _frozen(np.cumsum(starts) - 1)
        self.group_offset = _frozen(np.flatnonzero(starts))
        self.group_size = _frozen(np.diff(self.group_offset, append=len(self)))
        child_group = np.full(len(self), -1)
        child_group[self.parent[self.group_offset[1:]]] = np.arange(1, len(self.group_size))
        self.child_group = _frozen(child_group)
        self.depth = _frozen(_depths(names, parent, source))

    def __len__(self):
        return len(self.names)

    def __eq__(self, other):
        if not isinstance(other, WordTree):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.parent, other.parent)

    def __hash__(self):
        return hash(self.names)

    def __repr__(self):
        return f"WordTree({len(self):,} nodes, {len(self.group_size):,} groups)"

    @functools.cached_property
    def leaves(self):
        """`(leaves,)` int32, the nodes without children."""
        return _frozen(np.flatnonzero(self.child_group < 0))

    @functools.cached_property
    def paths(self):
        """`(nodes, levels)` int32: each node's ancestors and itself, by depth, padded with -1."""
        paths = np.full((len(self), self.depth.max() + 1), -1)
        row = node = np.arange(len(self))
        while len(node):
            paths[row, self.depth[node]] = node
            row, node = row[self.parent[node] >= 0], self.parent[node]
            node = node[node >= 0]
        return _frozen(paths)

    def children(self, node):
        """The nodes (a `range`) below `node`; those below the root for -1."""
        group = 0 if node < 0 else self.child_group[node]
        if group < 0:
            return range(0)
        first = int(self.group_offset[group])
        return range(first, first + int(self.group_size[group]))

    @functools.cached_property
    def _nodes(self):
        return {name: node for node, name in enumerate(self.names)}

    # === Files and configs ===

    @classmethod
    def read(cls, path):
        """Reads a tree file: one `name parent` line per node (Darknet's src/tree.c, `read_tree`).

        Raises:
            InputError: If it cannot be read or is no valid tree, with the line.
        """
        names, parent = [], []
        for number, line in enumerate(read_lines(path), start=1):
            fields = line.split()
            if len(fields) != 2 or not re.fullmatch(r"-?[0-9]{1,9}", fields[1]):
                raise InputError(
                    f"not a node of a tree: {line[:60]!r}",
                    where=f"{path}:{number}",
                    expected="a name and the number of its parent's line, from 0, or -1",
                )
            names.append(fields[0])
            parent.append(int(fields[1]))
        return cls(names, parent, source=path)

    def write(self, path):
        """Writes the tree as a file that `read` and Darknet read."""
        lines = [f"{name} {up}\n" for name, up in zip(self.names, self.parent, strict=True)]
        with replacing(path) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")

    def to_config(self):
        """The tree as JSON-ready values, for the config of a Keras layer."""
        return {"names": list(self.names), "parent": self.parent.tolist()}

    @classmethod
    def from_config(cls, config):
        """The tree of a config made by `to_config`."""
        return cls(config["names"], config["parent"])


def as_tree(tree):
    """The `WordTree` that `tree` is, or whose config it is; None stays None.

    Raises:
        InputError: If it is something else, such as the path of a file.
    """
    if isinstance(tree, dict):
        return WordTree.from_config(tree)
    if not isinstance(tree, WordTree | None):
        raise InputError(f"tree is {tree!r}", expected="a WordTree", hint="WordTree.read(path)")
    return tree


def read_lines(path):
    """The lines of a UTF-8 text file, without the empty ones at its end.

    Raises:
        InputError: If it cannot be opened, is not UTF-8 or holds nothing.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=path) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError("not UTF-8 text", where=f"{path}:{line}") from None
    if not text.strip():
        raise InputError("the file is empty", where=path)
    # Not str.splitlines, which also splits at form feeds and Unicode's line separators.
    return [line.removesuffix("\r") for line in text.rstrip().split("\n")]


def _check(names, parent, source):
    """Raises an InputError that names the line if `names` and `parent` are no valid tree."""
    nodes = len(names)
    if not nodes or len(parent) != nodes:
        raise InputError(
            f"{nodes} names and {len(parent)} parents", where=source, expected="a parent per node"
        )

    def where(node):
        return f"node {node}" if source is None else f"{source}:{node + 1}"

    first_named = {}
    first_child = {}
    for node, (name, up) in enumerate(zip(names, parent, strict=True)):
        if not name or name.split() != [name]:
            raise InputError(
                f"{name!r} is no name", where=where(node), expected="no white space in it"
            )
        if first_named.setdefault(name, node) != node:
            raise InputError(
                f"{name} is there twice", where=where(node), hint=f"see {where(first_named[name])}"
            )
        if not -1 <= up < nodes:
            raise InputError(
                f"parent {up} of {name} is out of range",
                where=where(node),
                expected=f"-1 for the root, or 0 to {nodes - 1}",
            )
        if up >= node:
            raise _misplaced(names, parent, node, where)
        if first_child.setdefault(up, node) != node and parent[node - 1] != up:
            of = "the root (parent -1)" if up < 0 else names[up]
            raise InputError(
                f"{name} stands apart from the other children of {of}",
                where=where(node),
                expected="children of one node on consecutive lines",
                hint=f"move it to {where(first_child[up])}",
            )


def _depths(names, parent, source):
    """The depth of each node, 0 for children of the root; refuses a tree that is too deep."""
    depths = []
    for node, up in enumerate(parent):
        depths.append(0 if up < 0 else depths[up] + 1)
        if depths[-1] >= MAX_DEPTH:
            raise InputError(
                f"{names[node]} lies {depths[-1] + 1} levels deep",
                where=f"node {node}" if source is None else f"{source}:{node + 1}",
                expected=f"at most {MAX_DEPTH} levels",
            )
    return depths


def _misplaced(names, parent, node, where):
    """The error for a node whose parent does not stand before it."""
    place = {}  # in the chain of ancestors, which ends at the root or runs in a circle
    up = node
    while 0 <= up < len(names) and up not in place:
        place[up] = len(place)
        up = parent[up]
    if up in place:
        circle = list(place)[place[up] :]
        shown = " -> ".join(names[i] for i in [*circle[:5], circle[0]])
        return InputError(f"a circle of parents: {shown}", where=where(circle[0]))
    return InputError(
        f"{names[node]} stands before its parent {names[parent[node]]}",
        where=where(node),
        expected=f"a line after {where(parent[node])}",
    )


def _frozen(values):
    array = np.asarray(values, np.int32)
    array.flags.writeable = False
    return array
