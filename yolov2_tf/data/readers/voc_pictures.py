"""Finds the pictures of a VOC data set: those that bear the names of its XML files."""

import os
import unicodedata
from pathlib import Path

from yolov2_tf.data.picture_finder import is_picture, walk_pictures
from yolov2_tf.errors import InputError

PICTURE_FOLDERS = ("jpegimages", "images", "image", "imgs", "img", "data")
"""Folders of these names, in any case, hold pictures; `Data/` is ImageNet's."""


class VocPictures:
    """The pictures of one folder of annotations.

    Args:
        stems: The image ids.
        places: Pairs of a folder in which they may be and whether to look below it too, likeliest
            first. The one that has most of them is taken.

    Attributes:
        several: Image ids for which more than one picture would do; the first is taken.
    """

    def __init__(self, stems, places):
        self.several = []
        self._place, self._by_key, self._used = None, {}, set()
        keys = {name_key(stem) for stem in stems}
        most = -1
        for place, deep in places:
            found = _pictures(place, deep)
            matched = len(keys & found.keys())
            if found and matched > most:
                most, self._place, self._by_key = matched, place, found
            if most == len(keys):
                break
        self._by_name = {}
        for key in self._by_key:
            self._by_name.setdefault(key.rpartition("/")[2], []).append(key)

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
            candidates = (self._alone(stem), self._alone(without_suffix(filename)))
            key = next((key for key in candidates if key in self._by_key), None)
        if key is None:
            return None
        names = self._by_key[key]
        fitting = [name for name in names if os.path.basename(name) == filename]
        if len(names) > 1 and not fitting:
            self.several.append(stem)
        self._used.add(key)
        return os.path.join(self._place, (fitting or names)[0])

    def unused(self):
        """Returns paths of pictures that were not asked for."""
        return [
            os.path.join(self._place, names[0])
            for key, names in self._by_key.items()
            if key not in self._used
        ]

    def _alone(self, stem):
        """The key of the only picture whose file is called like this, in whatever folder."""
        keys = self._by_name.get(name_key(stem).rpartition("/")[2], ())
        return keys[0] if len(keys) == 1 else None


def name_key(stem):
    """What makes two names the same: `/` between folders, composed letters."""
    stem = stem.replace("\\", "/").removeprefix("./")
    return stem if stem.isascii() else unicodedata.normalize("NFC", stem)


def without_suffix(name):
    """The name without `.jpg`, `.xml` and the like; other dots stay."""
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() == ".xml" or is_picture(f"_{suffix}") else name


def picture_places(folder, xml_folder, images=None):
    """Yields folders in which the pictures may be, and whether to look in folders below.

    Args:
        folder: The folder of the data set.
        xml_folder: Its folder of XML files.
        images: Folder of the pictures, if it is known.

    Raises:
        InputError: If `images` holds none.
    """
    if images:
        if next(walk_pictures(images), None) is None:
            raise InputError("no pictures in this folder", where=images)
        yield Path(images), True
        return
    bases = tuple(dict.fromkeys((folder, xml_folder.parent, folder.parent)))
    for base in bases:
        for sub in sorted(base.iterdir()):
            if sub.name.lower() in PICTURE_FOLDERS and sub.is_dir():
                yield sub, True
    yield xml_folder, xml_folder != folder
    for base in bases:
        yield base, False


def _pictures(folder, deep):
    """Returns the pictures in a folder: a dict from key to names below it."""
    if deep:
        paths = walk_pictures(folder)
    else:
        names = filter(is_picture, sorted(os.listdir(folder)))
        paths = (os.path.join(folder, name) for name in names)
    by_key = {}
    start = len(os.path.join(folder, ""))
    for path in paths:
        name = path[start:]
        by_key.setdefault(name_key(os.path.splitext(name)[0]), []).append(name)
    return by_key
