"""The options of `train` and `classify train`: what both have, and how a record fills them in."""

import contextlib
import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from yolov2_tf.cli.parsing import messages, model_file
from yolov2_tf.errors import InputError
from yolov2_tf.training.cluster import worker, workers
from yolov2_tf.training.recipes import names_network

Out = Annotated[Path, typer.Option(help="Folder of the run.")]
Val = Annotated[str | None, typer.Option(help="Data set to score on; DATA if only --val-split.")]
Split = Annotated[str | None, typer.Option(help="Image set to train on.")]
ValSplit = Annotated[str | None, typer.Option(help="Image set to score on.")]
Tree = Annotated[Path | None, typer.Option(help="Label tree whose nodes the classes become.")]
Names = Annotated[
    Path | None, typer.Option(help="What people call the tree's nodes, one per line.")
]
TreeLogits = Annotated[
    str,
    typer.Option(
        help="Of a tree, what a new network gives logits of: nodes (the paper's), or leaves, whose "
        "probabilities add up to those of the nodes above."
    ),
]
Width = Annotated[float, typer.Option(help="Multiplies the filters, 0.01 to 4.")]
Size = Annotated[int, typer.Option(help="Input side in pixels, a multiple of 32.")]
Resize = Annotated[str | None, typer.Option(help="stretch or letterbox.")]
Epochs = Annotated[int, typer.Option(help="Passes over the data.")]
BatchSize = Annotated[int, typer.Option(help="Images a step.")]
Optimizer = Annotated[str, typer.Option(help="sgd (the paper's) or adam.")]
Schedule = Annotated[
    str,
    typer.Option(
        help="How the rate falls: steps (the paper's detector), polynomial (its classifier) "
        "or cosine."
    ),
]
ClipNorm = Annotated[
    str,
    typer.Option(metavar="X|off", help="Largest norm of the gradient; off: none, as in the paper."),
]
Accumulate = Annotated[
    int, typer.Option(help="Batches that make one step: 8 of 8 are 64 in the memory of 8.")
]
SyncBatchNorm = Annotated[
    bool,
    typer.Option(help="Batch normalisation over the whole batch where several devices train."),
]
Saturation = Annotated[float, typer.Option(help="Saturation times or by up to this; 1: as it is.")]
Exposure = Annotated[float, typer.Option(help="Brightness times or by up to this; 1: as it is.")]
Flip = Annotated[bool, typer.Option(help="Mirror half of the pictures.")]
Weights = Annotated[
    str | None,
    typer.Option(
        help="`.keras` file, or a name of `yolov2 models`, whose fitting weights start this."
    ),
]
Freeze = Annotated[bool, typer.Option("--freeze", help="Hold the loaded weights.")]
Mean = Annotated[float, typer.Option(help="Decay of the mean of the weights, e.g. 0.999; 0: none.")]
Precision = Annotated[
    str,
    typer.Option(help="float32, mixed_bfloat16, mixed_float16; auto: the fastest of this machine."),
]
Seed = Annotated[int, typer.Option(help="Seed of weights, views and order.")]
Check = Annotated[
    bool, typer.Option(help="Decode every picture once before; else only its header is read.")
]
Minutes = Annotated[
    float | None,
    typer.Option(help="Train as well as it can in that time, all included; in place of --epochs."),
]
CheckpointMinutes = Annotated[
    float, typer.Option(help="Minutes between checkpoints, within an epoch too; 0: every step.")
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume", help="Go on with the run in OUT; what is not given is as it was, DATA too."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in OUT.")]

SOURCES = {
    "data": ("split", "images", "format", "classes", "hold_out"),
    "val": ("val_split", "val_images"),
    "classification": ("classification_split",),
    "tree": ("names", "class_map"),
}
"""Options that say where data come from, each with those that say more about it."""

RECORDED = {"val": "validation"}
"""What the record calls them, where it is not the option's own name."""

CONVERT = {
    **dict.fromkeys(("images", "val_images", "tree", "names", "class_map"), Path),
    "hold_out": float,
}
"""What makes an option's value of the text in the record."""


def clip_norm(text):
    """`"10"` to 10.0, `"off"` to None."""
    if text == "off":
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"--clip-norm {text!r}", expected="a number above 0, or off") from None


