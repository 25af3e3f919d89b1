"""Finds the pictures of a VOC data set: those that bear the names of its XML files."""

import collections
import os
import unicodedata
from pathlib import Path

from yolov2_tf.data.picture_finder import is_picture, walk_pictures, without_upload_mark
from yolov2_tf.data.visible_files import names_in
from yolov2_tf.errors import InputError

PICTURE_FOLDERS = ("jpegimages", "images", "image", "imgs", "img", "data")
"""Folders of these names, in any case, hold pictures; `Data/` is ImageNet's."""


class VocPictures:
    """The pictures of one folder of annotations.

    Args:
        stems: The image ids.
        groups: As of `picture_places`. Of a group the folder that has most of the pictures is
            taken; the next group is looked at only where the one before has none of them.

    Attributes:
        place: The folder that was taken, None if there are no pictures.
        several: Image ids for which more than one picture would do; the first is taken.
    """

    def __init__(self, stems, groups):
        self.several = []
        self.place, self._by_key, self._used = None, {}, set()
        keys = {name_key(stem) for stem in stems}
        self._uploaded = collections.Counter(map(without_upload_mark, stems))
        most = -1
        for group in groups:
            for place, deep in group:
                found = _pictures(place, deep)
                matched = len(keys & found.keys())
                if found and matched > most:
                    most, self.place, self._by_key = matched, place, found
                if most == len(keys):
                    break
            if most > 0 or not {*map(_base, keys)}.isdisjoint(map(_base, self._by_key)):
                break
        self._by_base = None  # seldom needed

    def find(self, stem, filename):
        """Finds the picture of an image.

        The id decides, as VOC defines it; `<filename>` is often stale. It only helps where no
        picture bears the id, or several do.

        Args:
            stem: The image id.
            filename: What the XML calls the picture; folders in it are not followed.

        Returns:
            A path, or None.
        """
        if not self._by_key:
            return None
        filename = filename.replace("\\", "/").rpartition("/")[2]
        key = name_key(stem)
        if key not in self._by_key:
            before = without_upload_mark(stem)
            before = before if self._uploaded[before] == 1 else ""
            candidates = (self._alone(name) for name in (stem, without_suffix(filename), before))
            key = next((key for key in candidates if key in self._by_key), None)
        if key is None:
            return None
        names = self._by_key[key]
        fitting = [name for name in names if os.path.basename(name) == filename]
        if len(names) > 1 and not fitting:
            self.several.append(stem)
        self._used.add(key)
        return os.path.join(self.place, (fitting or names)[0])

    def unused(self):
        """Returns paths of pictures that were not asked for."""
        return [
            os.path.join(self.place, names[0])
            for key, names in self._by_key.items()
            if key not in self._used
        ]

    def _alone(self, stem):
        """The key of the only picture whose file is called so, in whatever folder and case."""
        if self._by_base is None:
            self._by_base = {}
            for key in self._by_key:
                self._by_base.setdefault(_base(key), []).append(key)
        keys = self._by_base.get(_base(name_key(stem)), ())
        return keys[0] if len(keys) == 1 else None


def name_key(stem):
    """What makes two names the same: `/` between folders, composed letters."""
    stem = stem.replace("\\", "/").removeprefix("./")
    return stem if stem.isascii() else unicodedata.normalize("NFC", stem)


def _base(key):
    """The file's part of a key, in one case: Windows and macOS do not tell `A` from `a`."""
    return key.rpartition("/")[2].casefold()


def without_suffix(name):
    """The name without `.jpg`, `.xml` and the like; other dots stay."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() == ".xml" or is_picture(f"_{suffix}") else name


def picture_places(folder, xml_folder, images=None):
    """Where the pictures may be: those of the set itself, and what lies beside it.

    Args:
        folder: The folder of the data set.
        xml_folder: Its folder of XML files.
        images: Folder of the pictures, if it is known.

    Returns:
        Groups of pairs of a folder and whether to look in folders below, all likeliest first.

    Raises:
        InputError: If `images` holds none.
    """
    if images:
        if next(walk_pictures(images), None) is None:
            raise InputError("no pictures in this folder", where=images)
        return [[(Path(images), True)]]
    return [_own_places(folder, xml_folder), [(folder, True)], _places_beside(folder)]


def _own_places(folder, xml_folder):
    if xml_folder == folder:
        yield folder, False  # beside the XML
        yield from _named_places(folder)
        return
    bases = tuple(dict.fromkeys((folder, xml_folder.parent)))
    for base in bases:
        yield from _named_places(base)
    yield xml_folder, True
    yield from ((base, False) for base in bases)


def _places_beside(folder):
    yield from _named_places(folder.parent)
    yield folder.parent, False


def _named_places(base):
    """Folders in one that are called as those of pictures are."""
    for name in names_in(base):
        if name.lower() in PICTURE_FOLDERS and (base / name).is_dir():
            yield base / name, True


def _pictures(folder, deep):
    """Returns the pictures in a folder: a dict from key to names below it."""
    if deep:
        paths = walk_pictures(folder)
    else:
        names = filter(is_picture, names_in(folder))
        paths = (os.path.join(folder, name) for name in names)
    by_key = {}
    start = len(os.path.join(folder, ""))
    for path in paths:
        name = path[start:]
        by_key.setdefault(name_key(os.path.splitext(name)[0]), []).append(name)
    return by_key
