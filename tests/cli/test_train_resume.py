"""`yolov2 train --resume`, `--overwrite` and `--freeze`, as users call them."""

import csv
import json
import shutil

import numpy as np
import pytest
from command_line import call
from PIL import Image


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two data sets of four pictures: `boxes.csv`, and `others.csv` with other classes."""
    folder = tmp_path_factory.mktemp("data")
    tables = {"boxes": ("left", "right"), "others": ("port", "starboard")}
    rows = {name: ["image,xmin,ymin,xmax,ymax,label"] for name in tables}
    for i in range(4):
        picture = np.full((64, 96, 3), 40, np.uint8)
        left = 8 if i % 2 else 56
        picture[16:48, left : left + 30 + i] = 220
        Image.fromarray(picture).save(folder / f"{i}.png")
        for name, labels in tables.items():
            rows[name].append(f"{i}.png,{left},16,{left + 30 + i},48,{labels[i % 2]}")
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


SMALL = ["--model", "tiny", "--width", 0.01, "--size", 64, "--anchors", 2, "--epochs", 1]
SMALL += ["--batch-size", 2, "--recipe", "paper"]


@pytest.fixture(scope="module")
def first(data, tmp_path_factory):
    """A run of one epoch that scores on its training set."""
    out = tmp_path_factory.mktemp("first") / "run"
    boxes = data / "boxes.csv"
    assert call("train", boxes, "--val", boxes, "--jitter", 0.1, "--out", out, *SMALL) == 0
    return out


@pytest.fixture
def copy(first, tmp_path):
    return shutil.copytree(first, tmp_path / "run")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_not_given_is_as_it_was(run, data, copy):
    code, printed, _ = run("train", "--resume", "--epochs", 2, "--out", copy)
    assert code == 0
    assert "from epoch 2 on: epochs 2 (was 1)" in printed
    with (copy / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(row["val_map"] for row in rows)  # the validation set, too
    record = json.loads((copy / "config.json").read_text())
    assert (record["width"], record["jitter"], record["epochs"]) == (0.01, 0.1, 2)
    assert record["clip_norm"] is None  # the paper's recipe
    assert record["sources"] == {
        "data": str(data / "boxes.csv"),
        "validation": str(data / "boxes.csv"),
        "recipe": "paper",
    }
    before = contents(copy)
    code, printed, _ = run("train", "--resume", "--out", copy)
    assert code == 0
    assert "the run is over: 2 of 2 epochs" in printed
    assert contents(copy) == before


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (["--model", "yolov2"], ["model was tiny, now yolov2"]),
        (["--width", 0.5], ["width was 0.01, now 0.5"]),
        (["--size", 96], ["size was 64, now 96"]),
        (["--anchors", 3], ["anchors was 2, now 3"]),
        (["--optimizer", "adam"], ["optimizer was sgd, now adam"]),
        (["--width", 0.5, "--size", 96], ["width was 0.01, now 0.5; size was 64, now 96"]),
        (["{data}/others.csv"], ["data was boxes", "now others", "left, right", "port, starboard"]),
        (["--weights", "{first}/model.keras"], ["weights was None, now", "model.keras"]),
        (["--weights", "{data}/none.keras"], ["no such file", "none.keras"]),
        (["--epochs", 0], ["epochs is 0", "--epochs"]),
        (["--learning-rate", "nan"], ["learning_rate is nan", "--learning-rate"]),
        (["--overwrite"], ["exclude each other"]),
        (["--recipe", "auto"], ["recipe was paper, now auto"]),
        (["--ratio", "3:1"], ["ratio was (1, 4), now (3, 1)"]),
    ],
)
def test_a_contradiction_is_one_message_and_the_folder_stays(
    run, data, first, copy, options, messages
):
    before = contents(copy)
    options = [str(option).format(data=data, first=first) for option in options]
    code, _, error = run("train", *options, "--resume", "--out", copy)
    assert code == 2
    assert error.count("error: ") == 1
    for message in messages:
        assert message in error
    assert contents(copy) == before


def test_a_second_run_does_not_replace_the_first_unasked(run, data, copy):
    before = contents(copy)
    code, _, error = run("train", data / "boxes.csv", "--out", copy, *SMALL)
    assert code == 2
    assert "a run is here already" in error
    assert contents(copy) == before
    code, _, _ = run("train", data / "others.csv", "--out", copy, *SMALL, "--overwrite")
    assert code == 0
    record = json.loads((copy / "config.json").read_text())
    assert record["classes"] == ["port", "starboard"]
    assert record["validation"] == {"name": "others, held out", "images": 1}


def test_the_second_stage_of_fine_tuning_trains_every_kernel(run, data, first, tmp_path):
    """`trainable` is stored in the file: what was held must not stay so."""
    from yolov2_tf.models.loading import load_model

    start, others = first / "last.keras", data / "others.csv"
    options = ["--recipe", "paper", "--size", 64, "--epochs", 1, "--batch-size", 2]
    options += ["--learning-rate", 0.01]
    head, whole = tmp_path / "head", tmp_path / "whole"
    assert run("train", others, "--model", start, "--freeze", "--out", head, *options)[0] == 0
    stage = head / "last.keras"
    assert run("train", others, "--model", stage, "--out", whole, *options)[0] == 0

    def kernels(file):
        weights = load_model(file).weights
        return {w.path: np.array(w) for w in weights if w.path.endswith("/kernel")}

    before, held, thawed = kernels(start), kernels(stage), kernels(whole / "last.keras")
    assert len(thawed) == 9
    for name, kernel in thawed.items():
        assert not np.array_equal(kernel, held[name]), name
        assert np.array_equal(held[name], before[name]) == ("head" not in name), name
    assert all(layer.trainable for layer in load_model(whole / "last.keras").layers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--width", "-1"], "--width"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "-inf"], "--learning-rate"),
        (["--anchors", "0"], "--anchors"),
        (["--jitter", "0.9"], "--jitter"),
        (["--seed", "-1"], "--seed"),
        (["--multi-scale", "320-600"], "--multi-scale"),
        (["--mosaic", "2"], "--mosaic"),
        (["--box-mosaic", "2"], "--box-mosaic"),
        (["--resize-every", "0"], "--resize-every"),
        (["--freeze"], "--freeze"),
        (["--model", "none.keras"], "no such file"),
        (["--model", "{first}/last.keras", "--width", "0.5"], "--width with the network"),
        (["--model", "{first}/last.keras", "--anchors", "3"], "--anchors with the network"),
        (["--mosaic", "0.5"], "--mosaic without --classification"),
        (["--resize-every", "5", "--size", "64"], "--resize-every without --multi-scale"),
        (["--recipe", "mine"], "--recipe 'mine'"),
        (["--minutes", "0"], "--minutes"),
        (["--minutes", "5", "--epochs", "5"], "--epochs with --minutes"),
        (["--from-scratch", "--weights", "{first}/last.keras"], "--from-scratch with --weights"),
        (["--recipe", "auto", "--from-scratch", "--model", "{first}/last.keras"], "from scratch"),
        (["--passes", "0"], "--passes"),
    ],
)
def test_what_cannot_be_names_its_option(run, data, first, tmp_path, options, message):
    options = [option.format(first=first) for option in options]
    recipe = () if "--recipe" in options else ("--recipe", "paper")
    code, _, error = run("train", data / "boxes.csv", *options, *recipe, "--out", tmp_path / "run")
    assert code == 2
    assert message in error
    assert not list(tmp_path.iterdir())


def test_data_are_missing_only_where_no_record_says_them(run, tmp_path):
    code, _, error = run("train", "--out", tmp_path / "run")
    assert code == 2
    assert "DATA is missing" in error


def test_a_folder_at_work_is_refused_before_data_are_opened(run, copy):
    from yolov2_tf.training.lock import folder_lock

    for options in (["--resume"], ["--overwrite"]):
        with folder_lock(copy):
            code, _, error = run("train", "nowhere", *options, "--out", copy)
        assert code == 2
        assert "another training is at work here" in error


def test_a_data_set_that_has_grown_keeps_what_it_scores_on(run, data, tmp_path):
    grown = tmp_path / "grown"
    shutil.copytree(data, grown)
    out = tmp_path / "run"
    assert run("train", grown / "boxes.csv", "--out", out, *SMALL, "--hold-out", 0.25)[0] == 0
    first = (out / "held_out.txt").read_text()
    assert len(first.splitlines()) == 1
    with (grown / "boxes.csv").open("a") as file:
        for i in range(4, 12):
            shutil.copy(grown / f"{i % 4}.png", grown / f"{i}.png")
            with (grown / f"{i}.png").open("ab") as picture:
                picture.write(bytes(i))  # another one to the byte
            file.write(f"{i}.png,8,16,40,48,{'left' if i % 2 else 'right'}\n")
    code, printed, error = run("train", "--resume", "--epochs", 2, "--out", out)
    assert code == 0, error
    assert "1 of 12 pictures are held out, those of before" in printed
    assert "training on boxes: 11 images" in printed
    assert (out / "held_out.txt").read_text() == first
    code, _, error = run("train", "--resume", "--epochs", 3, "--hold-out", 0.5, "--out", out)
    assert code == 2
    assert "--hold-out with --resume" in error


def test_python_is_told_that_what_trained_is_to_score(data, tmp_path):
    from rich.console import Console

    from yolov2_tf.data.hold_out import hold_out
    from yolov2_tf.data.source import open_dataset
    from yolov2_tf.training.detection import DetectionTask
    from yolov2_tf.training.fit import train
    from yolov2_tf.training.recipes import DetectionRecipe

    whole = open_dataset(data / "boxes.csv")
    small = {"model": "tiny", "width": 0.01, "size": 64, "anchors": 2, "batch_size": 2}
    parts = hold_out(whole, 0.25, seed=0)
    train(DetectionTask(*parts), DetectionRecipe(**small, epochs=1), tmp_path)
    seeds = (hold_out(whole, 0.25, seed=seed) for seed in range(1, 9))
    others = next(p for p in seeds if p[1].records[0].image_id != parts[1].records[0].image_id)
    console = Console(record=True, width=200)
    recipe = DetectionRecipe(**small, epochs=2)
    train(DetectionTask(*others), recipe, tmp_path, resume=True, console=console)
    assert "validation 1, of which 1 were not, and may have trained" in console.export_text()
