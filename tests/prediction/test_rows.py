"""Rows as a list and as lines; a file of lines that was cut anywhere is gone on with."""

import json

import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.prediction.rows import JsonLines, as_row, json_list

FOUND = {"box": [0, 0.1, 0.5, 1], "label": "b", "score": 1}
ROWS = [
    {"image": "a.jpg", "detections": []},
    {"image": "größe \udcff.jpg", "detections": [FOUND]},
    {"image": "c/d.jpg", "detections": [FOUND, FOUND]},
]


@pytest.mark.parametrize("number", range(4))
def test_the_list_is_that_of_json(number, tmp_path, capsys):
    wanted = json.dumps(ROWS[:number], indent=2) + "\n"
    for path in (str(tmp_path / "deep" / "found.json"), "-"):
        with json_list(path) as write:
            for row in ROWS[:number]:
                write(row)
    assert (tmp_path / "deep" / "found.json").read_text() == wanted
    assert capsys.readouterr().out == wanted


def test_a_list_that_fails_leaves_what_was_there(tmp_path, capsys):
    path = tmp_path / "found.json"
    path.write_text("before")
    for place in (str(path), "-"):
        with pytest.raises(TypeError), json_list(place) as write:
            _ = [write(row) for row in (*ROWS, {"image": path})]  # a path is nothing for JSON
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    assert capsys.readouterr().out == ""


def write_lines(path, rows, resume=False):
    lines = JsonLines(path, resume=resume)
    done = [row["image"] in lines.done for row in rows]
    for row, known in zip(rows, done, strict=True):
        if not known:
            lines.write(row)
    lines.close()
    return done


def test_a_file_cut_at_any_byte_is_gone_on_with(tmp_path):
    path = tmp_path / "found.jsonl"
    write_lines(path, ROWS)
    whole = path.read_bytes()
    assert [json.loads(line) for line in whole.splitlines()] == ROWS
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        done = write_lines(path, ROWS, resume=True)
        assert sum(done) == whole[:cut].count(b"\n")
        assert path.read_bytes() == whole


def test_a_row_is_there_once_it_is_written(tmp_path):
    path = tmp_path / "found.jsonl"
    lines = JsonLines(path)
    for number, row in enumerate(ROWS, start=1):
        lines.write(row)
        assert len(path.read_bytes().splitlines()) == number
    lines.close()


@pytest.mark.parametrize(
    "content", ["no newline", '[\n  {"image": "a"}\n]\n', '{"a": 1}\n', '"text"\n', "\0\0\n"]
)
def test_files_of_others_are_left_alone(content, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(InputError, match="not what predict writes"):
        JsonLines(path, resume=True)
    with pytest.raises(InputError, match=r"is there and not empty.*--resume"):
        JsonLines(path)
    assert path.read_text() == content


def test_one_process_writes(tmp_path):
    lines = JsonLines(tmp_path / "found.jsonl")
    with pytest.raises(InputError, match="another process is writing it"):
        JsonLines(tmp_path / "found.jsonl", resume=True)
    lines.close()


def test_nothing_written_leaves_nothing(tmp_path):
    JsonLines(tmp_path / "a" / "b" / "found.jsonl").close()
    assert not list(tmp_path.iterdir())


def test_names_that_are_done(tmp_path):
    path = tmp_path / "found.jsonl"
    names = [f"{i}.jpg" for i in range(3000)]
    lines = JsonLines(path)
    for name in names:
        lines.write({"image": name, "detections": []})
    lines.close()
    lines = JsonLines(path, resume=True)
    assert len(lines.done) == 3000
    assert all(name in lines.done for name in names)
    assert not any(name in lines.done for name in ("", "3000.jpg", "0.JPG", "/0.jpg"))
    lines.close()


def test_a_row_is_rounded_and_named():
    found = {"boxes": np.float32([[0, 0.1234567, 1, 1]]), "labels": [1], "scores": [0.9999999]}
    assert as_row("a", found, ("x", "y")) == {
        "image": "a",
        "detections": [{"box": [0.0, 0.12346, 1.0, 1.0], "label": "y", "score": 1.0}],
    }
