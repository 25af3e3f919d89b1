"""What `yolov2 demo` does; its whole training is what `make demo` is for."""

import io
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.cli.console import make_console
from yolov2_tf.cli.demo import Amount, export_for_phones, show_starter


def shown(out):
    text = io.StringIO()
    show_starter(out, make_console(file=text, width=200))
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


@pytest.mark.parametrize("missing", ["litert_quantizer", "ai_edge_litert"])
def test_without_the_packages_for_export_it_says_so(tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    text = io.StringIO()
    phone = tmp_path / "model.tflite"
    assert (
        export_for_phones(tmp_path / "no.keras", phone, [], make_console(file=text, width=200))
        is None
    )
    assert "litert_quantizer is not installed" in text.getvalue()
    assert "pip install 'yolov2-tf[export]'" in text.getvalue()
    assert not list(tmp_path.iterdir())


def test_the_quick_one_leaves_what_it_promises(tmp_path, monkeypatch, run):
    quick = Amount(scenes=16, watched=4, held_out=4, calibration=4, epochs=1)
    module = sys.modules[Amount.__module__]  # `yolov2_tf.cli.demo` is the command
    monkeypatch.setattr(module, "QUICK", quick)
    monkeypatch.setattr(module, "WHOLE", None)
    code, out, _ = run("demo", "--quick", "--out", tmp_path / "made")
    assert code == 0
    assert "Painting 16 scenes" in out
    for name in ("photo", "detections", "history", "precision_recall"):
        assert (tmp_path / "made" / f"{name}.png").is_file()
    assert (tmp_path / "made" / "model.keras").is_file()
    assert (tmp_path / "made" / "model.tflite").is_file()
    assert "seconds. Look at" in " ".join(out.split())  # wherever the line is broken
