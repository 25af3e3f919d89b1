"""Descriptions of YOLO data sets: which classes, which image sets, where.

A description is a YAML file (`train:`, `val:`, `names:`), Darknet's `obj.data`, or nothing but a
folder with `classes.txt`, as labelImg and Label Studio leave it.
"""

import collections
import dataclasses
import itertools
import os
import re
import reprlib
from pathlib import Path

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.picture_finder import as_posix, walk_pictures
from yolov2_tf.data.readers.csv_cells import is_number
from yolov2_tf.data.readers.yolo_classes import (
    NAMES_FILES,
    class_id,
    find_names_file,
    numbered,
    read_names,
)
from yolov2_tf.data.readers.yolo_files import (
    LabelFinder,
    is_there,
    list_pictures,
    parts_of,
    resolve,
    without_ups,
)
from yolov2_tf.data.readers.yolo_rows import split_rows
from yolov2_tf.data.readers.yolo_yaml import load_yaml
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import visible
from yolov2_tf.errors import InputError

SETS = ("train", "val", "valid", "validation", "test")
"""Keys of image sets in a description."""

_OTHERS = "other"
"""The image set of pictures in other folders, where some lie in `train/` and the like."""

_VOTERS = 20  # label files: the first may have a typo, or be damaged


@dataclasses.dataclass
class YoloSets:
    """A YOLO data set as described.

    Attributes:
        where: The description, for messages.
        root: Folder of the data set.
        names: Class names by class id; None where nothing names them.
        pictures: Paths of pictures by image set; the only set may be called `""`.
        keypoints: Numbers of key points in a row of labels, None where there are none.
        absent: Image sets that the description names and that cannot be read, and why.
        notes: What was seen through or left out.
    """

    where: Path
    root: str
    names: dict[int, str] | None
    pictures: dict[str, list[str]]
    keypoints: int | None = None
    absent: dict[str, InputError] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)


def from_yaml(path, images=None):
    """Reads a description in YAML.

    Args:
        path: The file: `path` (root, default its own folder), image sets (`SETS`: folders, lists of
            pictures in a text file, or several of these), `names`, `nc`, `kpt_shape`.
        images: Root folder, in place of `path` in the file.

    Returns:
        `YoloSets`.

    Raises:
        InputError: If something is missing or malformed.
    """
    content, notes = load_yaml(path)
    sets = YoloSets(
        path, _root(content, path, images), _names(content, path), {}, _keypoints(content, path)
    )
    sets.notes += notes
    entries = entries_of(content)
    if not entries:
        raise InputError("no image sets", where=path, expected="train, val or test")
    folder = os.path.abspath(path.parent)
    if not content.get("path"):
        entries = without_ups(entries, sets.root)
    _fill(sets, entries, [sets.root, folder], _around(folder))
    return sets


def entries_of(content):
    """What a description says of its image sets: a dict from their names, `Train` of CVAT, too."""
    named = {key: value for key, value in content.items() if value and key.lower() in SETS}
    return dict(sorted(named.items(), key=lambda entry: SETS.index(entry[0].lower())))


def from_darknet(path, images=None):
    """Reads Darknet's description, `key = value` lines (`train`, `valid`, `names`, `classes`).

    Args:
        path: The file, e.g. `obj.data`.
        images: Root folder of the listed pictures.

    Returns:
        `YoloSets`.

    Raises:
        InputError: If something is missing or malformed.
    """
    lines = [line.split("#")[0].partition("=") for line in read_text(path).splitlines()]
    content = {key.strip(): value.strip() for key, equals, value in lines if equals}
    folder = os.path.abspath(path.parent)
    folders = [folder, os.path.dirname(folder)]
    names_file = resolve(content["names"], folders) if content.get("names") else None
    if names_file is not None:
        names = read_names(names_file)
    elif content.get("classes", "").isdecimal():
        names = numbered(content["classes"], path)
    else:
        raise InputError("neither 'names' nor 'classes'", where=path, expected="names = obj.names")
    sets = YoloSets(path, os.path.abspath(images or folder), names, {})
    entries = entries_of(content)
    if not entries:
        raise InputError("no image sets", where=path, expected="train = train.txt")
    _fill(sets, entries, [sets.root, *folders])
    return sets


def from_folder(folder, images=None):
    """Describes a folder of pictures and label files by what lies in it.

    Pictures belong to the image set whose name a folder on their way bears (`images/train`,
    `valid/images`), or which lists them (`train.txt`); those beside such folders are another one.

    Args:
        folder: The folder.
        images: Folder of the pictures, if it is another.

    Returns:
        `YoloSets`.

    Raises:
        InputError: If there are no pictures.
    """
    root = os.path.abspath(images or folder)
    named = find_names_file(folder)
    sets = YoloSets(folder, root, read_names(named) if named else None, {})
    if named is None:
        sets.notes.append("nothing names the classes (classes.txt): they are called by number")
    lists = {
        path.stem: str(path)
        for path in visible(folder, "*.txt")
        if role(path.stem) and not NAMES_FILES.fullmatch(path.name) and _lists_pictures(path)
    }
    if lists:
        _fill(sets, lists, [root])
        return sets
    for path in walk_pictures(root):
        parts = os.path.relpath(path, root).split(os.sep)[:-1]
        name = next((part for part in parts if role(part)), "")
        sets.pictures.setdefault(name, []).append(path)
    if not sets.pictures:
        raise InputError("no pictures", where=root, hint="--images with their folder")
    if len(sets.pictures) > 1 and "" in sets.pictures:
        sets.pictures[_OTHERS] = sets.pictures.pop("")
    return sets


