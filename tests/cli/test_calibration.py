"""Pictures that calibrate are of those that train, and it is said which."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from yolov2_tf.cli.calibration import calibration_pictures, shared_with
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError


@pytest.fixture
def sets(tmp_path):
    """Two pictures to train on, which are grey, and one to test on, which is white."""
    heading = "image,xmin,ymin,xmax,ymax,label"
    for name, values in {"train": (100, 101), "test": (255,)}.items():
        rows = [heading]
        for value in values:
            Image.new("RGB", (60, 40), (value,) * 3).save(tmp_path / f"{value}.png")
            rows.append(f"{value}.png,5,5,{value // 10},30,cat")
        (tmp_path / f"{name}_labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def calibrating(data, split=None):
    console = Console(file=io.StringIO(), width=200)
    pictures, dataset = calibration_pictures(data, split, console, "--calibrate-split")
    values = sorted(int(np.max(picture)) for picture in pictures)
    return values, dataset, console.file.getvalue()


def test_they_are_of_the_image_set_that_trains(sets):
    values, _, said = calibrating(sets)
    assert values == [100, 101]
    assert "train_labels calibrates; test_labels is not used (--calibrate-split picks" in said
    assert "calibration: 2 pictures of" in said


def test_another_set_can_be_asked_for(sets):
    assert calibrating(sets, "test")[0] == [255]


def test_a_set_for_testing_alone_calibrates_nothing_unasked(sets):
    (sets / "train_labels.csv").unlink()
    (sets / "test").mkdir()
    (sets / "test_labels.csv").rename(sets / "test" / "test_labels.csv")
    (sets / "255.png").rename(sets / "test" / "255.png")
    for name in ("100.png", "101.png"):
        (sets / name).unlink()
    with pytest.raises(InputError, match="not to train on") as raised:
        calibrating(sets)
    assert raised.value.hint.startswith("--calibrate-split test")


def test_pictures_that_are_scored_as_well_are_counted(sets):
    scored = open_dataset(sets, split="test")
    assert shared_with(None, scored) is None
    assert shared_with(calibrating(sets)[1], scored) is None
    assert shared_with(calibrating(sets, "test")[1], scored).startswith("1 of the pictures")


def test_a_split_of_nothing_is_refused(run):
    code, _, err = run("benchmark", "m.keras", "--data", "digits", "--calibrate-split", "val")
    assert code == 2
    assert "--calibrate-split without --calibrate" in err
