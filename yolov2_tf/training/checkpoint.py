"""`last.keras`: one file with all that a run goes on from, written so that it is always whole.

It is a Keras model file with two members more, which Keras leaves alone: `training.json` says
where the run stands, `mean.npz` holds the mean of the weights, where the run keeps one.
"""

import dataclasses
import json
import math
import zipfile
import zlib

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.plan import Position

STATE = "training.json"
MEAN = "mean.npz"


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands beside its network and optimizer.

    Attributes:
        run: What tells it from other runs, as its record says.
        position: `Position` in the stream and in the plan.
        best: Best score so far, -inf for none.
        rows: Rows of `history.csv`, as dicts.
        metrics: Values of the variables of Keras' metrics in the epoch under way.
        means: Arrays of the mean of the weights, or None.
        seconds: What a training for a time has taken so far.
    """

    run: str
    position: Position
    best: float = -math.inf
    rows: tuple = ()
    metrics: tuple = ()
    means: list | None = None
    seconds: float = 0.0


def save(path, model, state, *, keep):
    """Replaces a checkpoint; whenever the process dies, one whole checkpoint is there.

    Args:
        path: Of the checkpoint.
        model: Keras model with its optimizer.
        state: `State`.
        keep: Path at which the checkpoint of before is kept.
    """
    facts = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    means = facts.pop("means")
    facts["position"] = dataclasses.asdict(state.position)
    facts["best"] = state.best if math.isfinite(state.best) else None
    with replacing(path, durable=True, keep=keep) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(STATE, json.dumps(facts))
            if means is not None:
                with archive.open(MEAN, "w", force_zip64=True) as file:
                    np.savez(file, *means)


def load(path):
    """Reads a checkpoint.

    Args:
        path: Of the checkpoint, or of a `last.keras` of versions that wrote the model alone.

    Returns:
        `(model, state)`; the state is None where the file has none.

    Raises:
        InputError: If it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            if damaged is not None:
                raise zipfile.BadZipFile(f"{damaged} has another checksum")
            state = _read_state(archive) if STATE in archive.namelist() else None
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"is damaged: {error}", where=path) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return load_model(path), state


def _read_state(archive):
    facts = json.loads(archive.read(STATE))
    means = None
    if MEAN in archive.namelist():
        with archive.open(MEAN) as file, np.load(file) as arrays:
            means = [arrays[name] for name in arrays.files]
    best = -math.inf if facts["best"] is None else facts["best"]
    return State(
        run=facts["run"],
        position=Position(**facts["position"]),
        best=best,
        rows=tuple(facts["rows"]),
        metrics=tuple(facts["metrics"]),
        means=means,
        seconds=facts.get("seconds", 0.0),
    )
