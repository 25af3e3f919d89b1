"""Detections as the rows that `yolov2 predict` writes: a JSON list, or a line for each picture."""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there
    fcntl = None

LINES_SUFFIX = ".jsonl"
"""Suffix of files with a JSON value in each line."""


def as_row(name, found, class_names):
    """A value for `json.dumps`: `{"image", "detections": [{"box", "label", "score"}, …]}`.

    Args:
        name: Name of the picture.
        found: Dict of `boxes`, `labels` and `scores` as every detector gives it.
        class_names: What the labels index.
    """
    detections = [
        {
            "box": [round(float(side), 5) for side in box],
            "label": class_names[label],
            "score": round(float(score), 5),
        }
        for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True)
    ]
    return {"image": name, "detections": detections}


@contextlib.contextmanager
def json_list(path):
    """Yields a function that takes rows; in the end they are there as one indented list.

    Args:
        path: A file, or `-` for standard output. It stays as it was if the block raises.
    """
    with contextlib.ExitStack() as stack:
        if path == "-":
            file = stack.enter_context(tempfile.TemporaryFile("w+"))
        else:
            temporary = stack.enter_context(replacing(path))
            file = stack.enter_context(open(temporary, "w"))
        before = "[\n"

        def write(row):
            nonlocal before
            file.write(before + json.dumps([row], indent=2)[2:-2])
            before = ",\n"

        yield write
        file.write("[]\n" if before == "[\n" else "\n]\n")
        if path == "-":
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout)


class JsonLines:
    """A file with a row in each line, which is there as soon as it is written.

    Args:
        path: The file, or `-` for standard output.
        resume: Whether to go on with a file that is there: a last line that was only half written
            is cut off.

    Attributes:
        done: Names of the pictures that have a row already: answers `name in lines.done`.

    Raises:
        InputError: If there is something in the file and it is not to be gone on with, a line is
            no row, or another process is writing it.
    """

    def __init__(self, path, *, resume=False):
        self.done = _Names(())
        if path == "-":
            self._file = sys.stdout
            return
        self._path = Path(path)
        self._made = [folder for folder in self._path.parents if not folder.exists()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "a+b")  # noqa: SIM115
        try:
            _lock(self._file, path)
            if os.path.getsize(path):
                if not resume:
                    raise InputError("is there and not empty", where=path, hint=_HINT)
                self.done = _Names(_rows(self._file, path))
        except BaseException:
            self._file.close()  # it is not empty, or somebody else's
            raise

    def write(self, row):
        """Writes a row: whatever happens to this process then, it is there."""
        line = json.dumps(row) + "\n"
        self._file.write(line if self._file is sys.stdout else line.encode())
        self._file.flush()

    def close(self):
        """Closes the file; takes it away again if nothing was written."""
        if self._file is sys.stdout:
            return
        if not os.fstat(self._file.fileno()).st_size:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                for folder in self._made:
                    folder.rmdir()
        self._file.close()


_BEGINNING = b'{"image": '
# Of a line: what was half written is told from files of others by it.
_HINT = "--resume, which goes on with it, or another file"


def _lock(file, path):
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(
            "another process is writing it", where=path, hint="wait for its end, or another file"
        ) from None


def _rows(file, path):
    """Yields the names in a file of rows; cuts off the last line if it is not whole."""
    file.seek(0)
    for number, line in enumerate(file, start=1):
        try:
            if not line.endswith(b"\n") and _BEGINNING[: len(line)] == line[: len(_BEGINNING)]:
                file.truncate(file.tell() - len(line))
                return
            yield json.loads(line)["image"]
        except (ValueError, KeyError, TypeError):
            raise InputError(
                "not what predict writes", where=f"{path}:{number}", expected='{"image": …}'
            ) from None


class _Names:
    """Which names there are, in 16 bytes for each of them."""

    def __init__(self, names):
        digests = bytearray()
        for name in names:
            digests += _digest(name)
        self._known = np.sort(np.frombuffer(digests, [("high", "<u8"), ("low", "<u8")]))

    def __contains__(self, name):
        wanted = np.frombuffer(_digest(name), self._known.dtype)
        place = np.searchsorted(self._known, wanted)[0]
        return place < len(self._known) and bool(self._known[place] == wanted[0])

    def __len__(self):
        return len(self._known)


def _digest(name):
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
