"""Pictures, videos, cameras and addresses that users name, and drawn ones back into a folder."""

import contextlib
import dataclasses
import glob
import math
import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from PIL import Image

from yolov2_tf.data.images import PICTURE_SUFFIXES, load_image
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})

STREAMS = ("rtsp", "rtsps", "rtmp", "rtp", "udp", "tcp")
"""Schemes of addresses that are streams whatever they end in."""

MAX_DOWNLOAD = 200_000_000
"""Bytes of a picture that is downloaded at most."""

_KEPT = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"}
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
        if self.place.suffix.lower() in _KEPT:
            return self.place
        return self.place.with_suffix(".png")


def find_media(inputs, out=None):
    """What to look at: pictures and videos as named, inside named folders, cameras, addresses.

    Args:
        inputs: Paths of files and folders, patterns such as `photos/*.jpg` (`**` for all folders
            below), addresses (`https://…`, `rtsp://…`), numbers of cameras (`0`).
        out: Folder of earlier drawings, which are left out of folders that hold it.

    Returns:
        List of `Source`, folders and patterns replaced by their files in order of name. No two
        have drawings of the same name.

    Raises:
        InputError: If a path does not exist, or a folder or pattern holds nothing to look at.
    """
    found, files = [], []
    for given in map(str, inputs):
        path = Path(given)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_media(p) and not _inside(p, out))
            if not inside:
                raise InputError("no pictures or videos in this folder", where=path)
            several = len(inputs) > 1
            found += [_file(p, p.relative_to(path.parent if several else path)) for p in inside]
        elif path.exists():
            files.append((len(found), path))
            found.append(None)
        elif "://" in given:
            found.append(_address(given))
        elif given.isdecimal():
            found.append(Source(f"camera {given}", "live", Path(f"camera{given}"), int(given)))
        elif glob.has_magic(given):
            matching = sorted(Path(p) for p in glob.glob(given, recursive=True))
            matching = [p for p in matching if p.is_file() and _is_media(p)]
            if not matching:
                raise InputError("no pictures or videos match this pattern", where=given)
            files += [(len(found) + i, p) for i, p in enumerate(matching)]
            found += [None] * len(matching)
        else:
            raise InputError("no such file or folder", where=given)
    for (i, path), place in zip(files, _places([path for _, path in files]), strict=True):
        found[i] = _file(path, place)
    return _distinct(found)


def _inside(path, folder):
    return folder is not None and Path(folder).resolve() in path.resolve().parents


def _file(path, place):
    return Source(str(path), "video" if _is_video(path) else "picture", place, str(path))


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
    taken, out = set(), []
    for source in sources:
        place, number = source.place, 2
        while source.drawn in taken:
            place_ = place.with_name(f"{place.stem}-{number}{place.suffix}")
            source, number = dataclasses.replace(source, place=place_), number + 1
        taken.add(source.drawn)
        out.append(source)
    return out


def read_media(source):
    """Yields `(name, picture)`; a picture is `(H, W, 3)` uint8, a video yields its frames upright.

    Raises:
        InputError: If it cannot be read.
    """
    if source.kind == "picture":
        yield source.name, load_image(_content(source))
        return
    cv2 = _opencv(source.name)
    capture = cv2.VideoCapture(source.opened)
    if source.kind == "video":  # phones store films on their side and note that
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    try:
        index = 0
        while True:
            read, frame = capture.read()
            if not read:
                break
            yield f"{source.name}#{index}", frame[..., ::-1]
            index += 1
        if not index:
            what = "shows nothing" if source.kind == "live" else "not a video that OpenCV can read"
            raise InputError(what, where=source.name)
    finally:
        capture.release()


def _content(source):
    """What `load_image` takes: the path, or the bytes from an address."""
    if "://" not in source.opened:
        return source.opened
    return download(source.opened)


