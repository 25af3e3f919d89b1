"""Finds the pictures, videos, cameras and addresses that users name, without reading any."""

import collections
import dataclasses
import functools
import glob
import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from yolov2_tf.data.picture_finder import PICTURE_SUFFIXES, lies_in
from yolov2_tf.data.visible_files import walk_files
from yolov2_tf.errors import InputError

VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
        *(".wmv", ".flv", ".3gp", ".3g2", ".mts", ".m2ts", ".ogv"),
    }
)
"""Suffixes of videos. `.ts` is none of them: folders hold more programs than films of that name."""

STREAMS = ("rtsp", "rtsps", "rtmp", "rtp", "udp", "tcp")
"""Schemes of addresses that are streams whatever they end in."""

LIST_SUFFIX = ".txt"
"""Suffix of lists of pictures."""

KEPT_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"}
"""Suffixes under which a drawing is written as it was called; others become `.png`."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Something to look at.

    Attributes:
        name: What it is called in messages and results: its path, its address, or `camera 0`.
        kind: `"picture"`, `"video"`, or `"live"`: a camera or stream, which does not end.
        place: Relative path of what is made of it, with its own suffix.
        opened: What opens it: a path, an address, or the number of a camera.
    """

    name: str
    kind: str
    place: Path
    opened: str | int

    @property
    def drawn(self):
        """Relative path of the drawing: the source's own name where its format is written."""
        if self.kind != "picture":
            return self.place.with_suffix(".mp4")
        if self.place.suffix.lower() in KEPT_FORMATS:
            return self.place
        return self.place.with_suffix(".png")


def find_media(inputs, out=None):
    """What to look at: pictures and videos as named, inside named folders, cameras, addresses.

    Args:
        inputs: Paths of files and folders, `.txt` lists of paths and addresses, one a line,
            patterns such as `photos/*.jpg` (`**` for all folders below), addresses (`https://…`,
            `rtsp://…`), numbers of cameras (`0`).
        out: Folder of earlier drawings, which are left out of folders that hold it.

    Returns:
        List of `Source`, folders, lists and patterns replaced by their files, in order of name
        but for lists. No two have drawings of the same name.

    Raises:
        InputError: If a path does not exist, or a folder, list or pattern holds nothing.
    """
    return list(_distinct(_found(inputs, out, named_apart=True)))


def stream_media(inputs, out=None):
    """As `find_media`, one after the other: a folder is never in memory but for its names.

    That the inputs are there and hold something is checked at once. Drawings of one name are told
    apart only where there is an `out` to draw into.

    Returns:
        Iterator of `Source`.
    """
    collections.deque(_found(inputs, out, named_apart=False, only_first=True), maxlen=0)
    found = _found(inputs, out, named_apart=out is not None)
    return found if out is None else _distinct(found)


def _found(inputs, out, named_apart, only_first=False):
    """Yields each `Source`, or the first of each folder, list and pattern."""
    several = len(inputs) > 1
    places = _named_places(inputs) if named_apart else {}
    for given in map(str, inputs):
        path = Path(given)
        if path.is_dir():
            top = "" if given in ("", ".") else str(path)
            above = os.path.dirname(top) if several else top
            some = (_file(p, _inside(os.path.relpath(p, above or "."))) for p in _walk(top, out))
            what = "no pictures or videos in this folder"
            if _is_same(out, top):
                raise InputError(
                    "the folder of the drawings is that of the pictures",
                    where=given,
                    expected="another --out: what lies in it is taken for earlier drawings",
                )
        elif path.suffix.lower() == LIST_SUFFIX and path.exists():
            some, what = _listed(path), "no picture in this list"
        elif path.exists():
            some, what = [_file(str(path), places.get(str(path), path.name))], ""
        elif "://" in given:
            some, what = [_address(given)], ""
        elif given.isdecimal():
            camera = Source(f"camera {given}", "live", Path(f"camera{given}"), int(given))
            some, what = [camera], ""
        elif glob.has_magic(given):
            some = (_file(p, places.get(p, os.path.basename(p))) for p in _matching(given))
            what = "no pictures or videos match this pattern"
        else:
            raise InputError("no such file or folder", where=given)
        some = iter(some)
        first = next(some, None)
        if first is None:
            raise InputError(what, where=given)
        yield first
        if not only_first:
            yield from some


