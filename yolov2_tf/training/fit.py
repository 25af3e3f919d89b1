"""The one loop: fits a task's network in the folder of a run, around Keras' `fit`."""

import dataclasses
from pathlib import Path

from yolov2_tf._version import __version__
from yolov2_tf.errors import InputError
from yolov2_tf.models.transfer import transfer_weights
from yolov2_tf.schedules import Shifted
from yolov2_tf.training.callbacks import Checkpoints, History, Progress, Throughput
from yolov2_tf.training.optimizer import iterations, make_optimizer, strategy
from yolov2_tf.training.plan import Plan
from yolov2_tf.training.resume import data_changes, recipe_changes
from yolov2_tf.training.run import Run
from yolov2_tf.training.weight_mean import WeightMean
from yolov2_tf.zoo.names import load_model


def train(task, recipe, folder, *, resume=False, overwrite=False, callbacks=(), console=None):
    """Trains a network and leaves a run folder, see `Run`.

    More than one GPU is used through `tf.distribute.MirroredStrategy`. A resumed run sees the
    pictures that it would have seen. What it may do otherwise than before (`Recipe.CHANGEABLE`,
    the validation set) it does from its next epoch on, and `changes` of the record says so.
    The learning rate is then that of a training which was planned like this from its beginning.

    Args:
        task: `yolov2_tf.training.detection.DetectionTask` or
            `yolov2_tf.training.classification.ClassificationTask`.
        recipe: Its `Recipe`; None on resume for that of the record.
        folder: Folder of the run.
        resume: Goes on with the run in `folder` from its last epoch.
        overwrite: Begins anew where a run is already.
        callbacks: Keras callbacks. They come last: what scores and saves has been there.
        console: `rich.console.Console` for the progress; None for silence.

    Returns:
        The rows of `history.csv`.

    Raises:
        InputError: If the data cannot be trained on, the folder holds a run and is not to, or
            none to resume, or another training is at work in it, or a resumed run would
            contradict its record. The folder is then as it was.
    """
    run = Run(folder)
    with run.locked():
        run.check(resume=resume, overwrite=overwrite)
        if recipe is None and resume:
            recipe = task.RECIPE.of(run.record)
        task.check(recipe)
        with strategy().scope():
            if resume:
                model, plan, record, rows = _go_on(task, recipe, run, console)
            else:
                model, plan, record, rows = _begin(task, recipe, console)
        if plan.over:
            _say(console, f"the run is over: {plan.start.epoch} of {plan.epochs} epochs")
            return run.rows()
        if overwrite:
            run.clear()
        run.write(record)
        model.fit(
            task.batches(recipe, plan),
            steps_per_epoch=plan.steps,
            initial_epoch=plan.start.epoch,
            epochs=plan.epochs,
            callbacks=[*_callbacks(task, recipe, run, plan, rows, console), *callbacks],
            shuffle=False,  # the stream is in random order already
            verbose=0,
        )
        return run.rows()


def _begin(task, recipe, console):
    """A new network, the plan of its training, its record and no rows."""
    plan = Plan(task.steps(recipe), recipe.total_epochs, recipe.batch_size)
    model = task.build(recipe)
    if recipe.weights is not None:
        report = transfer_weights(model, load_model(recipe.weights))
        if recipe.freeze:
            for name in report.loaded:
                model.get_layer(name).trainable = False
        _say(console, str(report))
    schedule = task.schedule(recipe, plan)
    optimizer = make_optimizer(recipe.optimizer, schedule, recipe.precision)
    task.compile(model, recipe, plan, optimizer)
    return model, plan, {**_record(task, recipe), "changes": []}, []


def _go_on(task, recipe, run, console):
    """The last network of a run, the plan of the rest, its record and the rows so far."""
    run.check_task(task.NAME)
    new_weights = recipe.weights is not None and recipe.weights != run.record.get("weights")
    if new_weights and not Path(recipe.weights).is_file():
        raise InputError("no such file", where=recipe.weights, expected="a .keras file")
    changes = recipe_changes(run, recipe) | data_changes(run, task.facts())
    model = load_model(run.last)
    start = run.position(iterations(model))
    task.check_resume(recipe, task.RECIPE.of(run.record), start.epoch)
    plan = Plan(task.steps(recipe), recipe.total_epochs, recipe.batch_size, start)
    held = sum(bool(layer.weights) and not layer.trainable for layer in model.layers)
    if held and not recipe.freeze:
        # Networks were not thawed at first, and an optimizer cannot take in weights later.
        _say(console, f"{held} layers are held in this run, without freeze in its record")
    schedule = task.schedule(recipe, plan)
    model.optimizer.learning_rate = Shifted(schedule, plan.shift) if plan.shift else schedule
    record = {**run.record, **_record(task, recipe), "progress": [dataclasses.asdict(start)]}
    record["changes"] = list(run.record.get("changes", []))
    if changes:
        first = start.epoch + 1
        record["changes"].append(
            {"epoch": first, **{name: {"was": a, "is": b} for name, (a, b) in changes.items()}}
        )
        if not plan.over:
            for name, (was, now) in changes.items():
                _say(console, f"from epoch {first} on: {name} {now} (was {was})")
    return model, plan, record, run.rows(start.epoch)


def _record(task, recipe):
    return {"version": __version__, **vars(recipe), **task.facts()}


def _callbacks(task, recipe, run, plan, rows, console):
    """What every epoch does beside its steps, in this order."""
    callbacks, mean = [Throughput(plan.steps * plan.batch_size)], None
    if recipe.mean:
        mean = WeightMean(run.mean, recipe.mean, resume=plan.start.epoch > 0)
        callbacks.append(mean)
    if task.validation is not None:
        callbacks.append(task.scorer(max(1, plan.epochs // 20)))
    checkpoints = Checkpoints(
        run, plan, _best(task, recipe, run, rows), score=task.SCORE, mean=mean
    )
    callbacks += task.watchers(recipe, checkpoints)
    # A killed process may leave a row too many, which a resumed run drops, but none too few.
    callbacks += [History(run, rows, samples=task.samples), checkpoints]
    if console is not None:
        callbacks.append(Progress(recipe.batch_size, console, task.FIGURES))
    return callbacks


def _best(task, recipe, run, rows):
    """The best score so far of those that later ones can be compared with.

    Scores at another input size, or on another validation set, are not among them.
    """
    since = [change["epoch"] for change in run.record["changes"] if "validation" in change]
    first = max(since, default=1)
    sizes = [recipe.size_of(int(row["epoch"]) - 1) for row in rows]
    scores = [
        float(row[task.SCORE])
        for row, size in zip(rows, sizes, strict=True)
        if row.get(task.SCORE) and size == sizes[-1] and int(row["epoch"]) >= first
    ]
    return max(scores, default=float("-inf"))


def _say(console, text):
    if console is not None:
        console.print(text, highlight=False, soft_wrap=True)
