"""Files of the user: written so that nobody ever sees half of one, or kept for the next time."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from yolov2_tf.errors import InputError


@contextlib.contextmanager
def replacing(path, *, durable=False, keep=None):
    """Yields a temporary path beside `path`; renames it to `path` if the block succeeds.

    The block may write a file or a folder there; a file takes the place of a file only. If the
    block raises, what it wrote is removed and `path` stays as it was. The temporary name keeps the
    suffix of `path`, since writers such as `keras.Model.save` choose their format by it.

    Args:
        path: The final path. Missing parent folders are created, and removed with what failed. A
            link stays: what it leads to is replaced, but where a file of before is kept.
        durable: Whether the file must be on the disk before it gets its name, so that it is whole
            after a power cut, too.
        keep: Path beside it that the file of before is kept at, or None.

    Yields:
        `pathlib.Path` of the temporary file or folder, which does not exist yet.

    Raises:
        InputError: If a file was written and `path` is a folder, which may hold anything.
    """
    path = Path(path)
    if is_stream(path):
        with _written_into(path) as temporary:
            yield temporary
        return
    if keep is None:
        path = Path(os.path.realpath(path))
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _room_beside(path) as room:
            temporary = room / path.name
            yield temporary
            temporary.lstat()  # a block that wrote nothing fails here, before `path` is moved
            if durable:
                _to_disk(temporary)
            if path.is_dir() and not path.is_symlink():
                if not temporary.is_dir():
                    raise InputError("is a folder", where=path, expected="the name of a file")
                os.replace(path, room / "replaced")  # a full folder cannot be renamed over
            if keep is not None and path.exists():
                _keep(path, Path(keep), room / "kept")
            os.replace(temporary, path)
            if durable:
                _to_disk(path.parent)
    finally:
        if not path.exists():
            _remove_empty(made)


@contextlib.contextmanager
def _room_beside(path):
    """Yields a new folder beside a path, which is gone afterwards, whenever Ctrl-C comes."""
    while (room := path.with_name(f".{path.name}.{secrets.token_hex(4)}")).exists():
        pass
    try:
        try:
            room.mkdir(0o700)
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
    finally:
        shutil.rmtree(room, ignore_errors=True)  # Ctrl-C may have ended the first


def is_stream(path):
    """Whether it is a device, a pipe, or what a shell calls a file that is open already.

    Args:
        path: Of something that need not be there.
    """
    if os.path.isdir(path) or not os.path.exists(path):
        return False
    opened = os.path.abspath(path).startswith(("/dev/std", "/dev/fd/", "/proc/"))
    return opened or not os.path.isfile(path)


@contextlib.contextmanager
def _written_into(path):
    with tempfile.TemporaryDirectory() as room:
        temporary = Path(room) / path.name
        yield temporary
        if temporary.is_dir():
            raise InputError("is no folder", where=path, expected="the name of a folder")
        with open(temporary, "rb") as content, _stream(path) as stream:
            shutil.copyfileobj(content, stream)


def _stream(path):
    if os.path.abspath(path) != "/dev/stdout":
        return open(path, "ab")
    # Opened anew, a file behind it would have two ends, and lines that are printed overwrite.
    sys.stdout.flush()
    return contextlib.nullcontext(sys.stdout.buffer)


def _remove_empty(folders):
    """Removes those of some folders that are empty, the innermost first."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _keep(path, kept, link):
    """Gives a file a second name; where there are no hard links, that name instead of its own."""
    try:
        os.link(path, link)
    except OSError:
        os.replace(path, kept)
    else:
        os.replace(link, kept)


def _to_disk(path):
    """Returns once a file or a folder's names are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot do that
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_left_over(folder, names):
    """Removes what `replacing` left in a folder when its process was killed.

    Args:
        folder: Path of the folder.
        names: Names of the files that nobody is writing now.
    """
    pattern = re.compile(rf"\.(?:{'|'.join(map(re.escape, names))})\.[a-z0-9_]{{8}}")
    for path in Path(folder).iterdir():
        if pattern.fullmatch(path.name) and path.is_dir():
            shutil.rmtree(path)


def fingerprint(path):
    """A text that changes with the content of a file, or of a folder's files.

    Args:
        path: File or folder that is there.

    Returns:
        32 hexadecimal digits.
    """
    path = Path(path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        with open(file, "rb") as content:
            digest.update(hashlib.file_digest(content, "blake2b").digest())
    return digest.hexdigest()


def cache_folder():
    """Where things are kept that can be had again: `$YOLOV2_CACHE`, or None where that is empty.

    Without the variable it is `yolov2_tf` in `$XDG_CACHE_HOME` or `~/.cache`.
    """
    folder = os.environ.get("YOLOV2_CACHE")
    if folder is None:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yolov2_tf"
    return Path(folder) if folder else None
