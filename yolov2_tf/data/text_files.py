"""Text files of annotations in whatever encoding a tool or an office program wrote them."""

import codecs
import os
import stat
from pathlib import Path

from yolov2_tf.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path, fallback=None):
    """Reads a text file of annotations.

    Args:
        path: The file: UTF-8, or UTF-16 with a byte order mark.
        fallback: Encoding to take where it is neither, e.g. `"cp1252"`.

    Returns:
        Its text, without a byte order mark.

    Raises:
        InputError: If it cannot be opened or is not in these encodings.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a device or a pipe would be waited for
            raise InputError("no ordinary file", where=path)
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot be opened: {reason}", where=path) from None
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if fallback is not None and b"\0" not in content:
            return content.decode(fallback, errors="replace")
        line = error.object.count(b"\n", 0, error.start) + 1
        what = "UTF-8" if encoding != "utf-16" else "UTF-16"
        raise InputError(f"not {what} text", where=f"{path}:{line}") from None
