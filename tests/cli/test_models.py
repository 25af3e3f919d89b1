"""Models by name on the command line."""

import json
import shutil
from pathlib import Path

import pytest

from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.zoo import shipped
from yolov2_tf.zoo.names import names


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache that holds `yolov2-tiny-voc`, so that nothing is downloaded."""
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cache").mkdir()
    path = tmp_path / "cache" / "yolov2-tiny-voc.keras"
    TinyYOLOv2(["ant", "bee"], width=1 / 16, input_size=32).save(path)
    return path


def test_the_list_says_what_is_here(run, kept):
    code, out, _ = run("models", "--json", "-")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert list(rows) == names()
    here = [name for name, row in rows.items() if row["kept"]]
    assert here == [*shipped.NETWORKS, "yolov2-tiny-voc"]
    code, out, _ = run("models")
    assert code == 0
    assert all(name in out for name in names())


def test_a_name_stands_for_its_file(run, kept):
    named = run("evaluate", "yolov2-tiny-voc", "digits", "--split", "val")
    by_path = run("evaluate", kept, "digits", "--split", "val")
    assert named[0] == by_path[0] == 2  # its classes are not those of the digits
    assert named[2] == by_path[2]
    code, _, err = run("export", "yolov2-tiny-voc", "--out", "net", "--format", "darknet")
    assert code == 0, err


def test_without_a_connection_it_says_where_to_put_the_file(run, kept, monkeypatch):
    shutil.rmtree(kept.parent)
    monkeypatch.setattr("yolov2_tf.zoo.published.REPOSITORY", "http://127.0.0.1:9")
    Path("photo.jpg").touch()
    code, _, err = run("predict", "yolov2-voc", "photo.jpg", "--out", "drawn")
    assert code == 2
    assert "cannot be reached" in err
    assert str(kept.parent / "yolov2-voc.cfg") in err.replace("\n", "")
