"""Pictures of a YOLO data set and the label file of each."""

import os
import re
import reprlib
import unicodedata
from urllib.parse import unquote

from yolov2_tf.data.image_sets import role
from yolov2_tf.data.picture_finder import (
    PictureFinder,
    as_posix,
    is_picture,
    lies_in,
    walk_pictures,
    without_upload_mark,
)
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import is_hidden, names_in, written_link
from yolov2_tf.errors import InputError

NO_LABELS = re.compile(
    r"((predefined_)?classes|labels?|names|readme.*|notes?|licen[sc]e|"
    r"(train|valid?|test|trainval)((19|20)\d\d)?)\.txt",
    re.IGNORECASE,
)
"""Text files that stand beside labels and hold none."""


_LABEL_FOLDERS = ("labels", "Labels", "label", "annotations")
_OF_PICTURES = re.compile(r"(?<![a-z])(images?|imgs?)(?![a-z])", re.IGNORECASE)


def resolve(entry, folders, inside=()):
    """Finds the folder or file that a data set's description names.

    Backslashes, drive letters, `../` that leads nowhere and leading folders of another computer
    are seen through; the only folder that names an image set is never dropped.

    Args:
        entry: A path as the description states it.
        folders: Folders that it may be relative to, likeliest first.
        inside: More folders that it may lie in.

    Returns:
        A path in one of the folders, or None.

    Raises:
        InputError: If it is there, but outside these folders.
    """
    entry = as_posix(str(entry))
    absolute = entry.startswith("/")
    folders, outside = [os.path.abspath(folder) for folder in folders], None
    parts = [part for part in entry.split("/") if part not in ("", ".")]
    # Of a relative path only `..` and one folder go, e.g. the `data/` of CVAT and Darknet.
    droppable = len(parts) if absolute else parts.count("..") + 1
    for start in range(min(droppable, max(len(parts) - 1, 0)) + 1):
        if any(map(role, parts[:start])) and not any(map(role, parts[start:])):
            break  # images/ is not meant by valid/images
        for folder in folders:
            tail = entry if absolute and not start else os.path.join("", *parts[start:])
            path = os.path.normpath(os.path.join(folder, tail))
            if is_there(path):
                if lies_in(path, [*folders, *inside]):
                    return path
                outside = outside or path
    if outside is not None:
        raise InputError(
            f"{reprlib.repr(entry)} leads out of the data set, to {outside}",
            where=folders[0],
            hint=f"--images {outside}, if that is meant",
        )
    return None


def without_ups(entries, folder):
    """Image sets without the `../` before them, if one is in the description's own folder then.

    Roboflow writes `../train/images` for `train/images` of its own folder. The folder above may
    hold image sets of another data set, also those that are missing here.

    Args:
        entries: Dict from image set to a path or a list of paths.
        folder: The folder of the description.

    Returns:
        Such a dict.
    """
    own = {
        key: [re.sub(r"^(\./)*(\.\./)+", "", as_posix(str(part))) for part in parts_of(entry)]
        for key, entry in entries.items()
    }
    changed = [
        path
        for key, paths in own.items()
        for path, part in zip(paths, parts_of(entries[key]), strict=True)
        if path and path != as_posix(str(part))
    ]
    return own if any(is_there(os.path.join(folder, path)) for path in changed) else entries


def parts_of(entry):
    """The paths of an image set: a list of one, or of several."""
    return entry if isinstance(entry, list) else [entry]


def list_pictures(entry, place, root):
    """Lists the pictures of a folder or of a list of paths.

    Args:
        entry: What the description says, for messages.
        place: The folder or text file.
        root: Folder of the data set; listed paths are relative to it or to the list.

    Returns:
        Paths of pictures. Those of a list may not exist.

    Raises:
        InputError: If there are none.
    """
    place = written_link(place) or place
    if os.path.isdir(place):
        found = list(walk_pictures(place))
        if not found:
            raise InputError(f"no pictures in {place} ({entry!r})")
        return found
    if is_picture(place):
        return [place]
    if not place.lower().endswith((".txt", ".lst", ".list")):
        raise InputError(f"{entry!r} is {reprlib.repr(place)}: neither a folder nor a list")
    finder = PictureFinder([os.path.dirname(place), root], [root])
    lines = [line.strip().strip("\"'") for line in read_text(place).splitlines()]
    if not any(lines):
        raise InputError(f"an empty list ({entry!r})", where=place)
    found = finder.find_all(filter(None, lines))
    folder = os.path.dirname(place)
    return [
        found.get(line) or os.path.normpath(os.path.join(folder, as_posix(line)))
        for line in filter(None, lines)
    ]


