"""What lies in a folder, without hidden files.

macOS writes a `._a.txt` beside each `a.txt` on foreign disks and into archives. It is no text.
"""

from pathlib import Path


def visible(folder, pattern="*"):
    """Paths in a folder that match a pattern, sorted; none where there is no such folder.

    Args:
        folder: The folder.
        pattern: As for `pathlib.Path.glob`, without folders.

    Returns:
        A list of `pathlib.Path`.
    """
    return sorted(path for path in Path(folder).glob(pattern) if not is_hidden(path.name))


def is_hidden(name):
    """Whether the name of a file or folder begins with a dot."""
    return name.startswith(".")
