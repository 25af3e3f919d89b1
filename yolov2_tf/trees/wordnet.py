"""Builds label trees from WordNet's nouns (paper, section 4), and compares trees with them.

ImageNet's ids ("wnids", `n02084071`) are the offsets of synsets in `data.noun` of WordNet 3.0;
other versions have other offsets. The manual page wndb(5WN) describes the files.
"""

import dataclasses
import itertools
import os
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import WordTree, read_lines

DEBIAN_FOLDER = "/usr/share/wordnet"
"""Where Debian's package wordnet-base puts the files; $WNSEARCHDIR, WordNet's own, overrules it."""

ROOT = "physical_entity"


@dataclasses.dataclass(frozen=True, slots=True)
class Synset:
    """A set of synonyms.

    Attributes:
        words: With underscores for spaces, the most common first.
        hypernyms: Wnids of what this is a kind of (`@`), or an instance of (`@i`).
    """

    words: tuple[str, ...]
    hypernyms: tuple[str, ...]


class WordNet:
    """The nouns of WordNet.

    Args:
        synsets: `{wnid: Synset}`.
        senses: `{word: wnids, the most common sense first}`.
    """

    def __init__(self, synsets, senses):
        self.synsets = synsets
        self.senses = senses

    @classmethod
    def read(cls, folder=None):
        """Reads `data.noun` and `index.noun`.

        Args:
            folder: Where they are. Default: `$WNSEARCHDIR`, else Debian's place for them.

        Raises:
            InputError: If the files are absent or are not WordNet's.
        """
        folder = Path(folder or os.environ.get("WNSEARCHDIR", DEBIAN_FOLDER))
        data, index = folder / "data.noun", folder / "index.noun"
        for file in (data, index):
            if not file.is_file():
                raise InputError(
                    f"no {file.name}",
                    where=folder,
                    expected="the database files of WordNet 3.0",
                    hint="apt-get install wordnet-base, or --wordnet with their folder",
                )
        return cls(dict(_entries(data, _synset)), dict(_entries(index, _senses)))

    def __contains__(self, wnid):
        return wnid in self.synsets

    def __len__(self):
        return len(self.synsets)

    def name(self, wnid):
        """What people call a synset: its first word."""
        return self.synsets[wnid].words[0].replace("_", " ")

    def find(self, word):
        """The most common sense of `word`, as a wnid.

        Raises:
            InputError: If it is no noun of this WordNet.
        """
        senses = self.senses.get(word.replace(" ", "_").lower())
        if not senses:
            raise InputError(f"{word!r} is no noun of WordNet")
        return senses[0]

    def ancestors(self, wnid):
        """The hypernym closure of a synset: the set of all that it is a kind or an instance of."""
        found, ahead = set(), [wnid]
        while ahead:
            fresh = set(self.synsets[ahead.pop()].hypernyms) - found
            found |= fresh
            ahead.extend(fresh)
        return found

    def paths(self, wnid, root):
        """All hypernym paths from `root` to `wnid`, as lists of wnids that hold both ends."""
        complete, ahead = [], [[wnid]]
        while ahead:
            path = ahead.pop()
            if path[0] == root:
                complete.append(path)
                continue
            hypernyms = self.synsets[path[0]].hypernyms
            ahead.extend([up, *path] for up in reversed(hypernyms) if up not in path)
        return complete


def read_wnids(path, wordnet):
    """Reads a list of labels: a wnid on each line, perhaps followed by words.

    Raises:
        InputError: If a line has none, or one that WordNet does not know, or one twice.
    """
    lines = {}
    for number, line in enumerate(read_lines(path), start=1):
        wnid = line.split()[0] if line.strip() else ""
        if wnid not in wordnet:
            raise InputError(
                f"{wnid!r} is no noun of this WordNet",
                where=f"{path}:{number}",
                expected="an id such as n02084071 from WordNet 3.0",
            )
        if lines.setdefault(wnid, number) != number:
            raise InputError(
                f"{wnid} is there twice", where=f"{path}:{number}", hint=f"see line {lines[wnid]}"
            )
    return list(lines)


