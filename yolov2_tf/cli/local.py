"""What a command takes as a file or folder is on this machine; texts may be addresses.

The type of a parameter says which it is: a `Path`, or `LocalText`, is here. Models, data sets and
streams may be at an address such as `gs://bucket/model.keras`: a command takes these as `str`.
"""

import inspect
import typing
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand


class LocalText(str):
    """Text that names a file of this machine, or says something else, such as `-`."""


LOCAL_FILE = {"parser": LocalText, "metavar": "FILE"}
"""How an option declares that it is one: `typer.Option(**LOCAL_FILE)`."""

Json = Annotated[
    LocalText | None,
    typer.Option(help="Write JSON to a file, `-`: to stdout.", **LOCAL_FILE),
]


class LocalCommand(TyperCommand):
    """A command that refuses addresses where a file or folder of this machine is needed.

    And what it could not write, see `yolov2_tf.cli.outputs`.
    """

    def invoke(self, ctx):
        """Runs the command.

        Raises:
            InputError: If a parameter is an address and may not be one, or cannot be written to.
        """
        from yolov2_tf.cli.outputs import check_outputs
        from yolov2_tf.data.remote import refuse

        local = local_parameters(self.callback)
        for param in self.params:
            value = ctx.params.get(param.name) if param.name in local else None
            for one in value if isinstance(value, list | tuple) else [value]:
                refuse(one, _name(param))
        check_outputs(ctx.params)
        return super().invoke(ctx)


def local_parameters(command):
    """Names of the parameters of a command's function that are files or folders of this machine."""
    hints = typing.get_type_hints(inspect.unwrap(command))
    return {name for name, hint in hints.items() if {Path, LocalText} & set(_types(hint))}


def _types(hint):
    """A type, and those that it is made of: `list[Path] | None` has `Path`."""
    yield hint
    for part in typing.get_args(hint):
        yield from _types(part)


def _name(param):
    """What a user calls a parameter: `--out`, `OUT`."""
    is_option = param.param_type_name == "option"
    return param.opts[0] if is_option else param.metavar or param.name.upper()