def read_options(context, task_name, kind, parsers, choose=None):
    """The values of a training's options, and the recipe that they make.

    On resume what was not given comes from the record of the run.

    Args:
        context: `typer.Context` of the command.
        task_name: `Task.NAME`.
        kind: Class of the recipe.
        parsers: For fields of the recipe that are given as text: name to a function of the text
            and of all values so far.
        choose: Function of the fields that are given, as a dict, to those that are chosen for the
            others; None for the recipe's own defaults.

    Returns:
        `SimpleNamespace` of all options, with `given` (names of those on the command line),
        `recipe`, and `sources` for the record.

    Raises:
        InputError: If a value cannot be, or the folder holds a run and shall not, or none and
            shall.
    """
    from yolov2_tf.training.resume import recipe_changes
    from yolov2_tf.training.run import Run

    values = dict(context.params)
    given = {name for name in values if context.get_parameter_source(name).name == "COMMANDLINE"}
    for name in given & {"weights", "model", "teacher"}:
        network = str(values[name])
        if name == "model" and not (network.endswith(".keras") or names_network(network)):
            continue  # a form to build
        file = model_file(network, messages())
        if not file.is_file():
            raise InputError("no such file", where=file, expected="a .keras file")
        values[name] = network  # a name stays one: its file lies elsewhere on another machine
    run = Run(values["out"])
    if run.at_work_file.exists() and worker() == 0:
        with run.locked():  # refused now, and not after all pictures were checked
            pass
    run.check(resume=values["resume"], overwrite=values["overwrite"])
    recorded = None
    if values["resume"]:
        run.check_task(task_name)
        recorded = kind.of(run.record)
        _fill_sources(values, given, run.record.get("sources", {}))
    if values["data"] is None:
        raise InputError(
            "DATA is missing",
            expected="what to train on; only a resumed run may know it from its record",
        )
    if {"epochs", "minutes"} <= given:
        raise InputError("--epochs with --minutes", expected="one of them: it ends the training")
    with naming_options():
        parsers = {"clip_norm": lambda text, _: clip_norm(text), **parsers}
        recipe, fields = _recipe(values, given, kind, recorded, parsers, choose)
        values |= fields
        if recorded is not None:
            recipe_changes(run, recipe)  # before data sets are opened
    return SimpleNamespace(**values, given=given, recipe=recipe, sources=_sources(values))


def join():
    """Lets the processes of `TF_CONFIG` find one another, which must be before TensorFlow works."""
    if workers() > 1:
        from yolov2_tf.training.devices import strategy

        strategy()


@contextlib.contextmanager
def naming_options():
    """Adds the name of the option to what is said about a field of a recipe."""
    try:
        yield
    except InputError as error:
        if error.field is None:
            raise
        raise InputError(
            error.what,
            where=error.where or "--" + error.field.replace("_", "-"),
            expected=error.expected,
            hint=error.hint,
        ) from None


def check_data(options, task):
    """Refuses to go on with other data, before the data sets are opened that depend on them.

    Args:
        options: What `read_options` returned.
        task: `Task` of the training set alone.

    Raises:
        InputError: If the run that is to go on was of other data or classes.
    """
    from yolov2_tf.training.resume import data_changes
    from yolov2_tf.training.run import Run

    if options.resume:
        data_changes(Run(options.out), task.facts(), names=("data",))


def _fill_sources(values, given, recorded):
    if "hold_out" in values and "hold_out" not in given:  # at first nothing was held out
        values["hold_out"] = float(recorded.get("hold_out", 0))
    for main, others in SOURCES.items():
        if main in given:
            continue  # what the record says more is about another
        for name in (main, *others):
            text = recorded.get(RECORDED.get(name, name))
            if name not in given and name in values and text is not None:
                values[name] = CONVERT.get(name, str)(text)


def _sources(values):
    names = [name for main, others in SOURCES.items() for name in (main, *others)]
    sources = {RECORDED.get(name, name): values.get(name) for name in names}
    if sources["validation"] is None and sources["val_split"] is not None:
        sources["validation"] = sources["data"]
    if sources["validation"] is not None:
        sources["hold_out"] = None  # nothing is
    return {name: str(value) for name, value in sources.items() if value is not None}


def _recipe(values, given, kind, recorded, parsers, choose):
    fields = [field.name for field in dataclasses.fields(kind) if field.name in values]
    chosen = {}
    for name in fields:
        if name not in given:
            if recorded is not None:
                values[name] = getattr(recorded, name)
            continue
        if name in parsers and values[name] is not None:
            values[name] = parsers[name](values[name], values)
        chosen[name] = values[name]
    if recorded is not None:
        ended = {"minutes": None} if "epochs" in chosen and recorded.minutes is not None else {}
        recipe = dataclasses.replace(recorded, **{**ended, **chosen})
    else:
        recipe = kind(**{**(choose(chosen) if choose is not None else {}), **chosen})
    return recipe, {name: getattr(recipe, name) for name in fields}
