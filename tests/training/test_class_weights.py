import dataclasses

import numpy as np
import pytest

from tests.training.small import DIGITS, SMALL
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.nodes import map_boxes_onto_tree
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.class_weights import balanced, classes_with_boxes
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train


def test_balanced_classes_have_the_same_share(on_nodes):
    boxes, labels = on_nodes
    ratio = (3, 2)
    weights = balanced(boxes, labels, ratio)
    examples = [(label, ratio[0] / len(boxes)) for r in boxes.records for label in r.labels]
    examples += [(record.label, ratio[1] / len(labels)) for record in labels.records]
    share = np.zeros(len(DIGITS))
    for label, frequency in examples:
        share[label] += frequency * weights[label]
    np.testing.assert_allclose(share[1:], share[1], rtol=1e-9)  # all digits are among the pictures
    assert share.sum() == pytest.approx(sum(frequency for _, frequency in examples))
    assert weights[0] == 1  # no picture is only of "digit"


def test_classes_with_boxes_are_those_of_the_truths_and_their_ancestors():
    data = open_digits(count=3, size=64, classes=(3, 5))
    used = {int(label) for record in data.records for label in record.labels}
    assert classes_with_boxes(data) == sorted(used)
    on_tree = map_boxes_onto_tree(data, DIGITS)
    assert classes_with_boxes(on_tree, DIGITS) == [0, *sorted(label + 1 for label in used)]


def test_spared_classes_are_in_the_loss_of_a_joint_run(tmp_path, on_nodes):
    boxes, labels = on_nodes
    recipe = dataclasses.replace(SMALL, ratio=(2, 5), epochs=1, spare=True, balance=True)
    train(DetectionTask(boxes, tree=DIGITS, classification=labels), recipe, tmp_path)
    loss = load_model(tmp_path / "last.keras").loss
    assert loss.box_classes == classes_with_boxes(boxes, DIGITS)
    assert loss.class_weights is not None
