"""Real TensorFlow and Keras take seconds to load, so packages of these names are nearly empty."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

KERAS = """
import gc
resting = not gc.isenabled()
found = []
for name in ("sklearn", "pandas", "matplotlib", "other"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
import tensorflow
"""

SCRIPT = """
import gc, sys
sys.modules["wrapt"] = None  # else the package defines its own Keras classes once Keras is there
from yolov2_tf.cli.lean import load_lean
load_lean()
load_lean()
before = gc.get_freeze_count()
import keras
print(*keras.found)
import matplotlib, sklearn
print(matplotlib.found, sklearn.found)
print(keras.resting, keras.tensorflow.resting, gc.isenabled(), gc.get_freeze_count() > before)
"""


def run(folder, packages):
    for name, text in packages.items():
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        capture_output=True,
        text=True,
    )


UNUSED = dict.fromkeys(("sklearn", "pandas", "matplotlib", "other"), "found = 'here'")


def test_keras_alone_does_without_what_no_command_needs(tmp_path):
    tensorflow = "import gc\nresting = not gc.isenabled()"
    done = run(tmp_path, {"keras": KERAS, "tensorflow": tensorflow, **UNUSED})
    assert done.stdout.splitlines() == ["other", "here here", "True True True True"], done.stderr


def test_a_package_that_fails_to_load_fails_as_without_it(tmp_path):
    done = run(tmp_path, {"keras": "raise ImportError('no libcudart')", **UNUSED})
    assert done.stderr.splitlines()[-1] == "ImportError: no libcudart"
