"""Finds the pictures that annotations name, however another tool or computer wrote the name.

One finder for all readers. A name may come with backslashes, a drive letter or the folders of
another computer, percent-encoded, in another Unicode form, in another case, without a suffix, or
with the mark that Label Studio puts before the names of what is uploaded.
"""

import itertools
import os
import re
import unicodedata
from urllib.parse import unquote

from yolov2_tf.data.image_sets import role
from yolov2_tf.data.visible_files import is_hidden, names_in, walk_files
from yolov2_tf.errors import InputError

PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".jp2"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".mpo", ".heic", ".heif", ".avif"),
)
"""Suffixes, in lower case, by which a picture file is known. Not all of them can be read: those
that cannot are named when the pictures are checked."""

_SUFFIXES = frozenset(PICTURE_SUFFIXES)
_DATE = r"(19|20)\d\d[01]\d[0-3]\d-"
_UPLOADED = re.compile(rf"(?<![^/])(?!{_DATE})[0-9a-f]{{8}}-(?=[^/]+$)")
_PLAIN = re.compile(r"(?:\w[\w .-]*/)*\w[\w.-]*")  # nothing in it that could be read otherwise


class _Ambiguous(InputError):
    """Two pictures could be meant."""


class PictureFinder:
    """Finds pictures by the names that annotations give them.

    A name is first tried as it stands in each folder, then without its first folders, then against
    the names that the folders hold in any spelling. Only then the pictures below `below` are
    compared by file name; of several the one with the longest common end of the path is meant.
    What a name says leads nowhere out of these folders, by `../` or from the root: annotations may
    be anybody's. (Links that lie in the folders are the user's own, and followed.)

    Args:
        folders: Folders to look into, likeliest first.
        below: Folders to search with all that is below them.
    """

    def __init__(self, folders, below=()):
        self._folders = [os.fspath(folder) for folder in folders]
        self._below = [os.fspath(folder) for folder in below]
        self._inside = [os.path.abspath(folder) for folder in (*self._folders, *self._below)]
        self._starts = [os.path.join(os.path.normpath(folder), "") for folder in self._folders]
        self._in_folder = {}
        self._listed, self._places_of = {}, {}
        self._found_below = None

    def find(self, name):
        """Returns the path of a picture, None if it is not there.

        Args:
            name: The picture as the annotations name it, with or without folders and suffix.

        Raises:
            InputError: If several pictures could be meant, or the name leads out of the folders.
        """
        if _PLAIN.fullmatch(name) and is_picture(name):  # nearly always; the rest of this is slow
            inner, _, base = name.rpartition("/")
            for start in self._starts:
                if base in self._files(start + inner):
                    return start + name
        names = tuple(dict.fromkeys((name, as_posix(name), unquote(as_posix(name)))))
        before = without_upload_mark(names[-1])
        for spellings in (names, (before,) if before else ()):
            for look in (self._as_it_stands, self._in_any_spelling, self._further_below):
                for spelling in spellings:
                    if path := look(spelling):
                        return path
        for spelling in names:
            self._refuse_outside(spelling)
        return None

    def find_all(self, names):
        """Finds many pictures. None is given to two names, which would be boxes of another one.

        Of several names that end at one picture those are right that lead there as they stand, and
        those that differ in spelling alone; else none of them. A name that could mean two pictures
        has none, too.

        Args:
            names: Iterable of names, as of `find`.

        Returns:
            A dict from name to path, without those that were not found.

        Raises:
            InputError: As `find`, where it raises for as many names as it finds.
        """
        found, faults = {}, []
        for name in names:
            try:
                if path := self.find(name):
                    found[name] = path
            except _Ambiguous as error:
                faults.append(error)
        if faults and len(faults) >= len(found):
            raise faults[0]
        if len(found) == len(set(found.values())):
            return found
        names_of = {}
        for name, path in found.items():
            names_of.setdefault(path, []).append(name)
        return {name: path for path, names in names_of.items() for name in self._meant(names, path)}

    def _meant(self, names, path):
        """Those of several names that a picture may have."""
        if len({_spelling(name) for name in names}) == 1:
            return names
        places = (os.path.join(folder, "") for folder in self._inside)
        whole = {_spelling(path[len(place) :]) for place in places if path.startswith(place)}
        return [name for name in names if _spelling(name) in whole]

    def _files(self, folder):
        """Names of the files in a folder: to ask for each of many costs more than to list them."""
        if folder not in self._listed:
            self._listed[folder] = _files_of(folder)
        return self._listed[folder]

    def _refuse_outside(self, name):
        """Raises if there is such a picture, elsewhere on this computer."""
        for folder in self._folders if is_picture(name) else ():
            path = os.path.normpath(os.path.join(folder, name))
            if _is_file(path):
                raise InputError(
                    f"a picture outside the data set: {path}",
                    where=name,
                    expected=f"one in {' or '.join(dict.fromkeys(self._folders))}",
                    hint=f"--images {os.path.dirname(path)}, if that is meant",
                )

    def _as_it_stands(self, name):
        if not is_picture(name):
            return None
        for place, tail in self._places(name):
            base = tail.rpartition("/")[2]
            if base in self._files(place):
                return os.path.join(place, base)
        return None

    def _places(self, name):
        """Yields folders that may hold the name, then its shorter and shorter ends, and the end."""
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        tails = [name, *("/".join(parts[start:]) for start in range(len(parts)))]
        named = _roles(_key(name).split("/")[:-1])
        for tail in dict.fromkeys(tails):
            for folder in self._folders:
                place = self._place(folder, tail.rpartition("/")[0])
                # Of a folder two names count, and whole words alone: no "my_test_project".
                parts = filter(str.isalnum, place.split(os.sep)[-2:]) if place and named else ()
                if place is not None and (tail == name or not _contradict(named, _roles(parts))):
                    yield place, tail

    def _place(self, folder, inner):
        """The folder `inner` in another, None if it leads out of all that may be looked into."""
        if (folder, inner) not in self._places_of:
            place = os.path.normpath(os.path.join(folder, inner))
            self._places_of[folder, inner] = place if lies_in(place, self._inside) else None
        return self._places_of[folder, inner]

    def _in_any_spelling(self, name):
        for place, tail in self._places(name):
            if place not in self._in_folder:
                paths = (os.path.join(place, file) for file in names_in(place))
                self._in_folder[place] = _by_key(filter(is_picture, paths))
            if found := _look_up(self._in_folder[place], tail):
                return _longest_tail(name, found)
        return None

    def _further_below(self, name):
        if self._found_below is None:
            paths = (path for folder in self._below for path in walk_pictures(folder))
            self._found_below = _by_key(dict.fromkeys(paths))
        found = _look_up(self._found_below, name)
        found = [path for path in found if not self._is_of_another_set(name, path)]
        return _longest_tail(name, found) if found else None

    def _is_of_another_set(self, name, path):
        """Whether a picture lies in `val/` where the name says `train/`, or the like."""
        folder = max((f for f in self._below if path.startswith(f)), key=len, default="")
        inside = path.removeprefix(folder)
        return _contradict(*(_roles(_key(text).split("/")[:-1]) for text in (name, inside)))


