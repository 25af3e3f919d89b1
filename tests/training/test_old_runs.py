"""Runs of commit 5fb6dd8 go on: their records have no positions and no places of data."""

import dataclasses
import tarfile
from pathlib import Path

import pytest

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.labels import open_classification
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.run import Run

ARCHIVE = Path(__file__).parents[1] / "old_files" / "old_files.tar.xz"


def few(dataset, record):
    """A few pictures under the name that the record has."""
    dataset = dataclasses.replace(dataset, name=record["data"]["name"], records=dataset.records[:8])
    return check_images(dataset)[0]


@pytest.mark.parametrize("name", ["detector", "classifier"])
def test_an_old_run_goes_on(tmp_path, name):
    with tarfile.open(ARCHIVE) as archive:
        members = [m for m in archive if m.name.startswith(f"runs/{name}/")]
        archive.extractall(tmp_path, members=members, filter="data")
    run = Run(tmp_path / "runs" / name)
    done = len(run.rows())
    assert done
    if name == "detector":
        scenes = open_digits("train", count=8, size=run.record["size"])
        task = DetectionTask(few(scenes, run.record))
    else:
        task = ClassificationTask(few(open_classification("digits", "train"), run.record))
    recipe = task.RECIPE.of(run.record)
    # Of 2,000 or 1,000 pictures 8 are left: an epoch has one step now, and the run is not over.
    recipe = dataclasses.replace(recipe, epochs=recipe.epochs + 1)
    rows = train(task, recipe, run.folder, resume=True)
    assert [int(row["epoch"]) for row in rows] == list(range(1, done + 2))
    assert Run(run.folder).record["progress"][-1]["epoch"] == done + 1