def build_tree(wnids, wordnet, root=ROOT):
    """Builds the tree of a list of labels as the paper does (section 4).

    First come the labels with a single hypernym path to the root; then each of the others with
    that of its paths that adds the fewest nodes, of several such the shortest. A label without a
    path stands right below the root. Finally, nodes that are no label and have a single child are
    replaced by that child. The 1,000 classes of ImageNet give the paper's 1,369 nodes.

    Args:
        wnids: The labels; none of them is the root.
        wordnet: `WordNet` that knows them.
        root: A word, the first sense of which is the root.

    Returns:
        `WordTree` of wnids, breadth first, siblings sorted by wnid.

    Raises:
        InputError: If the root is no noun, or one of the labels.
    """
    root = wordnet.find(root)
    if root in wnids:
        raise InputError(
            f"{root} ({wordnet.name(root)}) is the root", expected="labels below the root"
        )
    paths = {wnid: wordnet.paths(wnid, root) or [[root, wnid]] for wnid in wnids}

    parent = {}

    def cost(path):
        return sum(node not in parent for node in path[1:]), len(path)

    for wnid in sorted(wnids, key=lambda wnid: len(paths[wnid]) > 1):  # single paths first
        for up, down in itertools.pairwise(min(paths[wnid], key=cost)):
            parent.setdefault(down, up)
    return _as_tree(_collapsed(parent, set(wnids)), root)


def compare(tree, wordnet):
    """Holds a tree of wnids against WordNet.

    Args:
        tree: `WordTree`, each node with or without its proper place.
        wordnet: `WordNet`.

    Returns:
        `(unknown, wrong)`: the nodes that WordNet does not know, and those others whose parent,
        if WordNet knows it, is not in their hypernym closure.
    """
    unknown = [node for node, name in enumerate(tree.names) if name not in wordnet]
    wrong = [
        node
        for node, (name, up) in enumerate(zip(tree.names, tree.parent, strict=True))
        if up >= 0
        and name in wordnet
        and tree.names[up] in wordnet
        and tree.names[up] not in wordnet.ancestors(name)
    ]
    return unknown, wrong


# === Parts ===


def _collapsed(parent, labels):
    """`{node: parent}` without the nodes that are no label and have one child."""
    parent = dict(parent)
    children = _children(parent)
    for node in list(parent):
        if node not in labels and len(children[node]) == 1:
            (child,) = children[node]
            up = parent.pop(node)
            parent[child] = up
            children[up] = children[up] - {node} | {child}
    return parent


def _as_tree(parent, root):
    children = _children(parent)
    names, ups = [], []
    ahead = [(root, -1)]
    for wnid, number in ahead:  # grows while it runs: breadth first
        for child in sorted(children.get(wnid, ())):
            ahead.append((child, len(names)))
            names.append(child)
            ups.append(number)
    return WordTree(names, ups)


def _children(parent):
    children = {}
    for down, up in parent.items():
        children.setdefault(up, set()).add(down)
    return children


def _entries(path, parse):
    """Yields what `parse` makes of each line of a database file, the licence left out."""
    for number, line in enumerate(read_lines(path), start=1):
        if line.startswith("  "):
            continue
        try:
            yield parse(line.partition(" | ")[0].split())
        except (IndexError, ValueError):
            raise InputError(
                f"not a line of WordNet's {path.name}: {line[:60]!r}", where=f"{path}:{number}"
            ) from None


def _synset(fields):
    """`offset file type count word lex_id … count symbol offset pos source/target …`."""
    count = int(fields[3], 16)
    pointers = fields[5 + 2 * count :]
    if count < 1 or len(pointers) != 4 * int(fields[4 + 2 * count]):
        raise ValueError
    hypernyms = [
        f"n{offset}"
        for symbol, offset in zip(pointers[::4], pointers[1::4], strict=True)
        if symbol in ("@", "@i")
    ]
    return f"n{int(fields[0]):08d}", Synset(tuple(fields[4 : 4 + 2 * count : 2]), tuple(hypernyms))


def _senses(fields):
    """`word pos count … offset …`, the offsets last."""
    count = int(fields[2])
    if count < 1 or len(fields) < 5 + count:
        raise ValueError
    return fields[0], tuple(f"n{int(offset):08d}" for offset in fields[-count:])
