"""Fits a task's network in the folder of a run: what it sets out with, and what it goes on from."""

import contextlib
import dataclasses
import functools
import math
import os
import uuid
from typing import Any, NamedTuple

import keras

from yolov2_tf._version import __version__
from yolov2_tf.data.pixel_memory import PixelMemory
from yolov2_tf.errors import InputError
from yolov2_tf.models.transfer import transfer_weights
from yolov2_tf.schedules import Shifted
from yolov2_tf.training import devices
from yolov2_tf.training.agreement import any_of, check_same, meet, together
from yolov2_tf.training.callbacks import Checkpoints, History, Throughput
from yolov2_tf.training.checkpoint import State, load
from yolov2_tf.training.clock import PARTS, Clock
from yolov2_tf.training.cluster import worker, workers
from yolov2_tf.training.damage import Damage
from yolov2_tf.training.divergence import diverged
from yolov2_tf.training.gpus import told_of_gpus
from yolov2_tf.training.loop import Loop
from yolov2_tf.training.optimizer import iterations, make_optimizer
from yolov2_tf.training.plan import Plan
from yolov2_tf.training.precision import fastest
from yolov2_tf.training.progress import Progress, display_on
from yolov2_tf.training.resume import data_changes, recipe_changes
from yolov2_tf.training.run import Run
from yolov2_tf.training.stopping import StopSignal
from yolov2_tf.training.task import Task
from yolov2_tf.training.tensorboard import TensorBoard
from yolov2_tf.training.weight_mean import WeightMean, read_means
from yolov2_tf.training.wishes import Following, Wishes
from yolov2_tf.training.writing import writing
from yolov2_tf.zoo.names import load_model, model_path


def train(task, recipe, folder, *, resume=False, overwrite=False, callbacks=(), console=None):
    """Trains a network and leaves a run folder, see `Run`.

    Several GPUs train together, and the processes that `TF_CONFIG` names, see
    `yolov2_tf.training.devices`. All of these call this alike; each scores on its part of the
    validation set, and the chief alone writes. A resumed run sees the pictures that it would have
    seen. What it may do otherwise than before (`Recipe.CHANGEABLE`, the validation set) it does
    from its next epoch on, and `changes` of the record says so.
    The learning rate is then that of a training which was planned like this from its beginning.

    Args:
        task: `yolov2_tf.training.detection.DetectionTask` or
            `yolov2_tf.training.classification.ClassificationTask`.
        recipe: Its `Recipe`; None on resume for that of the record.
        folder: Folder of the run.
        resume: Goes on with the run in `folder` from its last checkpoint.
        overwrite: Begins anew where a run is already.
        callbacks: Keras callbacks. They come last: what scores and saves has been there. Of several
            processes each has its own, and all see the scores.
        console: `rich.console.Console` for the progress; None for silence.

    Returns:
        The rows of `history.csv`; none in a process that does not see the folder.

    Raises:
        InputError: If task, recipe or callbacks are none, the data cannot be trained on, the folder
            holds a run and is not to, or none to resume, or another training is at work in it, or
            a resumed run would contradict its record; the folder is then as it was. Or if the
            folder cannot be written to in the course of the training; the last checkpoint is then
            whole. Or if a process that trains with this one is gone.
        Stopped: If SIGTERM or SIGINT came; the checkpoint is then of the step before.
    """
    _check_arguments(task, recipe, resume, callbacks)
    run, chief = Run(folder), worker() == 0
    with together(), run.locked() if chief else contextlib.nullcontext():
        run.check(resume=resume, overwrite=overwrite)
        if recipe is None and resume:
            recipe = task.RECIPE.of(run.record)
        task.check(recipe)
        recipe = _settled(recipe, run.record if resume else None)
        check_same({**vars(recipe), **task.facts(), "sources": {}, "resume": resume})
        devices.check_recipe(recipe)
        with devices.strategy().scope():
            say = console if chief else None
            start = _go_on(task, recipe, run, say) if resume else _begin(task, recipe, say)
            task.teach(start.model, recipe)
        _set_batch_norm(start.model, recipe)
        check_same({"the checkpoint": dataclasses.asdict(start.plan.start)})
        if chief:  # all have read by now what this may change
            _prepare(run, start, overwrite)
        if start.plan.over:
            done = start.plan.start.epoch
            _say(say, f"the run is over: {done} of {start.plan.epochs} epochs")
            return run.rows()
        if gpus := told_of_gpus():
            _say(say, gpus)
        _train(task, recipe, run, start, callbacks, console)
        meet()  # by now the chief has written what all read
        return run.rows()


