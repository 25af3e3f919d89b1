"""One training at a time in a folder."""

import contextlib
import os
import socket
from pathlib import Path

from yolov2_tf.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there
    fcntl = None

NAME = ".lock"
"""The file in the folder of a run while it is being trained; it says by whom."""


@contextlib.contextmanager
def folder_lock(folder):
    """Holds a folder for this process; makes it, and takes it away again if it stays empty.

    The operating system frees the lock when the process ends, however it ends: a file that a
    killed training left behind stops nobody.

    Args:
        folder: Path of the folder; missing parents are made too.

    Raises:
        InputError: If another training holds it, or it cannot be a folder.
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _acquire(folder / NAME)
    except OSError as error:
        raise InputError(
            f"cannot be written to: {error.strerror}",
            where=folder,
            expected="a folder to write to",
            hint="make it writable, or write to another folder",
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # read-only by now: the lock ends all the same
            (folder / NAME).unlink()  # before it is free, so that nobody has it yet
        os.close(lock)
        with contextlib.suppress(OSError):
            for path in missing:
                path.rmdir()


def _acquire(path):
    """File descriptor of the locked file."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed it between the two calls: then it is nobody's.
            if path.exists() and os.path.samestat(os.fstat(lock), path.stat()):
                os.ftruncate(lock, 0)
                os.write(lock, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return lock
        except BlockingIOError:
            holder = os.pread(lock, 300, 0).decode(errors="replace")
            os.close(lock)
            raise InputError(
                f"another training is at work here: {holder}",
                where=path.parent,
                expected="one training in a folder at a time",
                hint="wait for its end, or write to another folder",
            ) from None
        os.close(lock)
