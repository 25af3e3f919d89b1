"""Options that would do nothing are refused, before any work."""

from types import SimpleNamespace

import pytest

from yolov2_tf.cli.outputs import check_outputs
from yolov2_tf.cli.training_data import _open_sets
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
        ("evaluate starter-tiny digits --size 100000", "a multiple of 32, at most 8,192"),
        ("evaluate starter-tiny digits --size 0", "a multiple of 32, at most 8,192"),
        ("classify predict m.keras p.jpg --size 100000", "a multiple of 32, at most 8,192"),
        ("classify evaluate m.keras digits --size -32", "a multiple of 32, at most 8,192"),
        ("describe darknet19 --size 0", "size 0"),
        ("demo-web --export site --port 80", "--port with --export"),
        ("inspect nowhere --json - --no-check --no-pictures", "--no-check with --no-pictures"),
        ("inspect nowhere --json - --check --no-pictures", "--check with --no-pictures"),
        ("inspect digits --json - --images .", "holds its pictures itself"),
        ("inspect digits --json - --format voc", "it has one form only"),
        ("anchors tfds:voc --images .", "holds its pictures itself"),
        ("train nowhere --out run --val-images .", "--val-images without --val"),
        ("train nowhere --out run --hold-out 0.2 --val x", "--hold-out with --val"),
        ("train nowhere --out run --hold-out 0.2 --val-split x", "--hold-out with --val"),
        (
            "train nowhere --out run --from-scratch --model starter --recipe paper",
            "--from-scratch with a trained --model",
        ),
        ("classify train nowhere --out run --fine-zoom 1-2", "--fine-zoom without"),
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
    with pytest.raises(InputError, match="--out and --names are both"):  # of `wordtree build`
        check_outputs({"out": "my.tree", "names": "./my.tree"})


@pytest.mark.parametrize(
    ("val", "folder", "form"),
    [(None, "pictures", "voc"), ("other", "pictures", "voc"), ("digits", None, None)],
)
def test_what_is_said_of_data_holds_for_a_second_set_that_can_have_it(
    monkeypatch, val, folder, form
):
    opened = []
    monkeypatch.setattr(
        "yolov2_tf.data.training_sets.open_training_sets", lambda *sets, **_: opened.extend(sets)
    )
    given = {"data": "data", "split": None, "images": "pictures", "format": "voc", "val": val}
    others = {
        "val_split": "val",
        "val_images": None,
        "classes": None,
        "hold_out": 0,
        "resume": False,
    }
    _open_sets(SimpleNamespace(**given, **others, recipe=SimpleNamespace(seed=0)), None)
    assert [(one.images, one.format) for one in opened] == [("pictures", "voc"), (folder, form)]
