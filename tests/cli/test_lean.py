import os
import subprocess
import sys
from pathlib import Path

KERAS = """
found = []
for name in ("sklearn", "pandas", "matplotlib", "other"):
    try:
        __import__(name)
        found.append(name)
    except ImportError:
        pass
"""

SCRIPT = """
import runpy, sys
keep_keras_lean = runpy.run_path(sys.argv[1])["keep_keras_lean"]
keep_keras_lean()
keep_keras_lean()
import keras
print(*keras.found)
import matplotlib, sklearn
print(matplotlib.found, sklearn.found)
"""


def test_keras_alone_does_without_what_no_command_needs(tmp_path):
    """With packages of these names that are nearly empty: the real ones take seconds."""
    for name, text in {
        "keras": KERAS,
        **dict.fromkeys(("sklearn", "pandas", "matplotlib", "other"), "found = 'here'"),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    # By its path: the package itself does more when Keras is imported.
    lean = Path(__file__).resolve().parents[2] / "yolov2_tf" / "cli" / "lean.py"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(lean)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["other", "here here"]
