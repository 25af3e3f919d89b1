"""What a command is to write, looked at before it works: files that it could not write."""

import os

WRITTEN = ("out", "json", "jsonl", "plot", "results", "map_out")
"""Parameters that are files to write, in every command that has them."""


def check_outputs(params):
    """Refuses two outputs in one place, and plots of no known form.

    Args:
        params: Dict from the names of a command's parameters to their values.

    Raises:
        InputError: If there are some.
    """
    from yolov2_tf.errors import InputError

    given = {name: params[name] for name in WRITTEN if params.get(name) is not None}
    taken = {}
    for name, value in given.items():
        place = "-" if str(value) == "-" else os.path.abspath(value)
        if place in taken:
            flags = [f"--{one.replace('_', '-')}" for one in (taken[place], name)]
            raise InputError(
                f"{' and '.join(flags)} are both {value}", expected="a place of its own for each"
            )
        taken[place] = name
    if "plot" in given:
        from yolov2_tf.drawing.plot_files import check_plot

        check_plot(given["plot"])
