"""What a command reads and writes is on this machine, but for models, data sets and streams."""

from pathlib import Path

from typer.core import TyperCommand

TAKE_ADDRESSES = frozenset(
    {"model", "weights", "teacher", "against", "data", "val", "classification", "inputs", "server"}
)
"""Parameters that may be an address such as `gs://bucket/model.keras`."""

LOCAL = frozenset({("import-darknet", "weights")})
"""Those of these names that may not, with their command."""


class LocalCommand(TyperCommand):
    """A command that refuses addresses where a file or folder of this machine is needed."""

    def invoke(self, ctx):
        """Runs the command.

        Raises:
            InputError: If a parameter is an address and may not be one.
        """
        from yolov2_tf.data.remote import refuse

        for param in self.params:
            if param.name in TAKE_ADDRESSES and (ctx.info_name, param.name) not in LOCAL:
                continue
            value = ctx.params.get(param.name)
            for one in value if isinstance(value, list | tuple) else [value]:
                if isinstance(one, str | Path):
                    refuse(one, _name(param))
        return super().invoke(ctx)


def _name(param):
    """What a user calls a parameter: `--out`, `OUT`."""
    is_option = param.param_type_name == "option"
    return param.opts[0] if is_option else param.metavar or param.name.upper()
