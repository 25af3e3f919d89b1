"""The cases of `tests/golden`, ready to be run: what a reader gets, and what it must answer."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent / "golden"
TOLERANCE = 1e-5


def read(name):
    """The entries of one of the files."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def golden_runs():
    """All good cases and all changed ones.

    Returns:
        List of dicts of `name`; `content`, the text of `yolov2.json`; `pixels` `(H, W, 3)` uint8;
        `threshold`; `input`, the type and shape that the network takes, with some `pixels`;
        `outputs` by name; and either `detections` or a word of the refusal, `refused`. Changed
        ones have the `unchanged` detections, too.
    """
    pictures = {
        picture["name"]: np.array(picture["pixels"], np.uint8).reshape(
            picture["height"], picture["width"], 3
        )
        for picture in read("pictures.json")
    }
    cases = {case["name"]: case for case in read("cases.json")}
    runs = [*cases.values(), *(changed(cases[c["case"]], c) for c in read("changes.json"))]
    return [
        {
            **run,
            "content": run.get("text", json.dumps(run["description"], ensure_ascii=False)),
            "pixels": pictures[run["picture"]],
        }
        for run in runs
    ]


def changed(case, change):
    """A case with a change carried out, and with what that leads to."""
    run = copy.deepcopy(case)
    run["description"].update(change.get("set", {}))
    for key in change.get("remove", ()):
        run["description"].pop(key, None)
    run["outputs"].pop(change.get("remove_output"), None)
    for name, value in change.get("first_value", {}).items():
        run["outputs"][name]["values"][0] = value
    # Where to look is another matter now.
    run["input"]["pixels"] = []
    unchanged = run.pop("detections")
    return {**run, "unchanged": unchanged, **change}


def check_answer(run, answer):
    """Holds a reader's answer against the case.

    Args:
        run: One of `golden_runs`.
        answer: Dict of `refused`, the message, or of `detections` and `input`, the values that
            the network got, flat.
    """
    if "refused" in run:
        assert run["refused"] in answer.get("refused", ""), f"not refused by its name: {answer}"
        return
    assert "refused" not in answer, answer
    found, expected = answer["detections"], run["detections"]
    assert [(one["label"], one["name"]) for one in found] == [
        (one["label"], one["name"]) for one in expected
    ]
    for key in ("box", "score"):
        assert [one[key] for one in found] == [
            pytest.approx(one[key], abs=TOLERANCE) for one in expected
        ]
    given = np.asarray(answer["input"]).reshape(run["input"]["shape"])[0]
    for row, column, *values in run["input"]["pixels"]:
        # 0..255: six digits of float32 are left.
        assert given[row, column].tolist() == pytest.approx(values, abs=1e-3)
