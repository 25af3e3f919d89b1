"""Outputs that cannot be written: one message and exit code 2, whichever command it is."""

import errno
import os

import pytest

from yolov2_tf.cli.outputs import check_outputs
from yolov2_tf.errors import InputError


@pytest.fixture
def boxes(tmp_path):
    """A CSV data set; `anchors` needs no pictures of it."""
    path = tmp_path / "boxes.csv"
    rows = [f"{i}.png,{i},{i},{20 + 3 * i},{30 + i},a,100,100" for i in range(6)]
    path.write_text("\n".join(["image,xmin,ymin,xmax,ymax,label,width,height", *rows]) + "\n")
    return path


def test_a_file_where_a_folder_should_be(run, boxes, tmp_path):
    code, _, err = run("anchors", boxes, "--k", "2", "--json", boxes / "out.json")
    assert code == 2
    assert "is no folder" in err.replace("\n", " ")
    assert str(boxes) in err.replace("\n", "")
    assert "Traceback" not in err


def test_a_full_disk(run, boxes, tmp_path, monkeypatch):
    import contextlib

    @contextlib.contextmanager
    def full(path):
        yield "/dev/full"

    monkeypatch.setattr("yolov2_tf.cli.parsing.replacing", full)
    code, _, err = run("anchors", boxes, "--k", "2", "--json", tmp_path / "out.json")
    assert code == 2
    assert "No space left on device" in err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("json", "folder", "--json is a folder"),
        ("plot", "folder.png", "--plot is a folder"),
        ("results", "folder.json", "--results is a folder"),
        ("results", "file", "--results is a file"),
        ("report", "file", "--report is a file"),
        ("map_out", "file/deep/er", "file is no folder"),
    ],
)
def test_places_that_cannot_be_written_are_refused_before_the_work(tmp_path, name, place, message):
    for folder in ("folder", "folder.png", "folder.json"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=message):
        check_outputs({name: tmp_path / place})


def test_places_that_can_be_written_are_not_refused(tmp_path):
    (tmp_path / "file").touch()
    given = {"json": "/dev/null", "results": tmp_path, "report": tmp_path / "new" / "page"}
    check_outputs({**given, "plot": tmp_path / "a.png", "map_out": tmp_path / "file", "out": "-"})


def test_a_folder_that_nobody_may_write_into_is_refused(tmp_path, monkeypatch):
    made = os.mkdir

    def refused(path, *args, **kwargs):
        if os.path.dirname(path) == str(tmp_path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        made(path, *args, **kwargs)

    monkeypatch.setattr("os.mkdir", refused)
    for place in ("new/a.json", "a.json"):
        with pytest.raises(InputError, match="--json: nothing can be written there"):
            check_outputs({"json": tmp_path / place})


def test_a_place_where_nobody_makes_anything_is_refused_before_the_work():
    for name, place in (("report", "/proc/x"), ("json", "/proc/x/a.json"), ("out", "/proc/x")):
        with pytest.raises(InputError, match=f"--{name}: nothing can be written there"):
            check_outputs({name: place})


def test_the_trial_leaves_nothing(tmp_path):
    check_outputs({"report": tmp_path / "a" / "b", "json": tmp_path / "a.json"})
    assert not list(tmp_path.iterdir())
