"""What a training sets out with: anew, or from the last checkpoint of a run."""

import dataclasses
import math
import uuid
from typing import Any, NamedTuple

from yolov2_tf._version import __version__
from yolov2_tf.errors import InputError
from yolov2_tf.models.transfer import layers_of_head, transfer_weights
from yolov2_tf.schedules import Shifted
from yolov2_tf.training.checkpoint import State, load
from yolov2_tf.training.clock import PARTS, Clock
from yolov2_tf.training.optimizer import iterations, make_optimizer
from yolov2_tf.training.plan import Plan
from yolov2_tf.training.progress import tell
from yolov2_tf.training.resume import data_changes, held_out_changes, recipe_changes
from yolov2_tf.training.weight_mean import read_means
from yolov2_tf.zoo.names import load_model, model_path


class Start(NamedTuple):
    """What a training sets out with.

    Attributes:
        model: The network, compiled.
        plan: `Plan` of what is to be done.
        record: What `config.json` is to say.
        state: `State` that it goes on from.
        fell_back: Whether that is of the checkpoint before the last.
        clock: `Clock` of a training for a time, or None.
    """

    model: Any
    plan: Plan
    record: dict
    state: State
    fell_back: bool = False
    clock: Any = None


def begin(task, recipe, console):
    """The `Start` of a new run.

    Args:
        task: As of `yolov2_tf.training.fit.train`.
        recipe: Its `Recipe`, settled.
        console: `rich.console.Console` that is told, or None.

    Raises:
        InputError: If the weights to start from are not there, or fit nowhere.
    """
    plan = Plan(task.steps(recipe), recipe.total_epochs, recipe.batch_size)
    model = task.build(recipe)
    if recipe.weights is not None:
        report = transfer_weights(model, load_model(recipe.weights))
        if recipe.freeze:
            learning = {layer.name for layer in layers_of_head(model)}  # or nothing would train
            for name in {*report.loaded} - learning:
                model.get_layer(name).trainable = False
        tell(console, str(report))
    clock = _clock(task, recipe, console)
    schedule = task.schedule(recipe, plan) if clock is None else clock.rate
    optimizer = make_optimizer(recipe, schedule)
    task.compile(model, recipe, plan, optimizer)
    name = uuid.uuid4().hex
    record = {**_record(task, recipe), "run": name, "changes": []}
    return Start(model, plan, record, State(name, plan.start), clock=clock)


def _clock(task, recipe, console, spent=0.0):
    """The `Clock` of a recipe that has one."""
    if recipe.minutes is None:
        return None
    return Clock(
        recipe.minutes,
        task.schedule(recipe, Plan(1, PARTS, recipe.batch_size)),
        spent=spent,
        pictures=0 if task.validation is None else len(task.validation),
        batch_size=recipe.batch_size,
        say=lambda text: tell(console, text),
    )


def go_on(task, recipe, run, console):
    """The `Start` of a run that goes on; its folder stays as it is.

    Args:
        task: As of `yolov2_tf.training.fit.train`.
        recipe: Its `Recipe`, settled.
        run: `Run` with the record of what was.
        console: `rich.console.Console` that is told, or None.

    Raises:
        InputError: If no checkpoint can be read, or something differs that a run cannot change.
    """
    run.check_task(task.NAME)
    new_weights = recipe.weights is not None and recipe.weights != run.record.get("weights")
    if new_weights and not model_path(recipe.weights).is_file():
        raise InputError("no such file", where=recipe.weights, expected="a .keras file")
    changes = recipe_changes(run, recipe) | data_changes(run, task.facts())
    changes |= held_out_changes(run, task.validation)
    model, state, fell_back = _last_checkpoint(task, recipe, run, console)
    task.check_resume(recipe, task.RECIPE.of(run.record), state.position.epoch)
    position = _in_steps(state.position, run.record["batch_size"], task.steps(recipe), recipe)
    epochs = recipe.total_epochs
    # A run by epochs kept no clock; its rows say what they took.
    spent = max(state.seconds, sum(float(row.get("seconds") or 0) for row in state.rows))
    if recipe.minutes is not None and spent >= 60 * recipe.minutes:
        epochs = position.epoch
    plan = Plan(task.steps(recipe), epochs, recipe.batch_size, position)
    task.go_on(model, plan)
    held = sum(bool(layer.weights) and not layer.trainable for layer in model.layers)
    if held and not recipe.freeze:
        # Networks were not thawed at first, and an optimizer cannot take in weights later.
        tell(console, f"{held} layers are held in this run, without freeze in its record")
    clock = _clock(task, recipe, console, spent)
    if clock is not None:
        model.optimizer.learning_rate = clock.rate
    else:
        schedule = task.schedule(recipe, plan)
        model.optimizer.learning_rate = Shifted(schedule, plan.shift) if plan.shift else schedule
    record = {**run.record, **_record(task, recipe), "run": state.run}
    record["progress"] = [dataclasses.asdict(position)]
    record["changes"] = list(run.record.get("changes", []))
    if changes:
        first = position.epoch + 1
        record["changes"].append(
            {"epoch": first, **{name: {"was": a, "is": b} for name, (a, b) in changes.items()}}
        )
        if not plan.over:
            for name, values in changes.items():
                was, now = ("none" if value is None else value for value in values)
                tell(console, f"from epoch {first} on: {name} {now} (was {was})")
    if "validation" in changes:  # scores on another set cannot be compared
        state = dataclasses.replace(state, best=-math.inf)
    return Start(model, plan, record, state, fell_back, clock)


def _last_checkpoint(task, recipe, run, console):
    """`(model, state, fell_back)` of the last checkpoint that is whole."""
    try:
        model, state = load(run.last)
        fell_back = False
    except InputError as error:
        if not run.previous.is_file():
            raise
        model, state = load(run.previous)
        fell_back = True
        tell(console, f"note: {error.where}: {error.what}; going on from {run.previous.name}")
    if state is None:
        return model, _state_of_old_run(task, recipe, run, model), fell_back
    if state.run != run.record.get("run"):
        raise InputError(
            f"{run.last.name} is of another run",
            where=run.folder,
            expected="the run of config.json",
        )
    return model, state, fell_back


def _state_of_old_run(task, recipe, run, model):
    """`State` of a run whose checkpoint was the network alone, from the files beside it."""
    position = run.position(iterations(model))
    rows = run.rows(position.epoch)
    return State(
        run=run.record.get("run", uuid.uuid4().hex),
        position=position,
        best=_best_of_rows(task, recipe, run, rows),
        rows=tuple(rows),
        means=read_means(run.mean, model.get_weights()) if run.mean.is_file() else None,
    )


def _best_of_rows(task, recipe, run, rows):
    """The best score of those that later ones can be compared with.

    Scores at another input size, or on another validation set, are not among them.
    """
    changes = run.record.get("changes", [])
    first = max((change["epoch"] for change in changes if "validation" in change), default=1)
    sizes = [recipe.size_of(row["epoch"] - 1) for row in rows]
    scores = [
        row[task.SCORE]
        for row, size in zip(rows, sizes, strict=True)
        if task.SCORE in row and size == sizes[-1] and row["epoch"] >= first
    ]
    return max(scores, default=-math.inf)


def _in_steps(position, batch_size, steps, recipe):
    """A position within an epoch in the steps of the recipe, which may be longer or fewer now."""
    step = min(position.step * batch_size // recipe.batch_size, steps)
    return dataclasses.replace(position, step=step)


def _record(task, recipe):
    return {"version": __version__, **vars(recipe), **task.facts()}
