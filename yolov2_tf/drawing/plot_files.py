"""Names of files that plots can be written to."""

from pathlib import Path

from yolov2_tf.errors import InputError

SUFFIXES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".webp")
"""How they may end: the form of the picture is chosen by it."""


def check_plot(path):
    """Refuses a file whose name does not say what form the plot shall have.

    Args:
        path: The file.

    Raises:
        InputError: If it ends in none of `SUFFIXES`.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise InputError(
            "not a name for a plot", where=path, expected=f"one that ends in {', '.join(SUFFIXES)}"
        )
