"""Reads pictures, videos, cameras and addresses, and writes drawn ones into a folder."""

import contextlib
import math
import os
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.drawing.media_finder import KEPT_FORMATS
from yolov2_tf.drawing.media_finder import Source as Source
from yolov2_tf.drawing.media_finder import find_media as find_media
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

MAX_DOWNLOAD = 200_000_000
"""Bytes of a picture that is downloaded at most."""


_WHOLE = 0.95
"""Of the frames and the time that a container speaks of, what makes a whole video."""


def read_media(source, tell=None):
    """Yields `(name, picture)`; a picture is `(H, W, 3)` uint8, a video yields its frames upright.

    Args:
        source: `Source`.
        tell: Function that is told, as a text, that a video ends before its time.

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
        tells = tell is not None and source.kind == "video"
        index, moment = 0, 0.0
        while True:
            read, frame = capture.read()
            if not read:
                break
            yield f"{source.name}#{index}", frame[..., ::-1]
            index += 1
            if tells:
                moment = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if not index:
            what = "shows nothing" if source.kind == "live" else "not a video that OpenCV can read"
            raise InputError(what, where=source.name)
        if tells:
            stated = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            # Frames alone do not tell: some containers know the time only, at a rate that varies.
            seconds = stated / (capture.get(cv2.CAP_PROP_FPS) or math.inf)
            if index < _WHOLE * stated and moment < _WHOLE * seconds:
                what = f"{index:,} of about {stated:,.0f} frames, then it is cut short"
                tell(f"{source.name}: {what}")
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
            format = KEPT_FORMATS[out.suffix.lower()]
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
        self._path, self._name = path, source.name
        self._rate = 25.0
        if source.kind == "video":
            capture = self._cv2.VideoCapture(source.opened)
            rate = capture.get(self._cv2.CAP_PROP_FPS)
            capture.release()
            # Containers without a rate tell 0, or one of their clock.
            self._rate = rate if math.isfinite(rate) and 0 < rate <= 480 else 25.0
        self._writer = None

    def write(self, drawn):
        # MPEG-4 has whole blocks of 2 × 2 pixels; OpenCV would cut the rest off.
        height, width, _ = drawn.shape
        drawn = np.pad(drawn, [(0, height % 2), (0, width % 2), (0, 0)], "edge")
        if self._writer is None:  # the size of the frames is known with the first
            code = self._cv2.VideoWriter_fourcc(*"mp4v")
            size = drawn.shape[1], drawn.shape[0]
            self._writer = self._cv2.VideoWriter(str(self._path), code, self._rate, size)
            if not self._writer.isOpened():
                raise InputError(
                    f"OpenCV can write no video of {width}×{height}",
                    where=self._name,
                    expected="sides of at most 8,191 pixels, and an OpenCV with MPEG-4",
                )
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
