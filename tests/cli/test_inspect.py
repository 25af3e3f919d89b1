"""`yolov2 inspect` as users call it."""

import json

import pytest

from yolov2_tf.data.digits import scenes as digits


def test_the_report_is_written_and_json_is_clean(run, tmp_path, monkeypatch):
    monkeypatch.setitem(digits.SPLITS, "val", 40)  # of 200
    out = tmp_path / "report"
    code, stdout, _ = run("inspect", "digits", "--split", "val", "--no-check", "--out", out,
                          "--json", "-", "--size", 320, "--anchors", 2)  # fmt: skip
    assert code == 0
    value = json.loads(stdout)
    assert value["input_size"] == 320
    assert len(value["anchors"]) == 2
    assert sum(part["pictures"] for part in value["image_sets"].values()) > 0
    assert json.loads((out / "data.json").read_text()) == value
    assert sorted(path.name for path in out.iterdir()) == ["data.json", "index.html"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "nowhere to put"),
        (["digits", "--size", "100", "--json", "-"], "multiple of 32"),
        (["nowhere", "--json", "-"], "no such data set"),
    ],
)
def test_unusable_input_is_one_message(run, arguments, message):
    code, _, err = run("inspect", *arguments)
    assert code == 2
    assert message in err