def _walk(folder, out):
    """Yields the paths of media in a folder and those below it, in order of their parts.

    As data sets are read: linked folders are followed once, what is hidden is left out.
    """
    real = functools.lru_cache(os.path.realpath)  # the same for all files of a folder
    drawn = [] if out is None or lies_in(real(folder), [real(out)]) else [real(out)]
    for path in walk_files(folder or "."):
        if _is_media(path) and not (drawn and lies_in(real(os.path.dirname(path)), drawn)):
            yield os.path.normpath(path)


def _is_same(out, folder):
    return out is not None and Path(out).resolve() == Path(folder or ".").resolve()


def _listed(path):
    """Yields what a list names: as it is, or beside the list where it is only there."""
    if not path.is_file():  # a pipe would be waited for
        raise InputError("no ordinary file", where=path, expected="a list of pictures")
    with open(path, encoding="utf-8-sig") as lines:
        try:
            for line in lines:
                name = line.strip()
                if "://" in name:
                    yield _address(name)
                elif name:
                    beside = path.parent / name
                    name = str(beside if beside.exists() and not os.path.exists(name) else name)
                    yield _file(name, _inside(name))
        except UnicodeDecodeError:
            raise InputError(
                "not a list of pictures", where=path, expected="UTF-8 text, a path in each line"
            ) from None


def _matching(pattern):
    """Paths of the media that match a pattern, in order of their parts."""
    found = (p for p in glob.iglob(pattern, recursive=True) if _is_media(p) and os.path.isfile(p))
    return sorted(map(os.path.normpath, found), key=lambda path: path.split(os.sep))


def _named_places(inputs):
    """Relative paths of the drawings of files that are named, or match a pattern."""
    paths = []
    for given in map(str, inputs):
        if os.path.isfile(given):
            paths.append(str(Path(given)))
        elif not os.path.exists(given) and "://" not in given and glob.has_magic(given):
            paths += _matching(given)
    return dict(zip(paths, _places([Path(path) for path in paths]), strict=True))


def _inside(path):
    """A path without what leads out of the folder that it will be relative to."""
    return Path(*(part for part in Path(path).parts if part not in ("..", os.sep)))


def _file(path, place):
    return Source(path, "video" if _is_video(path) else "picture", Path(place), path)


def named_picture(name):
    """The `Source` of a picture that is named by its path or address."""
    return Source(name, "picture", Path(), name)


def _address(given):
    parts = urlsplit(given)
    name = PurePosixPath(unquote(parts.path)).name or parts.hostname or "stream"
    place = Path(name)
    if parts.scheme in STREAMS or place.suffix.lower() in (".m3u8", ".mpd"):
        return Source(given, "live", place, given)
    if parts.scheme not in ("http", "https"):
        raise InputError(
            "an address of an unknown kind", where=given, expected=f"http, https, {STREAMS[0]}"
        )
    return Source(given, "video" if _is_video(place) else "picture", place, given)


def _places(paths):
    """Names of files, with those folders that tell files of one name apart."""
    names = [path.name for path in paths]
    if len(set(names)) == len(names):
        return [Path(name) for name in names]
    whole = [Path(os.path.abspath(path)) for path in paths]
    common = os.path.commonpath([path.parent for path in whole])
    return [path.relative_to(common) for path in whole]


def _distinct(sources):
    """Gives a number to what would be written over another: `a.gif` beside `a.png`."""
    taken = set()
    for source in sources:
        place, number = source.place, 2
        while str(source.drawn) in taken:
            place_ = place.with_name(f"{place.stem}-{number}{place.suffix}")
            source, number = dataclasses.replace(source, place=place_), number + 1
        taken.add(str(source.drawn))
        yield source


def _is_media(path):
    return _suffix(path) in PICTURE_SUFFIXES or _is_video(path)


def _is_video(path):
    return _suffix(path) in VIDEO_SUFFIXES


def _suffix(path):
    return os.path.splitext(path)[1].lower()
