"""Fits a task's network in the folder of a run."""

import contextlib
import dataclasses
import functools
import os

import keras

from yolov2_tf.data.hold_out import was_held_out
from yolov2_tf.data.pixel_memory import PixelMemory
from yolov2_tf.errors import InputError
from yolov2_tf.models.copying import all_layers
from yolov2_tf.training import devices
from yolov2_tf.training.agreement import any_of, check_same, meet, together
from yolov2_tf.training.callbacks import Checkpoints, History, Throughput
from yolov2_tf.training.cluster import worker, workers
from yolov2_tf.training.damage import Damage
from yolov2_tf.training.divergence import diverged
from yolov2_tf.training.gpus import told_of_gpus
from yolov2_tf.training.loop import Loop
from yolov2_tf.training.precision import fastest, policy_kept
from yolov2_tf.training.progress import Progress, display_on, tell
from yolov2_tf.training.run import Run
from yolov2_tf.training.start import begin, go_on
from yolov2_tf.training.stopping import StopSignal
from yolov2_tf.training.task import Task
from yolov2_tf.training.tensorboard import TensorBoard
from yolov2_tf.training.weight_mean import WeightMean
from yolov2_tf.training.wishes import Following, Wishes
from yolov2_tf.training.writing import writing

_SETS_THE_RATE = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


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
        The rows of `history.csv`, a dict of numbers for each epoch, see `Run.rows`; none in a
        process that does not see the folder.

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
    with together(), policy_kept(), run.locked() if chief else contextlib.nullcontext():
        run.check(resume=resume, overwrite=overwrite)
        if recipe is None and resume:
            recipe = task.RECIPE.of(run.record)
        task.check(recipe)
        recipe = _settled(recipe, run.record if resume else None)
        check_same({**vars(recipe), **task.facts(), "sources": {}, "resume": resume})
        devices.check_recipe(recipe)
        with devices.strategy().scope():
            say = console if chief else None
            start = go_on(task, recipe, run, say) if resume else begin(task, recipe, say)
            task.teach(start.model, recipe)
        _set_batch_norm(start.model, recipe)
        check_same({"the checkpoint": dataclasses.asdict(start.plan.start)})
        if chief:  # all have read by now what this may change
            _prepare(run, start, overwrite, task.validation)
        if start.plan.over:
            done = start.plan.start.epoch
            tell(say, f"the run is over: {done} of {start.plan.epochs} epochs")
            return run.rows()
        if gpus := told_of_gpus():
            tell(say, gpus)
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
    for one in callbacks:
        if isinstance(one, _SETS_THE_RATE):
            raise InputError(
                f"a {type(one).__name__} would set the learning rate, which has a schedule",
                expected="callbacks that leave it alone",
                hint="schedule and learning_rate of the recipe",
            )


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
    say = functools.partial(tell, console)
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
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = several and recipe.sync_batch_norm


def _prepare(run, start, overwrite, validation):
    """Makes the folder ready to be trained in; until here it was as it is."""
    with writing(run):
        run.remove_left_over()
        if overwrite:
            run.clear()
        if start.fell_back:
            os.replace(run.previous, run.last)
        if start.plan.over:
            return
        run.write(start.record)
        if was_held_out(validation):
            run.write_held_out(validation.records.image_ids)


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
    tell(console, text)
    with writing(run):
        run.write({**run.record, "damaged_validation": damaged})