class LabelFinder:
    """Finds the label file of a picture.

    Its place, likeliest first: see `label_places`. A name that differs by case or spelling will
    do, unless it is that of another picture beside this one.

    Attributes:
        several: Pictures that have label files in two places, and the one that is read.
    """

    def __init__(self):
        self._files, self._folders = {}, {}
        self._keys, self._stems = {}, {}
        self._taken = {}
        self.several = {}

    def find(self, picture):
        """Returns the path of a picture's label file, or None."""
        own, base = os.path.split(picture)
        stem = os.path.splitext(base)[0]
        if own not in self._folders:  # the same for all pictures in it
            folders = dict.fromkeys(map(os.path.dirname, label_places(picture)))
            self._folders[own] = tuple(filter(self._names, folders))
        found = None
        for folder in self._folders[own]:
            names = self._names(folder)
            name = f"{stem}.txt" if f"{stem}.txt" in names else self._alike(folder, stem, own)
            if name and not (folder == own and NO_LABELS.fullmatch(name)):
                if found is not None:
                    self.several[picture] = found
                    break
                self._taken.setdefault(folder, set()).add(name)
                found = os.path.join(folder, name)
        return found

    def _alike(self, folder, stem, own):
        """A file of nearly the name of a picture in the folder `own`, if it is no other's there."""
        if folder not in self._keys:
            self._keys[folder] = _by_key(sorted(self._names(folder)))
        name = self._keys[folder].get(_key(stem))
        owner = name and os.path.splitext(name)[0]
        if name is None or owner == stem:  # a.TXT
            return name
        if own not in self._stems:
            pictures = filter(is_picture, names_in(own))
            self._stems[own] = {os.path.splitext(picture)[0] for picture in pictures}
        return None if owner in self._stems[own] else name

    def left_over(self):
        """Label files that no picture has, in folders where others have theirs."""
        return [
            os.path.join(folder, name)
            for folder, taken in sorted(self._taken.items())
            for name in sorted(self._names(folder) - taken)
            if not NO_LABELS.fullmatch(name)
        ]

    def _names(self, folder):
        """Names of the text files in a folder: a set."""
        if folder not in self._files:
            texts = (name for name in names_in(folder) if name.lower().endswith(".txt"))
            self._files[folder] = {name for name in texts if not is_hidden(name)}
        return self._files[folder]


def label_places(picture):
    """Where the labels of a picture may stand, likeliest first.

    Below a folder `images` that is one `labels` in its place, or in the place of its own folder;
    elsewhere it is beside the picture. `train_images` has `train_labels` beside it, and the labels
    of `images/train` may all lie in `labels`.
    """
    stem = os.path.splitext(picture)[0]
    head, images, tail = stem.rpartition("/images/")
    folder, base = os.path.split(stem)
    above, name = os.path.split(folder)
    apart = []
    for labels in _LABEL_FOLDERS:
        apart += [f"{head}/{labels}/{tail}.txt"] if images else []
        apart += [f"{above}/{labels}/{base}.txt", f"{above}/{labels}/{name}/{base}.txt"]
        apart += [f"{os.path.dirname(above)}/{labels}/{name}/{base}.txt"]
    apart += [f"{labels}/{base}.txt" for labels in _alike_folders(folder)]
    if images and os.path.dirname(tail) and all(map(role, os.path.dirname(tail).split("/"))):
        apart += [f"{head}/{labels}/{base}.txt" for labels in _LABEL_FOLDERS]
    beside = [f"{folder}/labels/{base}.txt", f"{folder}/{base}.txt"]
    return [*apart, *beside] if images else [beside[1], beside[0], *apart]


def _alike_folders(folder):
    """Folders that are called `labels` where this one is called `images`, in words around it."""
    found = [*_OF_PICTURES.finditer(folder)]
    if not found:
        return []
    last = found[-1]
    words = ["labels", "label"]
    words = [word.upper() if last[0].isupper() else word for word in words]
    return [folder[: last.start()] + word + folder[last.end() :] for word in words]


def is_there(path):
    """Whether there is such a file or folder."""
    try:
        return os.path.exists(path)
    except ValueError:  # a null byte
        return False


def _by_key(names):
    """Label files by what their pictures may be called."""
    by_key, uploaded = {}, {}
    for name in names:
        stem = os.path.splitext(name)[0]
        by_key.setdefault(_key(stem), name)
        if plain := without_upload_mark(stem):
            uploaded.setdefault(_key(plain), []).append(name)
    # What was uploaded twice has two, of which one may be old.
    alone = {key: found[0] for key, found in uploaded.items() if len(found) == 1}
    return {**alone, **by_key}


def _key(stem):
    return unicodedata.normalize("NFC", unquote(stem)).casefold()
