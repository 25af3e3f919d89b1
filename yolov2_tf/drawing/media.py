"""Pictures and videos from the user's folders, and drawn ones back into a folder."""

import contextlib
from pathlib import Path

from PIL import Image

from yolov2_tf.data.images import PICTURE_SUFFIXES, load_image
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})


def find_media(inputs):
    """Files to look at: pictures and videos as named, and those inside named folders.

    Args:
        inputs: Paths of files and folders.

    Returns:
        List of `Path`, folders replaced by their pictures and videos in order of name.

    Raises:
        InputError: If a path does not exist or a folder holds nothing to look at.
    """
    found = []
    for path in map(Path, inputs):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_media(p))
            if not inside:
                raise InputError("no pictures or videos in this folder", where=path)
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError("no such file or folder", where=path)
    return found


def read_media(path):
    """Yields `(name, picture)`; a picture is `(H, W, 3)` uint8, a video yields its frames.

    Raises:
        InputError: If the file cannot be read.
    """
    if not _is_video(path):
        yield str(path), load_image(str(path))
        return
    cv2 = _opencv(path)
    capture = cv2.VideoCapture(str(path))
    try:
        index = 0
        while True:
            read, frame = capture.read()
            if not read:
                break
            yield f"{path}#{index}", frame[..., ::-1]
            index += 1
        if not index:
            raise InputError("not a video that OpenCV can read", where=path)
    finally:
        capture.release()


@contextlib.contextmanager
def written_media(source, folder):
    """Yields a function that takes the drawn pictures of `source` one by one.

    `street.jpg` becomes `folder/street.jpg.png`, `street.avi` `folder/street.avi.mp4`; neither
    appears before it is complete.

    Args:
        source: The file that is looked at.
        folder: Where drawn ones go; None if they are not wanted.
    """
    if folder is None:
        yield lambda drawn: None
    elif _is_video(source):
        with replacing(_place(folder, source, ".mp4")) as path:
            writer = _VideoWriter(path, source)
            try:
                yield writer.write
            finally:
                writer.close()
    else:
        with replacing(_place(folder, source, ".png")) as path:
            yield lambda drawn: Image.fromarray(drawn).save(path)


class _VideoWriter:
    def __init__(self, path, source):
        self._cv2 = _opencv(source)
        self._path = path
        capture = self._cv2.VideoCapture(str(source))
        self._rate = capture.get(self._cv2.CAP_PROP_FPS) or 25.0
        capture.release()
        self._writer = None

    def write(self, drawn):
        if self._writer is None:  # the size of the frames is known with the first
            code = self._cv2.VideoWriter_fourcc(*"mp4v")
            size = drawn.shape[1], drawn.shape[0]
            self._writer = self._cv2.VideoWriter(str(self._path), code, self._rate, size)
        self._writer.write(drawn[..., ::-1])

    def close(self):
        if self._writer is not None:
            self._writer.release()


def _place(folder, source, suffix):
    # The whole name, so that a.jpg and a.png beside one another both get a place.
    return Path(folder) / f"{source.name}{suffix}"


def _is_media(path):
    return path.suffix.lower() in PICTURE_SUFFIXES or _is_video(path)


def _is_video(path):
    return path.suffix.lower() in VIDEO_SUFFIXES


def _opencv(path):
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "videos need OpenCV", where=path, hint="pip install opencv-python-headless"
        ) from error
    return cv2
