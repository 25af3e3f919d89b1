"""What lies in a folder, without hidden files.

macOS writes a `._a.txt` beside each `a.txt` on foreign disks and into archives. It is no text.
"""

import fnmatch
import os
from pathlib import Path


def visible(folder, pattern="*"):
    """Paths in a folder that match a pattern, sorted; none where there is no such folder.

    Args:
        folder: The folder.
        pattern: As of `fnmatch`.

    Returns:
        A list of `pathlib.Path`.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = sorted(fnmatch.filter(names, pattern))  # a path of each of many would cost more
    return [Path(folder, name) for name in found if not is_hidden(name)]


def is_hidden(name):
    """Whether the name of a file or folder begins with a dot."""
    return name.startswith(".")
