"""What `yolov2 demo` shows before it trains; the training is what `make demo` is for."""

import io

import matplotlib
import numpy as np
from PIL import Image
from rich.console import Console

from yolov2_tf.cli.demo import show_starter


def shown(out):
    text = io.StringIO()
    show_starter(out, Console(file=text, width=200))
    return text.getvalue()


def test_the_starter_finds_the_person_in_the_photo(tmp_path):
    said = shown(tmp_path / "new")
    assert "person" in said
    drawn = Image.open(tmp_path / "new" / "photo.png")
    photo = Image.open(matplotlib.get_data_path() + "/sample_data/grace_hopper.jpg")
    assert drawn.size == photo.size
    assert np.any(np.asarray(drawn) != np.asarray(photo))


def test_it_goes_on_without_the_photo(tmp_path, monkeypatch):
    monkeypatch.setattr(matplotlib, "get_data_path", lambda: str(tmp_path))
    assert "yolov2 predict starter" in shown(tmp_path)
    assert not list(tmp_path.iterdir())
