"""Outputs that cannot be written: one message and exit code 2, whichever command it is."""

import pytest


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
    assert "cannot be read or written" in err
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
