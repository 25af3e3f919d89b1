"""What the automatic recipe chooses, and that a training for a time is a run as any other."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.models.narrowing import narrowed
from yolov2_tf.models.transfer import transfer_weights
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2
from yolov2_tf.training import auto
from yolov2_tf.training.auto import auto_recipe
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.zoo.names import load_model


def dataset(sides, classes=("cat", "dog"), labels=None, path="none.png"):
    """A data set of one box a picture, with these sides as fractions of the picture."""
    labels = np.arange(len(sides)) % len(classes) if labels is None else labels
    records = [
        Record(
            image=str(path),
            image_id=str(i),
            boxes=np.array([[0.0, 0.0, side, side]], np.float32),
            labels=np.array([label]),
            ignore=np.array([False]),
        )
        for i, (side, label) in enumerate(zip(sides, labels, strict=True))
    ]
    return Dataset("some", classes, records)


def test_what_is_no_data_set_is_told():
    with pytest.raises(InputError, match="a str is no data set"):
        auto_recipe("digits")
    with pytest.raises(InputError, match=r"a tuple is no data set .*data, skipped ="):
        auto_recipe((dataset([0.3]), []))


def test_what_is_given_wins_and_the_rest_is_of_the_data():
    data = dataset([0.3] * 160)
    recipe = auto_recipe(data, size=96, epochs=2, optimizer="sgd", precision="float32")
    assert (recipe.size, recipe.epochs, recipe.optimizer) == (96, 2, "sgd")
    assert (recipe.model, recipe.width, recipe.anchors) == ("yolov2", 0.25, 1)
    assert recipe.weights == "starter"
    assert recipe.mean > 0
    assert recipe.flip


@pytest.mark.parametrize(
    "given", [{"width": 0.5}, {"model": "tiny"}, {"weights": "w.keras"}, {"model": "m.keras"}]
)
def test_nothing_comes_from_the_starter_that_does_not_fit(given):
    assert "weights" not in auto.start(given)


def test_from_scratch_leaves_out_the_weights_alone():
    data = dataset([0.3] * 160)
    pretrained, fresh = auto_recipe(data), auto_recipe(data, from_scratch=True)
    assert pretrained.weights
    assert fresh.weights is None
    assert fresh.epochs > pretrained.epochs
    same = {"weights": None, "epochs": 1}
    assert dataclasses.replace(pretrained, **same) == dataclasses.replace(fresh, **same)
    with pytest.raises(InputError, match="scratch"):
        auto.start({"weights": "w.keras"}, from_scratch=True)


def test_the_whole_starter_but_its_head_fits():
    source = load_model(auto_recipe(dataset([0.3] * 20)).weights)
    network = YOLOv2(("one", "two"), width=auto.STARTER["width"])
    report = transfer_weights(network, source)
    assert list(report.missing) == [network.head.name]


@pytest.mark.parametrize("shapes", [1, 3, 5])
def test_anchors_are_as_many_as_there_are_kinds_of_boxes(shapes):
    rng = np.random.default_rng(0)
    kinds = np.array([[0.9, 0.9], [0.1, 0.8], [0.8, 0.1], [0.25, 0.25], [0.05, 0.05]])[:shapes]
    boxes = kinds[rng.integers(0, shapes, 500)] * rng.uniform(0.99, 1.01, (500, 2))
    assert auto.number_of_anchors(boxes) == shapes


def test_there_is_an_anchor_even_where_the_first_gains_little():
    """Most shapes are tiny, and one anchor overlaps them all as badly as none."""
    shapes = np.repeat([[0.002, 0.001], [0.9, 0.8]], [990, 10], axis=0)
    shapes = shapes * np.random.default_rng(0).uniform(0.5, 1, shapes.shape)
    assert auto.number_of_anchors(shapes) >= 1


def test_small_things_have_a_larger_input():
    assert auto.input_size(dataset([0.3] * 9), auto.SIZES) == 224
    assert auto.input_size(dataset([0.3, 0.09] * 9), auto.SIZES) == 384  # one class is small
    assert auto.input_size(dataset([0.01] * 9), auto.SIZES) == 416
    assert auto.input_size(dataset([0.3] * 9), auto.SIZES, (352, 480)) == 352


@pytest.mark.parametrize("count", [1, 20, 160, 1000, 100_000])
def test_few_pictures_are_seen_often_in_small_batches(count):
    size = auto.batch_size(count, (4, 16))
    assert 4 <= size <= 16
    assert size & (size - 1) == 0
    assert 12 <= auto.passes(count, fresh=False) <= 200
    assert auto.passes(count, fresh=True) > 2 * auto.passes(count, fresh=False)


@pytest.mark.parametrize(
    ("classes", "sided"),
    [(("cat", "dog"), False), (("0", "1"), True), (("turn_left", "stop"), True), (("a",), True)],
)
def test_signs_are_not_mirrored(classes, sided):
    assert auto.has_a_side(classes) == sided
    if sided:
        assert not auto_recipe(dataset([0.3] * 9, classes)).flip
        assert auto_recipe(dataset([0.3] * 9, classes), flip=True).flip


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (YOLOv2(("a",), width=0.0625), {"model": "yolov2", "width": 0.0625}),
        (TinyYOLOv2(("a",), width=0.125), {"model": "tiny", "width": 0.125}),
    ],
)
def test_own_weights_say_which_network_takes_them(network, expected):
    assert auto.architecture(network) == expected


@pytest.mark.parametrize("width", [0.04, 0.08, 0.16, 0.21, 0.33])
def test_a_network_of_any_width_is_made_again(width):
    network = YOLOv2(("a",), width=width, input_size=64)
    again = YOLOv2(("a",), width=auto.architecture(network)["width"], input_size=64)
    assert [w.shape for w in again.weights] == [w.shape for w in network.weights]


def test_a_narrowed_network_is_taken_as_it_is_or_not_at_all():
    narrow = narrowed(YOLOv2(("a",), width=0.25, input_size=64), 0.5)
    with pytest.raises(InputError, match="of several widths") as error:
        auto.architecture(narrow)
    assert "--model" in error.value.hint


def test_the_recipe_of_the_paper_stays_the_default_of_the_class():
    paper = DetectionRecipe()
    assert (paper.optimizer, paper.size, paper.epochs, paper.width) == ("sgd", 416, 160, 1.0)


@pytest.mark.parametrize("minutes", [0.1])
def test_a_training_for_a_time_leaves_a_run_that_goes_on(tmp_path, minutes):
    path = tmp_path / "one.png"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path)
    task = DetectionTask(dataset([0.3, 0.5] * 4, path=path))
    recipe = DetectionRecipe(
        model="tiny", width=0.01, size=32, anchors=1, batch_size=4, minutes=minutes
    )
    rows = train(task, recipe, tmp_path / "run")
    assert rows
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["minutes"] == minutes
    assert train(task, recipe, tmp_path / "run", resume=True) == rows  # it is over
    more = train(
        task, dataclasses.replace(recipe, minutes=2 * minutes), tmp_path / "run", resume=True
    )
    assert len(more) > len(rows)
    assert load_model(tmp_path / "run" / "model.keras").head.class_names == ("cat", "dog")