def holds_labels(folder):
    """Whether a folder has pictures with YOLO label files: the first that are not empty vote.

    Where all that are found are damaged it has, too: the reader names the file and the line.
    """
    pictures = itertools.islice(walk_pictures(folder), 300)
    voices = filter(None, map(_voice, filter(None, map(LabelFinder().find, pictures))))
    votes = collections.Counter(itertools.islice(voices, _VOTERS))
    return bool(votes) and votes["yes"] >= votes["no"]


def _voice(path):
    """What a label file says to being one of YOLO, by its first row; None where it has no rows."""
    try:
        text = read_text(path, "cp1252")
    except InputError:
        return "unclear"
    if "\0" in text:  # what a crash of the computer leaves of a file
        return "unclear"
    row = next(split_rows(text, collections.Counter()), None)
    if row is None:
        return None
    _, label, fields = row
    numbers = sum(map(is_number, fields))
    if class_id(label) is None or numbers < 2 or numbers * 2 < len(fields):
        return "no"
    return "yes" if 4 <= numbers == len(fields) else "unclear"


def _names(content, path):
    names = content.get("names")
    names = None if names in ("", "~", "null") else names
    file = resolve(names, [os.path.abspath(path.parent)]) if isinstance(names, str) else None
    if file is not None and os.path.isfile(file):
        names = list(read_names(file).values())
    if names is None and str(content.get("nc", "")).isdecimal():
        return numbered(content["nc"], path)
    if isinstance(names, list):
        names = dict(enumerate(names))
    elif isinstance(names, dict) and all(re.fullmatch(r"\d{1,9}", str(key)) for key in names):
        names = {int(key): name for key, name in sorted(names.items(), key=lambda n: int(n[0]))}
    elif isinstance(names, dict):
        raise InputError(
            f"the keys of 'names' are {listing([reprlib.repr(key) for key in names])}",
            where=path,
            expected="class numbers",
        )
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise InputError("'names' is missing, or no list of names", where=path)
    counts = {str(len(names)), str(max(names, default=-1) + 1)}
    if content.get("nc", str(len(names))) not in counts:
        raise InputError(f"'nc' is {content['nc']}, but there are {len(names)} names", where=path)
    return names


def _keypoints(content, path):
    shape = content.get("kpt_shape")
    if shape is None:
        return None
    try:
        count, numbers = map(int, shape)
    except (TypeError, ValueError):
        count, numbers = 0, 0
    if count < 1 or numbers not in (2, 3):
        raise InputError(f"'kpt_shape' is {reprlib.repr(shape)}", where=path, expected="[17, 3]")
    return count * numbers


def _root(content, path, images):
    folder = os.path.abspath(path.parent)
    if images:
        return os.path.abspath(images)
    root, around = content.get("path"), _around(folder)
    if not isinstance(root, str) or not root:
        return folder
    places = [folder]
    if not as_posix(root).startswith("/") and not _holds_a_set(folder, content):
        # Ultralytics looks in the folder that one works in, and in its `datasets`.
        places += [os.path.join(place, "datasets") for place in (folder, *around)] + around
    found = resolve(root, places, around)
    # Files made elsewhere often state a folder of that machine.
    return found if found and os.path.isdir(found) else folder


def _holds_a_set(folder, content):
    parts = (part for entry in entries_of(content).values() for part in parts_of(entry))
    return any(is_there(os.path.join(folder, as_posix(str(part)))) for part in parts)


def _around(folder):
    """The folder above as a list: descriptions often lie in one beside the pictures'."""
    above = os.path.dirname(folder)
    return [] if above == os.path.dirname(above) else [above]


def _fill(sets, entries, folders, inside=()):
    """Lists the pictures of every image set; those that are not there go to `absent`."""
    for key, entry in entries.items():
        pictures = []
        try:
            for part in parts_of(entry):
                place = resolve(part, folders, inside)
                if place is None:
                    raise InputError(
                        f"{key!r} is {reprlib.repr(part)}: neither a folder nor a list of pictures",
                        where=sets.where,
                        hint=f"a path relative to {sets.root}",
                    )
                pictures += list_pictures(key, place, sets.root)
        except InputError as error:
            sets.absent[key] = error
        else:
            sets.pictures[key] = list(dict.fromkeys(pictures))
    if not sets.pictures:
        raise next(iter(sets.absent.values()))


def _lists_pictures(path):
    """Whether the first lines of a text file are names of pictures."""
    lines = [line.strip() for line in read_text(path, "cp1252").splitlines() if line.strip()]
    return bool(lines) and bool(re.search(r"\.\w{3,5}[\"']?$", lines[0]))