def _check_arguments(task, recipe, resume, callbacks):
    """Refuses what `train` would stumble over once the folder is made."""
    if not isinstance(task, Task):
        raise InputError(
            f"a {type(task).__name__} is no task",
            expected="a DetectionTask(dataset) or a ClassificationTask(dataset)",
        )
    if not isinstance(recipe, task.RECIPE) and not (recipe is None and resume):
        raise InputError(f"recipe is {recipe!r}", expected=f"a {task.RECIPE.__name__}(…)")
    several = isinstance(callbacks, list | tuple)
    if not several or not all(isinstance(one, keras.callbacks.Callback) for one in callbacks):
        raise InputError(f"callbacks are {callbacks!r}", expected="a list of Keras callbacks")


def _settled(recipe, record):
    """The recipe with what was left to the begin of the training; `record` is of a resumed one."""
    settled = {}
    if recipe.precision == "auto":
        settled["precision"] = record["precision"] if record else devices.precision(fastest())
    if recipe.resize is None:
        settled["resize"] = record["resize"] if record else recipe.resizing
    return dataclasses.replace(recipe, **settled)


def _train(task, recipe, run, start, callbacks, console):
    """Carries out the plan of a `Start`."""
    model, plan, stop, chief = start.model, start.plan, StopSignal(), worker() == 0
    wishes = Wishes(stop, recipe.checkpoint_minutes)
    say = functools.partial(_say, console)
    damage = Damage(task, recipe, say)
    # Several processes decode their own parts alone, which differ from epoch to epoch.
    alone = workers() == 1
    memory = PixelMemory(say=say, enough=lambda: stop.number is not None) if alone else None

    def batches(plan):
        share = worker(), workers()
        feed = {"stand_ins": damage.stand_ins, "memory": memory, "share": share}
        return task.batches(recipe, plan, **feed)

    def mend(plan, error):
        damaged = damage.find(plan, error)
        if chief:
            with writing(run):
                run.write({**run.record, "damaged": damaged})

    def end(epoch, step, batch, figures):
        here = plan.from_here(plan.position(epoch, 0, step))
        if workers() > 1:  # here is a share of it; the chief saves the whole
            whole = task.batches(recipe, here, stand_ins=damage.stand_ins)
            batch = next(iter(whole)) if chief else None
        with writing(run) if chief else contextlib.nullcontext():
            raise diverged(run.folder, batch, damage.names_at(here), epoch, step, figures, model)

    watching = _callbacks(task, recipe, run, start, wishes, console if chief else None)
    # Only the caller's callbacks ask for an end that the others do not ask for at the same step.
    agree = any_of if any_of(bool(callbacks)) else bool
    loop = Loop(model, plan, batches, mend=mend, diverged=end, agree=agree)
    try:
        with stop.caught():
            loop.run([*watching, *callbacks], start.state.metrics)
    finally:
        for callback in watching:
            if isinstance(callback, Progress):
                callback.close()


def _set_batch_norm(model, recipe):
    """Not where one device trains: Keras' synchronised operations are slower than the kernel."""
    several = devices.strategy().num_replicas_in_sync > 1
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = several and recipe.sync_batch_norm


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


def _prepare(run, start, overwrite):
    """Makes the folder ready to be trained in; until here it was as it is."""
    with writing(run):
        run.remove_left_over()
        if overwrite:
            run.clear()
        if start.fell_back:
            os.replace(run.previous, run.last)
        if not start.plan.over:
            run.write(start.record)


