"""Options that would do nothing are refused, before any work."""

import pytest

from yolov2_tf.cli.outputs import check_outputs
from yolov2_tf.errors import InputError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("anchors nowhere --k 7 --sweep 1-2", "--k with --sweep"),
        ("anchors nowhere --k 7 --compare", "--compare with --k"),
        ("anchors nowhere --size 320 --compare", "--compare with --size"),
        ("anchors nowhere --sweep 1-2 --compare", "--compare with --sweep"),
        ("anchors nowhere --plot p.png --compare", "--compare with --plot"),
        ("anchors nowhere --sweep nine", "--sweep 'nine'"),
        ("anchors nowhere --plot p.xyz", "not a name for a plot"),
        ("anchors nowhere --plot p", "not a name for a plot"),
        ("evaluate m.keras nowhere --plot p.xyz", "not a name for a plot"),
        ("wordtree show nowhere --plot p.doc", "not a name for a plot"),
        ("anchors nowhere --plot p.png --json p.png", "--json and --plot are both p.png"),
        ("predict m.keras nowhere --json f --jsonl ./f", "--json and --jsonl are both ./f"),
        ("predict m.keras nowhere --json - --jsonl -", "--json and --jsonl are both -"),
    ],
)
def test_it_is_named(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments.split())
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_outputs_in_places_of_their_own_are_fine():
    check_outputs({"json": "a.json", "plot": "A.PNG", "results": None, "out": "a"})
    with pytest.raises(InputError):
        check_outputs({"json": "a.png", "plot": "a.png"})
