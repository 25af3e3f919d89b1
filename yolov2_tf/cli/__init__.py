"""The `yolov2` command. One file per command; heavy libraries load when a command runs."""

import os
import sys

import typer

from yolov2_tf._version import __version__
from yolov2_tf.cli.anchors import anchors
from yolov2_tf.cli.benchmark import benchmark
from yolov2_tf.cli.classify import app as classify
from yolov2_tf.cli.convert import convert
from yolov2_tf.cli.demo import demo
from yolov2_tf.cli.demo_web import demo_web
from yolov2_tf.cli.describe import describe
from yolov2_tf.cli.ending import ended_like_by_hand
from yolov2_tf.cli.evaluate import evaluate
from yolov2_tf.cli.export import export
from yolov2_tf.cli.import_darknet import import_darknet
from yolov2_tf.cli.inspect import inspect
from yolov2_tf.cli.lean import load_lean
from yolov2_tf.cli.local import LocalCommand
from yolov2_tf.cli.models import models
from yolov2_tf.cli.narrow import narrow
from yolov2_tf.cli.predict import predict
from yolov2_tf.cli.prepare import prepare
from yolov2_tf.cli.quiet import be_quiet
from yolov2_tf.cli.train import train
from yolov2_tf.cli.wordtree import app as wordtree

app = typer.Typer(
    help="YOLOv2 and YOLO9000 on TensorFlow and Keras.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    inspect,
    anchors,
    train,
    evaluate,
    predict,
    convert,
    prepare,
    export,
    import_darknet,
    models,
    describe,
    narrow,
    benchmark,
    demo,
    demo_web,
):
    app.command(cls=LocalCommand)(command)
app.add_typer(classify, name="classify")
app.add_typer(wordtree, name="wordtree")


def _show_version(value):
    if value:
        typer.echo(f"yolov2-tf {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
):
    """Options before any command."""


def main():
    """Runs the command line: unusable input becomes one message and exit code 2."""
    # Before TensorFlow loads. oneDNN halves the time of a training step on CPUs for which
    # TensorFlow leaves it off (measured on AVX2 without AVX-512).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever else of the user's runs on another one
    if in_notebook(os.environ):
        os.environ["TTY_COMPATIBLE"] = "0"  # Rich's: no bars, no moves of the cursor
    print_any_text()
    be_quiet()
    load_lean()
    from yolov2_tf.errors import InputError, Stopped

    try:
        with ended_like_by_hand():
            app()
    except InputError as error:
        report(error)
        sys.exit(2)
    except OSError as error:  # a full disk, a folder that may not be written: the user's, too
        what = f"cannot be read or written: {error.strerror or error}"
        report(InputError(what, where=error.filename))
        sys.exit(2)
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        sys.exit(128 + stopped.number)  # what shells and schedulers expect
    except Exception as error:
        what, hint = used_up(error)
        if what is None:
            raise
        report(InputError(what, hint=hint))
        sys.exit(2)


def used_up(error):
    """What an exception says is used up, and what to try; `(None, None)` if it says nothing such.

    Args:
        error: The exception. Those of TensorFlow are known by their name, as it may not be loaded.
    """
    if type(error).__name__ == "ResourceExhaustedError" and "No space left" in str(error):
        return "cannot be written: No space left on device", None
    if type(error).__name__ == "ResourceExhaustedError" or isinstance(error, MemoryError):
        hint = "a smaller --size or --batch-size, a smaller network, or a machine with more"
        return "there is not enough memory for this", hint
    return None, None


def print_any_text():
    r"""Has letters that a terminal's encoding has not printed as `\xdf`, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def in_notebook(environment):
    """Whether this is the child of a notebook's kernel, as behind `!yolov2 …` in a cell.

    It has a terminal there, and `FORCE_COLOR`, but what moves a cursor is shown as it is.

    Args:
        environment: Dict of the environment's variables.
    """
    started = "JPY_PARENT_PID" in environment  # by Jupyter
    return started or "matplotlib_inline" in environment.get("MPLBACKEND", "")  # any IPython kernel


def report(error):
    """Prints an `InputError` to standard error: what, where, expected, what to try."""
    from rich.text import Text

    from yolov2_tf.cli.console import make_console

    console = make_console(stderr=True)
    console.print(Text("error: ", "bold red") + Text(error.what, "bold"), soft_wrap=True)
    for name, value in (
        ("where", error.where),
        ("expected", error.expected),
        ("try", error.hint),
    ):
        if value is not None:
            console.print(Text(f"  {name}: ", "dim") + Text(str(value)), soft_wrap=True)
