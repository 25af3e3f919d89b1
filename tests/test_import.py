"""Importing the package is light; its names come when they are used."""

import subprocess
import sys

import pytest

import yolov2_tf

HEAVY = ("tensorflow", "keras", "numpy", "matplotlib", "tensorflow_datasets", "sklearn")


def test_import_loads_no_heavy_library():
    code = f"import sys, yolov2_tf; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


@pytest.mark.parametrize("name", yolov2_tf.__all__)
def test_every_public_name_can_be_used(name):
    assert name in dir(yolov2_tf)
    assert getattr(yolov2_tf, name) is not None


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = yolov2_tf.no_such_name