def download(address):
    """The bytes behind an address.

    Raises:
        InputError: If it does not answer, or with too much.
    """
    import requests

    try:
        with requests.get(address, timeout=30, stream=True) as answer:
            answer.raise_for_status()
            content = bytearray()
            for part in answer.iter_content(1 << 20):
                content += part
                if len(content) > MAX_DOWNLOAD:
                    raise InputError(
                        f"more than {MAX_DOWNLOAD / 1e6:.0f} MB",
                        where=address,
                        expected="a picture",
                    )
    except requests.RequestException as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"answers {status}" if status else f"does not answer ({type(error).__name__})"
        raise InputError(reason, where=address) from None
    return bytes(content)


@contextlib.contextmanager
def written_media(source, folder):
    """Yields a function that takes the drawn pictures of `source` one by one.

    Names and folders are kept: `trip/street.jpg` becomes `folder/trip/street.jpg`, a video
    `folder/clip.mp4` with all its frames at its own rate. Nothing appears before it is complete.

    Args:
        source: The `Source` that is looked at.
        folder: Where drawn ones go; None if they are not wanted.

    Raises:
        InputError: If the drawing would be written over its source.
    """
    if folder is None:
        yield lambda drawn: None
        return
    out = Path(folder) / source.drawn
    if source.kind != "live" and _same_file(out, source.opened):
        raise InputError("would be written over", where=source.name, hint="another --out")
    with replacing(out) as path:
        if source.kind == "picture":
            format = _KEPT[out.suffix.lower()]
            options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
            options = {"quality": 95} if format == "WEBP" else options
            yield lambda drawn: Image.fromarray(drawn).save(path, format, **options)
        else:
            writer = _VideoWriter(path, source)
            try:
                yield writer.write
            finally:
                writer.close()


def _same_file(out, opened):
    return out.exists() and os.path.exists(opened) and os.path.samefile(out, opened)


class _VideoWriter:
    def __init__(self, path, source):
        self._cv2 = _opencv(source.name)
        self._path = path
        self._rate = 25.0
        if source.kind == "video":
            capture = self._cv2.VideoCapture(source.opened)
            rate = capture.get(self._cv2.CAP_PROP_FPS)
            capture.release()
            # Containers without a rate tell 0, or one of their clock.
            self._rate = rate if math.isfinite(rate) and 0 < rate <= 480 else 25.0
        self._writer = None

    def write(self, drawn):
        if self._writer is None:  # the size of the frames is known with the first
            code = self._cv2.VideoWriter_fourcc(*"mp4v")
            size = drawn.shape[1], drawn.shape[0]
            self._writer = self._cv2.VideoWriter(str(self._path), code, self._rate, size)
        self._writer.write(drawn[..., ::-1].copy())

    def close(self):
        if self._writer is not None:
            self._writer.release()


class Window:
    """A window that shows what was drawn, until somebody closes it.

    Raises:
        InputError: If this OpenCV has no windows.
    """

    TITLE = "yolov2"

    def __init__(self):
        self._cv2 = _opencv("--show")

    def show(self, drawn, *, wait):
        """Shows a picture.

        Args:
            drawn: `(H, W, 3)` uint8 RGB.
            wait: Whether to wait for a key, as for single pictures.

        Returns:
            False if `q` or Escape asked for the end.
        """
        try:
            self._cv2.imshow(self.TITLE, drawn[..., ::-1].copy())
            key = self._cv2.waitKey(0 if wait else 1) & 0xFF
        except self._cv2.error as error:
            raise InputError(
                "OpenCV can open no window here",
                where="--show",
                hint="a desktop, and: pip install opencv-python in place of the headless one",
            ) from error
        return key not in (ord("q"), 27)

    def close(self):
        """Closes the window."""
        with contextlib.suppress(self._cv2.error):
            self._cv2.destroyAllWindows()


def _is_media(path):
    return path.suffix.lower() in PICTURE_SUFFIXES or _is_video(path)


def _is_video(path):
    return path.suffix.lower() in VIDEO_SUFFIXES


def _opencv(where):
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "videos and cameras need OpenCV",
            where=where,
            hint="pip install opencv-python-headless",
        ) from error
    return cv2
