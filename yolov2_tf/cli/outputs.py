"""What a command is to write, looked at before it works: files that it could not write."""

import os

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

    is_json = name == "results" and place.endswith(".json")
    if (name in _FILES or is_json) and os.path.isdir(place):
        raise InputError(f"{_flag(name)} is a folder", where=value, expected="the name of a file")
    if (name in _FOLDERS or (name == "results" and not is_json)) and os.path.isfile(place):
        raise InputError(f"{_flag(name)} is a file", where=value, expected="the name of a folder")
    folder = place
    while not os.path.lexists(folder) or folder == place:
        folder, before = os.path.dirname(folder), folder
        if folder == before:
            return
    if not os.path.isdir(folder):
        raise InputError(f"{_flag(name)}: {folder} is no folder", where=value)
    is_there = os.path.exists(place) and not os.path.isfile(place)  # a folder, a pipe
    if not os.access(place if is_there else folder, os.W_OK):
        raise InputError(f"{_flag(name)}: nothing can be written there", where=value)


def _flag(name):
    return f"--{name.replace('_', '-')}"
