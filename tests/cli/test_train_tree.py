"""`yolov2 train` and `evaluate` with a label tree: files in, files and exit codes out."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

TREE = "thing -1\ncat 0\ndog 0\n"


@pytest.fixture
def data(tmp_path):
    """Boxes of a cat, pictures of cats and dogs, and a tree."""
    picture = np.full((64, 96, 3), 40, np.uint8)
    picture[16:48, 8:40] = 220
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for i in range(4):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,8,16,{38 + i},48,cat")
    (tmp_path / "boxes.csv").write_text("\n".join(rows) + "\n")
    for name in ("cat", "dog"):
        (tmp_path / "labelled" / name).mkdir(parents=True)
        Image.fromarray(picture).save(tmp_path / "labelled" / name / "1.png")
    (tmp_path / "pets.tree").write_text(TREE)
    return tmp_path


SMALL = ["--model", "tiny", "--width", 0.125, "--size", 64, "--epochs", 1, "--anchors", 2]
SMALL += ["--batch-size", 4, "--recipe", "paper"]


def test_boxes_and_labels_train_together_and_the_model_is_scored(run, data):
    out = data / "run"
    arguments = ["train", data / "boxes.csv", "--classification", data / "labelled"]
    arguments += ["--tree", data / "pets.tree", "--ratio", "1:1", "--out", out, *SMALL]
    code, printed, _ = run(*arguments)
    assert code == 0
    assert "2 pictures with a label" in printed
    with (out / "history.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["loss_class"]) > 0
    assert json.loads((out / "config.json").read_text())["classes"] == ["thing", "cat", "dog"]

    code, printed, _ = run("evaluate", out / "model.keras", data / "boxes.csv", "--json", "-")
    assert code == 0
    assert set(json.loads(printed)["ap"]) == {"thing", "cat", "dog"}
    (data / "pets.map").write_text("0\n")
    options = ["--map", data / "pets.map", "--tree-threshold", 0.9, "--json", "-"]
    code, printed, _ = run("evaluate", out / "model.keras", data / "boxes.csv", *options)
    assert code == 0
    assert json.loads(printed)["ap"]["cat"] is None

    labels = {}
    for threshold in (0, 1):  # as far down as it goes, and no further than the top
        options = ["--threshold", 0, "--tree-threshold", threshold, "--json", "-"]
        code, printed, _ = run("predict", out / "model.keras", data / "labelled", *options)
        assert code == 0
        found = [found for picture in json.loads(printed) for found in picture["detections"]]
        assert found
        labels[threshold] = {detection["label"] for detection in found}
    assert labels[0] <= {"cat", "dog"}
    assert labels[1] == {"thing"}


def test_a_classifier_of_leaves_starts_a_detector_of_leaves(run, data):
    leaves = ["--tree", data / "pets.tree", "--tree-logits", "leaves", "--width", 0.0625]
    leaves += ["--size", 32, "--epochs", 1]
    code, _, error = run("classify", "train", data / "labelled", "--out", data / "names", *leaves)
    assert code == 0, error
    arguments = ["train", data / "boxes.csv", "--classification", data / "labelled"]
    arguments += ["--ratio", "1:1", "--anchors", 2, "--batch-size", 4, "--recipe", "paper"]
    arguments += ["--model", "yolo9000", "--weights", data / "names" / "model.keras"]
    code, printed, error = run(*arguments, "--out", data / "run", *leaves)
    assert code == 0, error
    assert "starts anew" not in printed  # the head of thing, cat and dog has those of cat and dog
    assert json.loads((data / "run" / "config.json").read_text())["tree_logits"] == "leaves"
    code, printed, _ = run("evaluate", data / "run" / "model.keras", data / "boxes.csv")
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tree-logits", "leaves"], "--tree-logits without --tree"),
        (["--tree", "pets.tree", "--tree-logits", "twigs"], "tree_logits is 'twigs'"),
        (["--classification", "labelled"], "--classification without --tree"),
        (["--map", "pets.map"], "--map without --tree"),
        (["--names", "pets.names"], "--names without --tree"),
        (["--tree", "birds.tree"], "no single node for 1 of the classes: cat"),
        (["--tree", "cats.tree", "--classification", "labelled"], "of the classes: dog"),
        (["--tree", "pets.tree", "--classification", "nowhere"], "no such data set"),
        (["--tree", "pets.tree", "--ratio", "4-1"], "--ratio '4-1'"),
        (["--tree", "pets.tree", "--ratio", "4:0"], "--ratio '4:0'"),
        (["--image-rule", "mine"], "image_rule is 'mine'"),
    ],
)
def test_what_cannot_be_joined_is_said_and_nothing_written(run, data, arguments, message):
    (data / "birds.tree").write_text("bird -1\n")
    (data / "cats.tree").write_text("thing -1\ncat 0\n")
    files = [data / word if "." in word or word in ("labelled", "nowhere") else word
             for word in arguments]  # fmt: skip
    code, _, error = run("train", data / "boxes.csv", "--out", data / "run", *files, *SMALL)
    assert code == 2
    assert message in error
    assert not (data / "run").exists()


def test_results_have_the_categories_of_coco(run, data):
    """A cat is one of COCO's animals, whichever node is called so."""
    out, names = data / "tree.keras", ("thing", "cat", "dog")
    TinyYOLOv2(names, tree=WordTree.read(data / "pets.tree"), width=1 / 16, input_size=64).save(out)
    coco = {"images": [{"id": 7, "file_name": "0.png", "width": 96, "height": 64}]}
    box = {"id": 1, "image_id": 7, "bbox": [8, 16, 30, 32], "area": 960, "iscrowd": 0}
    coco |= {"annotations": [{**box, "category_id": 3}], "categories": [{"id": 3, "name": "cat"}]}
    (data / "coco.json").write_text(json.dumps(coco))
    code, _, err = run("evaluate", out, data / "coco.json", "--results", data / "r.json")
    assert code == 0, err
    rows = json.loads((data / "r.json").read_text())
    (data / "all.map").write_text("0\n")
    options = ["--results", data / "r.json", "--map", data / "all.map"]
    code, _, err = run("evaluate", out, data / "coco.json", *options)
    assert code == 0, err
    every = json.loads((data / "r.json").read_text())
    assert 0 < len(rows) < len(every)
    assert {(row["image_id"], row["category_id"]) for row in rows + every} == {(7, 3)}


def test_vocs_results_have_the_classes_of_the_data(run, data):
    """A cat is one of VOC's things, where these are all that the data knows."""
    out, names = data / "tree.keras", ("thing", "cat", "dog")
    TinyYOLOv2(names, tree=WordTree.read(data / "pets.tree"), width=1 / 16, input_size=64).save(out)
    (data / "things.csv").write_text("0.png,8,16,38,48,thing\n")
    code, _, err = run("evaluate", out, data / "things.csv", "--results", data / "comp4")
    assert code == 0, err
    (file,) = (data / "comp4").iterdir()
    assert file.name == "comp4_det_test_thing.txt"
    assert file.read_text().startswith("0.png ")
