"""Files of the user: written so that nobody ever sees half of one, or kept for the next time."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path


@contextlib.contextmanager
def replacing(path):
    """Yields a temporary path beside `path`; renames it to `path` if the block succeeds.

    The block may write a file or a folder there. If it raises, what it wrote is removed and
    `path` stays as it was. The temporary name keeps the suffix of `path`, since writers such as
    `keras.Model.save` choose their format by it.

    Args:
        path: The final path. Missing parent folders are created.

    Yields:
        `pathlib.Path` of the temporary file or folder, which does not exist yet.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary = room / path.name
    try:
        yield temporary
        temporary.lstat()  # a block that wrote nothing fails here, before `path` is moved
        if path.is_dir() and not path.is_symlink():
            os.replace(path, room / "replaced")  # a full folder cannot be renamed over
        os.replace(temporary, path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def cache_folder():
    """Where things are kept that can be had again: `$YOLOV2_CACHE`, or None where that is empty.

    Without the variable it is `yolov2_tf` in `$XDG_CACHE_HOME` or `~/.cache`.
    """
    folder = os.environ.get("YOLOV2_CACHE")
    if folder is None:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yolov2_tf"
    return Path(folder) if folder else None
