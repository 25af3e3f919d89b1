"""Short trainings: what they can do without, and what some of them train on."""

import dataclasses

import pytest

from tests.training.small import DIGITS
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.labels import map_onto_tree, open_classification
from yolov2_tf.data.nodes import map_boxes_onto_tree
from yolov2_tf.training import callbacks


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Histories are not drawn, which takes as long as training so little; runs of a module are."""
    monkeypatch.setattr(callbacks, "plot_history", lambda _, path: path.touch())


@pytest.fixture(scope="module")
def scenes():
    """Eight scenes of digits."""
    dataset, unreadable = check_images(open_digits("train", count=8, size=64))
    assert not unreadable
    return dataset


@pytest.fixture(scope="module")
def on_nodes(scenes):
    """Scenes with boxes and pictures with a label, of the nodes of one tree."""
    pictures = dataclasses.replace(open_classification("digits", "train"), notes=())
    pictures = dataclasses.replace(pictures, records=pictures.records[:12])
    return map_boxes_onto_tree(scenes, DIGITS), map_onto_tree(pictures, DIGITS)
