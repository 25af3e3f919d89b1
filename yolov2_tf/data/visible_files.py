"""What lies in a folder and below it, without hidden files.

macOS writes a `._a.txt` beside each `a.txt` on foreign disks and into archives. It is no text.
"""

import fnmatch
import operator
import os
import stat
from pathlib import Path


def visible(folder, pattern="*"):
    """Paths in a folder that match a pattern, sorted; none where there is no such folder.

    Args:
        folder: The folder.
        pattern: As of `fnmatch`.

    Returns:
        A list of `pathlib.Path`.
    """
    found = fnmatch.filter(names_in(folder), pattern)  # a path of each of many would cost more
    return [Path(folder, name) for name in found if not is_hidden(name)]


def names_in(folder):
    """Names of all that is in a folder, sorted, hidden ones too; none where nobody may look."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):  # a null byte in its name
        return []


def folders_in(folder):
    """Paths of the folders in a folder, sorted; none where it cannot be looked into."""
    try:
        with os.scandir(folder) as entries:  # which knows folders without a look at each file
            names = [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []
    return [Path(folder, name) for name in sorted(names) if not is_hidden(name)]


def is_hidden(name):
    """Whether the name of a file or folder begins with a dot."""
    return name.startswith(".")


def walk_files(folder):
    """Yields the files in and below a folder, sorted; linked folders are followed once.

    Hidden files and folders are left out, and pipes, which would be waited for.
    """
    seen = set()

    def walk(folder):
        real = os.path.realpath(folder)
        if real in seen:
            return
        seen.add(real)
        try:
            with os.scandir(folder) as entries:
                entries = sorted(entries, key=operator.attrgetter("name"))
        except OSError:
            return
        start = os.path.join(os.path.normpath(folder), "")
        for entry in entries:
            if not is_hidden(entry.name):
                if entry.is_dir():
                    yield from walk(entry.path)
                elif "." not in entry.name and (link := written_link(entry.path)):
                    yield from walk(link)
                elif entry.is_file() or entry.is_symlink():  # a link to nothing is worth a message
                    yield start + entry.name

    yield from walk(folder)


def written_link(path):
    """Where a link to a folder leads that is a file with a path in it, else None.

    So Git, and with it many an archive, stores links on computers that do not allow them.
    """
    if os.path.splitext(path)[1]:
        return None
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > 1024:
            return None  # a device would be waited for
        with open(path, encoding="utf-8") as file:
            target = os.path.normpath(os.path.join(os.path.dirname(path), file.read().strip()))
        return target if os.path.isdir(target) else None
    except (OSError, ValueError):
        return None
