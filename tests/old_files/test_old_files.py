"""Files of version 0.1 (commit 5fb6dd8) open and find what they found then.

`make_old_files.py` made them with the code of that commit; `expected.json` says what it
found in two pictures. The thresholds lie in gaps between scores, so that nothing but a change of
what is computed changes what is found.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolov2_tf import detect, detector, load_model
from yolov2_tf.classification.predict import classifier, classify, load_classifier
from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.detection.predict import prepare
from yolov2_tf.export.detectors import open_exported
from yolov2_tf.models.heads import find_classification_head, find_head
from yolov2_tf.trees.wordtree import as_tree

FOLDER = Path(__file__).parent
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
FILES = EXPECTED["files"]


def named(folder, kind="detector"):
    return [n for n, one in FILES.items() if n.startswith(folder) and one["kind"] == kind]


EXPORTED = [name for name in named("exported/") if name != "exported/darknet"]
TRAINED = [name for name, one in FILES.items() if "training" in one]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """Folder of the old files."""
    folder = tmp_path_factory.mktemp("old_files")
    with tarfile.open(FOLDER / "old_files.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def pictures():
    """The pictures by name, `(H, W, 3)` uint8."""
    names = EXPECTED["pictures"]
    return {name: np.asarray(Image.open(FOLDER / name).convert("RGB")) for name in names}


def assert_finds(found, name):
    """The detections of each picture are those expected, whatever the order of equal scores."""
    expected, tolerance = FILES[name]["detections"], FILES[name]["tolerance"]
    assert set(found) == set(expected)
    for picture, one in found.items():
        boxes, labels, scores = (
            np.array(expected[picture][k]) for k in ("boxes", "labels", "scores")
        )
        assert len(labels) >= 3
        assert (np.diff(one["scores"]) <= 0).all()
        same = (
            (labels[:, None] == one["labels"])
            & (np.abs(scores[:, None] - one["scores"]) <= tolerance["scores"])
            & (np.abs(boxes[:, None] - one["boxes"]).max(axis=2) <= tolerance["boxes"])
        )
        lost = [(boxes[i], labels[i], scores[i]) for i in np.flatnonzero(~same.any(axis=1))]
        assert not lost, (name, picture, "no longer found", lost)
        new = [{k: v[i] for k, v in one.items()} for i in np.flatnonzero(~same.any(axis=0))]
        assert not new, (name, picture, "found now", new)
        assert len(one["labels"]) == len(labels)


def assert_describes(class_names, tree, name):
    assert list(class_names) == FILES[name]["class_names"]
    assert tree == as_tree(FILES[name]["tree"])


def test_all_kinds_of_files_are_there(old):
    assert EXPECTED["commit"] == "5fb6dd8"
    there = [*old.glob("keras/*"), *old.glob("runs/*/last.keras"), *old.glob("exported/*")]
    there = {path.relative_to(old).as_posix() for path in there if path.suffix != ".bin"}
    assert there == set(FILES)
    assert {Path(name).suffix for name in EXPORTED} == {".tflite", ".onnx", ".xml", ""}


@pytest.mark.parametrize("name", [*named("keras/"), *named("runs/")])
def test_a_keras_file_finds_the_same(old, pictures, name):
    model = load_model(old / name)
    head = find_head(model)
    assert_describes(head.class_names, head.tree, name)
    if not FILES[name].get("whole"):  # else decoding and suppression are in the file
        limits = FILES[name]["thresholds"]
        tree = {"tree_threshold": limits["tree"]} if "tree" in limits else {}
        model = detector(model, limits["score"], limits["iou"], limits["detections"], **tree)
    found = list(detect(model, pictures.values()))
    assert_finds(dict(zip(pictures, found, strict=True)), name)


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_file_finds_the_same(old, pictures, name):
    opened = open_exported(old / name, FILES[name]["thresholds"]["score"])
    assert_describes(opened.class_names, as_tree(opened.layout["tree"]), name)
    assert_finds({picture: opened.detect(image) for picture, image in pictures.items()}, name)
    if (old / name).is_dir():  # a SavedModel takes encoded pictures, too
        found = opened.detect_bytes((FOLDER / picture).read_bytes() for picture in pictures)
        assert_finds(dict(zip(pictures, found, strict=True)), name)


def test_exported_darknet_files_find_the_same(old, pictures):
    name = "exported/darknet"
    cfg, weights, names = (old / name / f"old.{kind}" for kind in ("cfg", "weights", "names"))
    model = import_darknet(cfg, weights, class_names=names.read_text().split())
    assert_describes(model.head.class_names, model.head.tree, name)
    limits = FILES[name]["thresholds"]
    network = detector(model, limits["score"], limits["iou"], limits["detections"])
    found = list(detect(network, pictures.values()))
    assert_finds(dict(zip(pictures, found, strict=True)), name)


@pytest.mark.parametrize("name", named("runs/", "classifier"))
def test_a_classifier_names_the_same(old, pictures, name):
    model = load_classifier(old / name)
    head = find_classification_head(model)
    assert_describes(head.class_names, head.tree, name)
    limits, tolerance = FILES[name]["thresholds"], FILES[name]["tolerance"]["scores"]
    found = classify(classifier(model, limits["top"], limits["node"]), list(pictures.values()))
    for one, expected in zip(found, FILES[name]["classes"].values(), strict=True):
        np.testing.assert_array_equal(one["labels"], expected["labels"])
        np.testing.assert_allclose(one["scores"], expected["scores"], atol=tolerance)
        assert one["node"] == expected["node"]
        assert one["probability"] == pytest.approx(expected["probability"], abs=tolerance)


@pytest.mark.parametrize("name", TRAINED)
def test_a_training_can_go_on(old, pictures, name):
    """Optimizer, schedule and loss are those that the training stopped with."""
    model, expected = load_model(old / name), FILES[name]["training"]
    optimizer = model.optimizer
    assert type(optimizer).__name__ == expected["optimizer"]
    assert type(model.loss).__name__ == expected["loss_name"]
    assert optimizer.global_clipnorm == expected["clipnorm"]
    assert int(optimizer.iterations) == expected["iterations"]
    assert float(optimizer.learning_rate) == pytest.approx(expected["learning_rate"], rel=1e-5)
    state = [v for v in optimizer.variables if v is not optimizer.iterations]
    assert sum(float(np.abs(np.float64(v)).sum()) for v in state) == pytest.approx(
        expected["state"], rel=1e-6
    )

    images, truths = truth_batch(model, pictures, FILES[name]["kind"])
    loss = float(model.loss(truths, model(images, training=False)))
    assert loss == pytest.approx(expected["loss"], rel=1e-4)
    before = [np.array(v) for v in model.trainable_variables]
    model.train_on_batch(images, truths)
    assert int(optimizer.iterations) == expected["iterations"] + 1
    if expected["learning_rate"] > 0:
        after = model.trainable_variables
        assert all((a != np.array(b)).any() for a, b in zip(before, after, strict=True))


def truth_batch(model, pictures, kind):
    """The pictures as a batch, with the ground truth that the expected loss was computed for."""
    head = find_head(model) if kind == "detector" else find_classification_head(model)
    images, _ = prepare(list(pictures.values()), head.input_size, head.resize)
    if kind == "classifier":
        return images, np.int32([3, 7])
    boxes = np.float32([[[0.1, 0.2, 0.5, 0.6], [0.5, 0.4, 0.9, 0.9]]] * 2)
    return images, {"boxes": boxes, "labels": np.int32([[2, 5], [7, -1]])}
