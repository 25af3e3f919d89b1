"""What a command is to write, looked at before it works: files that it could not write."""

import os
import tempfile

WRITTEN = ("out", "json", "jsonl", "plot", "results", "map_out", "report")
"""Parameters that are files or folders to write, in every command that has them."""

_MAY_BE_READ = ("names",)
"""Written by some commands, read by others, and for none the same as one that is written."""

_FILES = ("json", "jsonl", "plot", "map_out")
_FOLDERS = ("report",)


def check_outputs(params):
    """Refuses two outputs in one place, places that cannot be written, plots of no known form.

    Found before the work: a set is not scored for an hour and the figures lost.

    Args:
        params: Dict from the names of a command's parameters to their values.

    Raises:
        InputError: If there are some.
    """
    from yolov2_tf.errors import InputError

    given = {
        name: params[name] for name in (*WRITTEN, *_MAY_BE_READ) if params.get(name) is not None
    }
    taken = {}
    for name, value in given.items():
        place = "-" if str(value) == "-" else os.path.abspath(value)
        if place in taken:
            flags = [_flag(one) for one in (taken[place], name)]
            raise InputError(
                f"{' and '.join(flags)} are both {value}", expected="a place of its own for each"
            )
        taken[place] = name
        if place != "-" and name in WRITTEN:
            _check_place(name, value, place)
    if "plot" in given:
        from yolov2_tf.drawing.plot_files import check_plot

        check_plot(given["plot"])


def _check_place(name, value, place):
    """Refuses a folder where a file is to be, and the other way round, and what nobody may write.

    Raises:
        InputError: If it is one.
    """
    from yolov2_tf.errors import InputError
    from yolov2_tf.files import is_stream

    is_json = name == "results" and place.endswith(".json")
    if (name in _FILES or is_json) and os.path.isdir(place):
        raise InputError(f"{_flag(name)} is a folder", where=value, expected="the name of a file")
    to_folder = name in _FOLDERS or (name == "results" and not is_json)
    if to_folder and os.path.exists(place) and not os.path.isdir(place):
        raise InputError(f"{_flag(name)} is a file", where=value, expected="the name of a folder")
    if is_stream(place):
        if not os.access(place, os.W_OK):
            raise InputError(f"{_flag(name)}: nothing can be written there", where=value)
        return
    folder = os.path.realpath(place)  # links are written through
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise InputError(f"{_flag(name)}: {folder} is no folder", where=value)
    try:
        # Rights alone do not tell: nobody makes folders in /proc, and root not on every share.
        with tempfile.TemporaryDirectory(dir=folder):
            pass
    except OSError as error:
        what = f"{_flag(name)}: nothing can be written there ({error.strerror})"
        raise InputError(what, where=value) from None


def _flag(name):
    return f"--{name.replace('_', '-')}"
