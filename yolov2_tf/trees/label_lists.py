"""Lists of classes as synsets of WordNet: files, folders of pictures, and those in the package."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import read_lines

WNID = re.compile(r"n\d{8}")

SHIPPED = {"coco": "coco.txt", "voc": "voc.txt"}
"""Lists in the package, each sense chosen by hand: COCO's 80 classes and VOC's 20, in their order.

VOC's and COCO's boats are water craft of any size (`vessel`, as Darknet has it), their cows cattle
of either sex, their television sets monitors too (`display`)."""

IMAGENET = Path(__file__).parent / "wnids" / "imagenet.txt"
"""The ids of ImageNet's thousand classes, in the order of Darknet's networks."""

SHOWN = 5  # problems that a message lists


class Label(NamedTuple):
    """A class.

    Attributes:
        wnid: Its synset.
        name: What the data set calls it; None if it is called by its wnid.
    """

    wnid: str
    name: str | None = None


def read_labels(source, wordnet, choose=None):
    """Reads a list of classes.

    Args:
        source: A name of `SHIPPED`; a file with a class on each line, `n02084071`, `dog=n02084071`
            or `dog`, the first two perhaps followed by words; or a folder of pictures whose
            folders or files begin with wnids, as ImageNet's do.
        wordnet: `yolov2_tf.trees.wordnet.WordNet`.
        choose: Function of a name and the wnids of its senses, the most common first, that gives
            one of these. None: a name of several senses is an error that lists them.

    Returns:
        List of `Label`, in the order of the list.

    Raises:
        InputError: If a line cannot be understood, names no noun of this WordNet or one that is
            there already, or names have several senses and nobody chooses.
    """
    if source in SHIPPED:
        source = Path(__file__).parent / "wnids" / SHIPPED[source]
    if Path(source).is_dir():
        return _checked([(wnid, wnid) for wnid in wnids_of_folder(source)], source, wordnet, None)
    lines = [(f"{source}:{n}", line.strip()) for n, line in enumerate(read_lines(source), 1)]
    return _checked(lines, source, wordnet, choose)


def wnids_of_folder(folder):
    """The wnids that folders, or else files, in a folder begin with; sorted.

    Raises:
        InputError: If there are none.
    """
    found = set()
    for _, folders, files in os.walk(folder):
        found.update(match[0] for name in folders if (match := WNID.match(name)))
        if not found:
            found.update(match[0] for name in files if (match := WNID.match(name)))
    if not found:
        raise InputError(
            "no ImageNet ids", where=folder, expected="folders such as n02084071, or such files"
        )
    return sorted(found)


def _checked(lines, source, wordnet, choose):
    labels, first, unclear = [], {}, []
    for where, line in lines:
        name, wnid = _parsed(line)
        if wnid is None:
            senses = _senses(name, wordnet, where)
            if len(senses) > 1 and choose is None:
                unclear.append((name, senses))
                continue
            wnid = senses[0] if len(senses) == 1 else choose(name, senses)
        elif wnid not in wordnet:
            raise InputError(
                f"{wnid!r} is no noun of this WordNet",
                where=where,
                expected="an id such as n02084071 from WordNet 3.0",
            )
        if first.setdefault(wnid, where) != where:
            raise InputError(f"{wnid} is there twice", where=where, hint=f"see {first[wnid]}")
        labels.append(Label(wnid, name))
    if unclear:
        shown = "; ".join(
            f"{name}: {' or '.join(sense_text(wnid, wordnet) for wnid in senses[:SHOWN])}"
            for name, senses in unclear[:SHOWN]
        )
        raise InputError(
            f"{len(unclear)} names have several senses: {shown}",
            where=source,
            expected=f"{unclear[0][0]}={unclear[0][1][0]}, a line for each",
            hint="run it in a terminal, and it asks",
        )
    return labels


def _parsed(line):
    """Name and wnid of a line, one of them perhaps None."""
    name, is_given, rest = line.rpartition("=")
    first = (rest if is_given else line).split()[:1]
    if is_given:
        return name.strip(), first[0] if first else ""
    if first and (WNID.fullmatch(first[0]) or not line):
        return None, first[0]
    return line, None


def _senses(name, wordnet, where):
    """The synsets that a name may mean: those of things, if it has such."""
    found = wordnet.senses.get("_".join(name.lower().split()), ())
    if not found:
        raise InputError(
            f"{name!r} is no noun of WordNet",
            where=where,
            expected="a word of WordNet, its id, or name=id, e.g. skis=n04228054",
        )
    root = wordnet.find("physical_entity")
    things = [wnid for wnid in found if root in wordnet.ancestors(wnid)]
    return things or list(found)


def sense_text(wnid, wordnet):
    """`n03793489 (mouse, computer mouse: a kind of electronic device)`."""
    synset = wordnet.synsets[wnid]
    words = ", ".join(word.replace("_", " ") for word in synset.words[:3])
    kinds = " and ".join(wordnet.name(up) for up in synset.hypernyms[:2])
    return f"{wnid} ({words}{f': a kind of {kinds}' if kinds else ''})"