def find_pictures(names, folders, below=()):
    """Finds the pictures of a data set.

    Args:
        names: File names as the annotations state them.
        folders: Candidate folders, likeliest first.
        below: Folders to search with all that is below them, where these do not hold a picture.

    Returns:
        A dict from name to path, without those that were not found.

    Raises:
        InputError: If several pictures could be meant by one name.
    """
    return PictureFinder(folders, below).find_all(names)


def as_posix(name):
    r"""A path as this computer would write it: `C:\a\b.jpg` and `file:///a/b.jpg` to `/a/b.jpg`.

    Of web and cloud addresses (`https://host/a/b.jpg?key=1`) the path is left, and of Label
    Studio's (`/data/local-files/?d=a/b.jpg`) what follows `?d=`.
    """
    name = name.strip().replace("\\", "/").rpartition("/?d=")[2]
    if address := re.match(r"[A-Za-z][A-Za-z0-9+.-]+://[^/]*(/[^?#]*)", name):
        return address[1]
    return re.sub("^[A-Za-z]:(?=/)", "", name)


def without_upload_mark(name):
    """The name of a picture before it was uploaded to Label Studio: `a.jpg` of `3f2a1b4c-a.jpg`.

    Returns:
        `""` if it has no such mark; a date is none.
    """
    plain = _UPLOADED.sub("", name)
    return plain if plain != name else ""


def lies_in(path, folders):
    """Whether a path is one of some folders or lies below, as it is written.

    Args:
        path: A path.
        folders: Absolute paths.
    """
    path = os.path.abspath(path)
    return any(path == f or path.startswith(os.path.join(f, "")) for f in folders)


def is_picture(name):
    """Whether a file is a picture, by its suffix; hidden files (`._a.jpg`) are none."""
    base = name.rpartition("/")[2] if os.sep == "/" else os.path.basename(name)
    _, dot, suffix = base.rpartition(".")
    return not is_hidden(base) and (dot + suffix).lower() in _SUFFIXES


def walk_pictures(folder):
    """Yields the pictures in and below a folder, sorted; linked folders are followed once."""
    return (path for path in walk_files(folder) if is_picture(path))


def _by_key(paths):
    """Paths by file name in one spelling, and by stem (in a tuple, so that it is no file name)."""
    by_key = {}
    for path in paths:
        key = _key(os.path.basename(path))
        by_key.setdefault(key, []).append(path)
        by_key.setdefault((os.path.splitext(key)[0],), []).append(path)
    return by_key


def _look_up(by_key, name):
    base = _key(name).rpartition("/")[2]
    return by_key.get(base) or (() if is_picture(name) else by_key.get((base,), ()))


def _longest_tail(name, found):
    """The path whose end is most like the name."""
    if len(found) == 1:
        return found[0]
    parts = _key(name).split("/")[-2::-1]

    def likeness(path):
        folders = _key(path).split("/")[-2::-1]
        pairs = zip(parts, folders, strict=False)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
        # Letter case decides where nothing else does: a.jpg and A.jpg may both be there.
        return len(list(same)), _normal(os.path.basename(path)) == _normal(os.path.basename(name))

    best = max(map(likeness, found))
    chosen = [path for path in found if likeness(path) == best]
    if len(chosen) > 1:
        raise _Ambiguous(
            f"two pictures could be meant by {name!r}: {chosen[0]} and {chosen[1]}",
            hint="--images with the folder that is meant",
        )
    return chosen[0]


def _roles(folders):
    """What image sets folders are for, by their names."""
    return {role(folder) for folder in folders} - {None}


def _contradict(named, there):
    """Whether a name speaks of `train/` and a place of `val/`, or the like."""
    return bool(named) and bool(there) and named.isdisjoint(there)


def _key(name):
    return _normal(as_posix(name)).casefold()


def _spelling(name):
    """What is the same of `a.jpg`, `./A.JPG` and `a`."""
    key = os.path.normpath(_key(unquote(name))).lstrip("/")
    return os.path.splitext(key)[0] if is_picture(key) else key


def _normal(name):
    return unicodedata.normalize("NFC", name)


def _files_of(folder):
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except (OSError, ValueError):
        return frozenset()


def _is_file(path):
    try:
        return os.path.isfile(path)
    except ValueError:  # a null byte
        return False
