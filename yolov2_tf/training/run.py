"""A run: the folder that a training leaves, and what its record says."""

import csv
import dataclasses
import functools
import json
import shutil
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.files import remove_left_over, replacing
from yolov2_tf.training.lock import NAME, folder_lock
from yolov2_tf.training.plan import Position


class Run:
    """The folder of one training.

    It holds `model.keras` (the best), `last.keras` (the checkpoint to resume from),
    `previous.keras` (the one before it, should that be damaged), `config.json` (the record),
    `held_out.txt` (the pictures that score, where these were parted from those that train),
    `history.csv`, `history.png` and `tensorboard/`.

    Args:
        folder: Path of the folder, which need not exist yet.

    Attributes:
        folder: Its `Path`.
        config: `Path` of the record.
        last: `Path` of the last checkpoint, see `yolov2_tf.training.checkpoint`.
        previous: `Path` of the checkpoint before it.
        best: `Path` of the network with the best score.
        history: `Path` of the figures of every epoch.
        held_out_file: `Path` of the list of pictures that were held out.
        mean: `Path` of the mean of the weights, of a run before it was part of the checkpoint.
    """

    FILES = ("model.keras", "last.keras", "config.json", "history.csv", "history.png")

    def __init__(self, folder):
        self.folder = Path(folder)
        self.best, self.last, self.config, self.history, _ = (self.folder / n for n in self.FILES)
        self.previous = self.folder / "previous.keras"
        self.held_out_file = self.folder / "held_out.txt"
        self.mean = self.folder / "mean.npz"

    def locked(self):
        """Context in which no other training can be at work here, see `folder_lock`."""
        return folder_lock(self.folder)

    @property
    def at_work_file(self):
        """`Path` of the file that is here while a training is at work, or after one was killed."""
        return self.folder / NAME

    def check(self, *, resume=False, overwrite=False):
        """Refuses a folder that is not what the caller takes it for.

        Args:
            resume: Whether a run is to go on here.
            overwrite: Whether a run that is here is to be replaced.

        Raises:
            InputError: If there is nothing to resume, or a run that nobody wants to lose.
        """
        if resume and overwrite:
            raise InputError("resume and overwrite exclude each other", where=self.folder)
        files = (self.best, self.last, self.previous, self.config, self.history)
        here = any(path.exists() for path in files)
        if resume and not (self.last.is_file() or self.previous.is_file()):
            ended = "overwrite it (--overwrite): it ended before its first checkpoint"
            raise InputError(
                "nothing to resume",
                where=self.folder,
                expected="last.keras of an earlier training",
                hint=ended if here else None,
            )
        if here and not (resume or overwrite):
            raise InputError(
                "a run is here already",
                where=self.folder,
                expected="a new folder",
                hint="resume it (--resume), overwrite it (--overwrite), or choose another folder",
            )

    def clear(self):
        """Removes the files of a run, and leaves what else is in the folder."""
        for name in self._names:
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)
        self.__dict__.pop("record", None)

    def remove_left_over(self):
        """Removes the temporary files of a training that was killed."""
        remove_left_over(self.folder, self._names)

    @property
    def _names(self):
        more = self.previous, self.held_out_file, self.mean
        return (*self.FILES, *(path.name for path in more))

    # === The pictures that score ===

    @property
    def held_out(self):
        """`image_id` of the pictures that were held out, a tuple; None where nothing says so."""
        if not self.held_out_file.is_file():
            return None
        return tuple(json.loads(line) for line in self.held_out_file.read_text().splitlines())

    def write_held_out(self, image_ids):
        """Writes down which pictures were held out, a JSON string a line."""
        with replacing(self.held_out_file) as path, path.open("w") as file:
            file.writelines(f"{json.dumps(name)}\n" for name in image_ids)

    # === The record ===

    @functools.cached_property
    def record(self):
        """What `config.json` says, as a dict.

        Raises:
            InputError: If it cannot be read.
        """
        try:
            record = json.loads(self.config.read_text())
            record["data"]["name"], record["classes"], record["batch_size"], record["epochs"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"cannot be read as the record of a training: {error}", where=self.config
            ) from error
        # Records were without it at first; of those only a detector's names its model.
        record.setdefault("task", "detection" if "model" in record else "classification")
        return record

    def check_task(self, name):
        """Refuses to go on with a detector as a classifier, and the other way round.

        Args:
            name: `Task.NAME` of what is to go on.

        Raises:
            InputError: If the run is of another task.
        """
        if self.record["task"] != name:
            raise InputError(
                f"it is a run of {self.record['task']}, not of {name}", where=self.folder
            )

    def write(self, record):
        """Replaces the record."""
        with replacing(self.config) as path:
            path.write_text(json.dumps(record, indent=2) + "\n")
        self.record = record

    # === How far it is ===

    def note(self, position):
        """Notes in the record where the run stands, for people: a checkpoint says so itself.

        Args:
            position: `Position`.
        """
        self.write({**self.record, "progress": [dataclasses.asdict(position)]})

    def position(self, iterations):
        """Where the run stood when its `last.keras` was saved, if that does not say so itself.

        Args:
            iterations: Steps that the optimizer in it counts.

        Returns:
            `Position`.

        Raises:
            InputError: If the record knows no such position.
        """
        progress = [Position(**position) for position in self.record.get("progress", [])]
        for position in reversed(progress):
            if position.iterations == iterations:
                return position
        if progress:
            known = " or ".join(str(position.iterations) for position in progress)
            raise InputError(
                f"last.keras was saved after {iterations} steps",
                where=self.folder,
                expected=f"{known} steps, as its config.json says",
            )
        return self._position_in_old_record(iterations)

    def _position_in_old_record(self, iterations):
        """The same for records without positions: they say how long an epoch was."""
        record = self.record
        images = record["data"]["images"]
        if record.get("classification"):
            images *= sum(record["ratio"]) / record["ratio"][0]
        steps = max(1, round(images / record["batch_size"]))
        return Position(iterations // steps, 0, iterations, iterations * record["batch_size"])

    def rows(self, epochs=None):
        """The rows of `history.csv`, up to an epoch if given.

        Each is a dict of float, but for the int `epoch`; what was not measured then is not in it.
        """
        if not self.history.is_file():
            return []
        with self.history.open(newline="") as file:
            rows = [_numbers(row) for row in csv.DictReader(file)]
        return [row for row in rows if epochs is None or row["epoch"] <= epochs]


def _numbers(row):
    figures = {name: float(value) for name, value in row.items() if value}
    return {**figures, "epoch": int(row["epoch"])}