def _begin(task, recipe, console):
    """The `Start` of a new run."""
    plan = Plan(task.steps(recipe), recipe.total_epochs, recipe.batch_size)
    model = task.build(recipe)
    if recipe.weights is not None:
        report = transfer_weights(model, load_model(recipe.weights))
        if recipe.freeze:
            for name in report.loaded:
                model.get_layer(name).trainable = False
        _say(console, str(report))
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
        say=lambda text: _say(console, text),
    )


def _go_on(task, recipe, run, console):
    """The `Start` of a run that goes on."""
    run.check_task(task.NAME)
    new_weights = recipe.weights is not None and recipe.weights != run.record.get("weights")
    if new_weights and not model_path(recipe.weights).is_file():
        raise InputError("no such file", where=recipe.weights, expected="a .keras file")
    changes = recipe_changes(run, recipe) | data_changes(run, task.facts())
    model, state, fell_back = _last_checkpoint(task, recipe, run, console)
    task.check_resume(recipe, task.RECIPE.of(run.record), state.position.epoch)
    position = _in_steps(state.position, run.record["batch_size"], task.steps(recipe), recipe)
    epochs = recipe.total_epochs
    if recipe.minutes is not None and state.seconds >= 60 * recipe.minutes:
        epochs = position.epoch
    plan = Plan(task.steps(recipe), epochs, recipe.batch_size, position)
    task.go_on(model, plan)
    held = sum(bool(layer.weights) and not layer.trainable for layer in model.layers)
    if held and not recipe.freeze:
        # Networks were not thawed at first, and an optimizer cannot take in weights later.
        _say(console, f"{held} layers are held in this run, without freeze in its record")
    clock = _clock(task, recipe, console, state.seconds)
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
            for name, (was, now) in changes.items():
                _say(console, f"from epoch {first} on: {name} {now} (was {was})")
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
        _say(console, f"note: {error.where}: {error.what}; going on from {run.previous.name}")
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
    sizes = [recipe.size_of(int(row["epoch"]) - 1) for row in rows]
    scores = [
        float(row[task.SCORE])
        for row, size in zip(rows, sizes, strict=True)
        if row.get(task.SCORE) and size == sizes[-1] and int(row["epoch"]) >= first
    ]
    return max(scores, default=-math.inf)


def _in_steps(position, batch_size, steps, recipe):
    """A position within an epoch in the steps of the recipe, which may be longer or fewer now."""
    step = min(position.step * batch_size // recipe.batch_size, steps)
    return dataclasses.replace(position, step=step)


def _record(task, recipe):
    return {"version": __version__, **vars(recipe), **task.facts()}


def _callbacks(task, recipe, run, start, wishes, console):
    """What every epoch does beside its steps, in this order: all score, the chief writes."""
    plan, state, clock, chief = start.plan, start.state, start.clock, worker() == 0
    callbacks, mean, scorer = [Throughput(plan.batch_size)], None, None
    if clock is not None:
        callbacks.insert(0, clock)
    if recipe.mean:
        mean = WeightMean(recipe.mean, state.means)
        callbacks.append(mean)
    if task.validation is not None:
        every = max(1, plan.epochs // 20) if clock is None else clock.due
        scorer = task.scorer(every, functools.partial(_left_out, run, console) if chief else None)
        callbacks.append(scorer)
    if not chief:
        return [*callbacks, *task.watchers(recipe, None), Following(wishes, plan, mean)]
    # A killed process may leave a row too many, which a resumed run drops, but none too few.
    history = History(run, state.rows)
    checkpoints = Checkpoints(
        run,
        plan,
        history,
        best=state.best,
        score=task.SCORE,
        mean=mean,
        wishes=wishes,
        clock=clock,
    )
    board = TensorBoard(run, history, samples=task.samples, shapes=task.shapes, scorer=scorer)
    callbacks += [*task.watchers(recipe, checkpoints), history, board, checkpoints]
    if console is not None:
        callbacks.append(Progress(recipe.batch_size, display_on(console), task.FIGURES))
    return callbacks


def _left_out(run, console, text, damaged):
    """Tells of pictures that are not scored any more, and keeps them in the record."""
    _say(console, text)
    with writing(run):
        run.write({**run.record, "damaged_validation": damaged})


def _say(console, text):
    if console is not None:
        console.print(text, highlight=False, soft_wrap=True)
