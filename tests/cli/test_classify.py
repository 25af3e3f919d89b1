"""`yolov2 classify` as users call it: folders in; a model, JSON and exit codes out."""

import json
import shutil

import numpy as np
import pytest
from command_line import call
from PIL import Image


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Dark and bright pictures, some of the bright ones red; a tree over them."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    colours = {"dark": (20, 20, 20), "white": (220, 220, 220), "red": (220, 60, 60)}
    for split, count in (("train", 4), ("val", 1)):
        for name, colour in colours.items():
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = np.array(colour) + rng.integers(-15, 16, (40, 48, 3))
                Image.fromarray(pixels.astype(np.uint8)).save(folder / split / name / f"{i}.png")
    (folder / "colours.tree").write_text("dark -1\nbright -1\nwhite 1\nred 1\n")
    return folder


SMALL = ["--width", 0.0625, "--size", 32, "--batch-size", 6, "--optimizer", "adam"]
SMALL += ["--learning-rate", 0.01, "--epochs", 2]


@pytest.fixture(scope="module")
def flat(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("flat")
    splits = ["--split", "train", "--val-split", "val"]
    assert (
        call("classify", "train", data, *splits, "--out", out, *SMALL, "--high-resolution", "64,1")
        == 0
    )
    return out / "model.keras"


@pytest.fixture(scope="module")
def with_tree(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("tree")
    tree = ["--tree", data / "colours.tree"]
    assert (
        call(
            "classify", "train", data / "train", "--val", data / "val", *tree, "--out", out, *SMALL
        )
        == 0
    )
    return out / "model.keras"


def test_train_leaves_a_run(flat):
    assert {p.name for p in flat.parent.iterdir()} == {
        *("model.keras", "last.keras", "previous.keras", "config.json"),
        *("history.csv", "history.png", "tensorboard"),
    }
    config = json.loads((flat.parent / "config.json").read_text())
    assert config["classes"] == ["dark", "red", "white"]
    assert config["high_resolution"] == [64, 1]


def test_the_papers_recipe_is_what_trains_and_what_is_given_wins(run, data, tmp_path):
    out = tmp_path / "run"
    options = ["--recipe", "paper", "--rotation", 3, "--high-resolution", "64,1"]
    code, _, err = run("classify", "train", data / "train", "--out", out, *SMALL, *options)
    assert code == 0, err
    record = json.loads((out / "config.json").read_text())
    assert (record["rotation"], record["clip_norm"]) == (3, None)
    assert record["saturation"] == record["exposure"] == pytest.approx(4 / 3)
    assert record["fine_zoom"] == pytest.approx([1, 512 / 448])
    code, _, err = run("classify", "train", "--resume", "--recipe", "paper", "--out", out)
    assert code == 2
    assert "--recipe with --resume" in err
    code, _, err = run("classify", "train", data / "train", "--recipe", "best", "--out", out)
    assert code == 2
    assert "default or paper" in err


def test_evaluate_writes_json(run, data, flat, with_tree):
    code, out, _ = run("classify", "evaluate", flat, data, "--split", "val", "--json", "-")
    assert code == 0
    scores = json.loads(out)
    assert set(scores) == {"top1", "top5", "accuracy", "images", "seconds"}
    assert set(scores["accuracy"]) == {"dark", "red", "white"}
    assert (scores["images"], scores["top5"]) == (3, 1)

    code, out, _ = run("classify", "evaluate", with_tree, data / "val", "--json", "-")
    assert code == 0
    scores = json.loads(out)
    assert set(scores["accuracy"]) == {"dark", "red", "white"}
    assert 0 <= scores["top1"] <= scores["hierarchical"] <= 1


def test_a_data_set_may_call_the_classes_otherwise(run, data, flat, with_tree, tmp_path):
    folders = {"dark": "n00000003", "red": "n00000001", "white": "n00000002"}
    for name, wnid in folders.items():
        shutil.copytree(data / "val" / name, tmp_path / "val" / wnid)
    code, _, err = run("classify", "evaluate", flat, tmp_path / "val")
    assert code == 2
    assert "unknown class 'n00000001'" in err
    assert "--names FILE" in err
    for model, names in ((flat, ["dark", "red", "white"]), (with_tree, None)):
        names = names or ["dark", "bright", "white", "red"]
        lines = [folders.get(name, name) for name in names]
        (tmp_path / "wnids.txt").write_text("\n".join(lines) + "\n")
        options = ["--names", tmp_path / "wnids.txt", "--json", "-"]
        code, out, err = run("classify", "evaluate", model, tmp_path / "val", *options)
        assert code == 0, err
        code, expected, _ = run(
            "classify", "evaluate", model, data, "--split", "val", "--json", "-"
        )
        found, expected = json.loads(out), json.loads(expected)
        assert found["accuracy"] == expected["accuracy"]
    options = ["--names", "imagenet"]
    code, _, err = run("classify", "evaluate", flat, tmp_path / "val", *options)
    assert code == 2
    assert "1,000 names" in err


def test_evaluate_prints_a_table(run, data, with_tree):
    code, out, _ = run("classify", "evaluate", with_tree, data / "val")
    assert code == 0
    for word in ("top-1", "top-5", "hierarchical", "white"):
        assert word in out


def test_predict_writes_json(run, data, flat, tmp_path):
    found = tmp_path / "found.json"
    code, out, _ = run("classify", "predict", flat, data / "val", "--top", 2, "--json", found)
    assert code == 0
    rows = json.loads(found.read_text())
    assert [row["image"] for row in rows] == [
        str(data / "val" / name / "0.png") for name in ("dark", "red", "white")
    ]
    for row in rows:
        assert set(row) == {"image", "predictions"}
        scores = [prediction["score"] for prediction in row["predictions"]]
        assert len(scores) == 2
        assert 1 >= scores[0] >= scores[1] >= 0
        assert row["image"] in out


def test_predict_goes_down_the_tree(run, data, with_tree):
    picture = data / "val" / "red" / "0.png"
    for threshold, most in ((0, 2), (1, 0)):
        code, out, _ = run(
            "classify", "predict", with_tree, picture, "--threshold", threshold, "--json", "-"
        )
        assert code == 0
        (row,) = json.loads(out)
        assert len(row["path"]) <= most
        assert row["label"] == (row["path"][-1] if row["path"] else None)
        assert {p["label"] for p in row["predictions"]} == {"dark", "white", "red"}


def test_without_a_tree_there_is_no_threshold(run, data, flat):
    code, _, err = run("classify", "predict", flat, data / "val", "--threshold", "0.3")
    assert code == 2
    assert "has no label tree" in err


def test_predict_skips_what_it_cannot_read_and_says_so(run, data, flat, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    code, out, err = run("classify", "predict", flat, broken, data / "val" / "red", "--json", "-")
    assert code == 0
    assert len(json.loads(out)) == 1
    assert "broken.jpg" in err.replace("\n", "")


TRAIN = ["train", "{data}/train", "--out", "{tmp}/run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*TRAIN, "--size", "100"], "size 100"),
        ([*TRAIN, "--high-resolution", "big"], "--high-resolution 'big'"),
        ([*TRAIN, "--zoom", "2-1"], "--zoom '2-1'"),
        ([*TRAIN, "--names", "{data}/colours.tree"], "--names without --tree"),
        ([*TRAIN, "--tree-logits", "leaves"], "--tree-logits without --tree"),
        ([*TRAIN, "--split", "val"], "no image set 'val'"),
        ([*TRAIN, "--resume"], "nothing to resume"),
        ([*TRAIN, "--weights", "{tmp}/none.keras"], "no such file"),
        (["train", "digits", "--out", "{tmp}/run", "--tree", "{data}/colours.tree"], "no single"),
        (["evaluate", "{flat}", "digits"], "unknown class '0'"),
        (["evaluate", "{flat}", "{tmp}"], "no pictures in folders of classes"),
        (["predict", "{flat}", "{tmp}/none.jpg"], "no such file or folder"),
        (["predict", "{data}/colours.tree", "{data}/val"], "is not a Keras model"),
    ],
)
def test_unusable_input_is_one_message_and_exit_code_2(
    run, data, flat, tmp_path, arguments, message
):
    places = {"data": data, "tmp": tmp_path, "flat": flat}
    code, _, err = run("classify", *(part.format(**places) for part in arguments))
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())
