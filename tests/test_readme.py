"""The README's Python runs as it stands."""

import re
from pathlib import Path

import keras
import numpy as np

from yolov2_tf.data.digits import scenes as digits

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_ten_lines_of_keras_run(tmp_path, monkeypatch):
    training, predicting = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    fit = keras.Model.fit
    # The lines are the README's; only how long they train and on how many scenes is cut.
    monkeypatch.setitem(digits.SPLITS, "train", 16)
    monkeypatch.setattr(
        keras.Model,
        "fit",
        lambda self, *data, **options: fit(self, *data, steps_per_epoch=2, epochs=1, verbose=0),
    )
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(training, names)
    assert np.isfinite(names["model"].history.history["loss"]).all()
    names["picture"] = np.zeros((50, 70, 3), np.uint8)
    exec(predicting, names)
    assert set(names["found"]) == {"boxes", "labels", "scores"}
    assert (tmp_path / "digits.keras").is_file()


def test_the_ten_lines_are_at_most_ten():
    training, _ = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len([line for line in training.splitlines() if line.strip()]) <= 10
