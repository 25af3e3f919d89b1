"""One message where the files of a run cannot be written."""

import contextlib
import errno
import os
import re

import tensorflow as tf

from yolov2_tf.errors import InputError

_ROOM = "make room there, then --resume: the last checkpoint is whole"
_WRITABLE = "make it writable again, then --resume: the last checkpoint is whole"
_MOUNT = "mount it again and --resume, or start anew in another folder"
_HINTS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "files may not be that large here (ulimit -f); raise that, then --resume",
    errno.EROFS: _WRITABLE,
    errno.EACCES: _WRITABLE,
    errno.EPERM: _WRITABLE,
}


@contextlib.contextmanager
def writing(run):
    """Context in which files of a run that is at work are written.

    Args:
        run: `yolov2_tf.training.run.Run`.

    Raises:
        InputError: If one cannot be, or the folder is not there any more.
    """
    if not run.at_work_file.is_file():  # `replacing` would make the folder anew, who knows where
        raise _vanished(run.folder)
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        raise _not_written(error, run.folder) from error


def _vanished(folder):
    return InputError(
        "the folder of the run has vanished",
        where=folder,
        expected="the folder that the training began in",
        hint=_MOUNT,
    )


def _not_written(error, folder):
    if not folder.is_dir():
        return _vanished(folder)
    number = _system_error(error)
    what = os.strerror(number) if number else str(error).splitlines()[0]
    return InputError(
        f"cannot be written to: {what}",
        where=folder,
        expected="a folder to write to",
        hint=_HINTS.get(number, "--resume once that is mended: the last checkpoint is whole"),
    )


def _system_error(error):
    """The system's number of an error; HDF5 and TensorFlow have it in their text only."""
    if getattr(error, "errno", None):
        return error.errno
    text = str(error)
    if found := re.search(r"errno = (\d+)", text):
        return int(found[1])
    return next((number for number in _HINTS if os.strerror(number) in text), None)
