"""One device and several train alike."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.devices import RECIPES, task_of
from yolov2_tf.errors import InputError
from yolov2_tf.training import devices
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.recipes import DetectionRecipe

SCRIPT = Path(__file__).with_name("devices.py")
ROOT = SCRIPT.parents[2]
TIMES = ("seconds", "images_per_second")


def start(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process):
    out, error = process.communicate()
    assert process.returncode == 0, error[-3000:]
    return json.loads(out.splitlines()[-1])


def check_rows(rows, others, tolerance=0.02):
    """Figures of every epoch are the same, up to rounding that adds up."""
    assert len(rows) == len(others) == 3
    for left, right in zip(rows, others, strict=True):
        assert left.keys() == right.keys()
        for name in left.keys() - TIMES:
            if left[name] or right[name]:
                close = pytest.approx(float(left[name]), rel=tolerance, abs=tolerance)
                assert float(right[name]) == close, (name, left["epoch"])


def check_weights(name, folder, other):
    """The way from where they began is as long, and leads to the same place."""
    start = task_of(name).build(RECIPES[name]).trainable_variables
    ends = [load(place / "last.keras")[0].trainable_variables for place in (folder, other)]
    moved, apart = (
        np.sqrt(sum(np.square(np.asarray(a) - np.asarray(b)).sum() for a, b in pairs))
        for pairs in (zip(start, ends[0], strict=True), zip(*ends, strict=True))
    )
    assert moved > 0.01
    assert apart < 0.01 * moved


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    return folder, said(start(folder))


@pytest.mark.parametrize("name", RECIPES)
def test_two_devices_are_as_one(both, name):
    folder, found = both
    one, two = (found[f"{name} {count}"] for count in ("one", "two"))
    check_rows(one, two)
    if name == "detection":  # the limit acts, on the sum of both
        assert float(one[-1]["gradient_norm"]) > RECIPES[name].clip_norm
    check_weights(name, *(folder / f"{name} {count}" for count in ("one", "two")))


def test_what_cannot_be_shared_out_is_refused(monkeypatch):
    class Three:
        num_replicas_in_sync = 3

    monkeypatch.setattr(devices, "strategy", Three)
    devices.check_recipe(DetectionRecipe(batch_size=6))
    with pytest.raises(InputError, match=r"batch_size is 8, on 3 devices \(expected a multiple"):
        devices.check_recipe(DetectionRecipe(batch_size=8))
    with pytest.raises(InputError, match="accumulate is 2, on 3 devices"):
        devices.check_recipe(DetectionRecipe(batch_size=6, accumulate=2))
    with pytest.raises(InputError, match="precision is mixed_float16, on 3 devices"):
        devices.check_recipe(DetectionRecipe(batch_size=6, precision="mixed_float16"))
    assert devices.precision("mixed_float16") == "float32"
    assert devices.precision("mixed_bfloat16") == "mixed_bfloat16"
