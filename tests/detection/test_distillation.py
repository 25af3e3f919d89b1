"""What a student learns from a teacher."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.shallow_networks import shallow_detector
from yolov2_tf.detection.distillation import OBJECT_SCALE, Teacher
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

NAMES = ("ant", "bee", "cat")
ANCHORS = ((1.0, 2.0), (3.0, 1.5))


def network(names=NAMES, anchors=ANCHORS, seed=0, **options):
    keras.utils.set_random_seed(seed)
    model = TinyYOLOv2(names, anchors=anchors, width=1 / 64, input_size=64, **options)
    kernel, bias = model.head.get_weights()  # logits far from each other
    kernel = np.random.default_rng(seed).normal(0, 1, kernel.shape)
    model.head.set_weights([kernel, bias])
    return model


def pictures():
    return tf.constant(np.random.default_rng(3).uniform(0, 255, (2, 64, 64, 3)), tf.float32)


def by_hand(mine, answers):
    """The formula of `Teacher`, prediction by prediction."""
    mine, answers = (
        np.asarray(x, float).reshape(2, -1, 2, 5 + len(NAMES)) for x in (mine, answers)
    )
    sigmoid = lambda t: 1 / (1 + np.exp(-t))  # noqa: E731
    softmax = lambda t: np.exp(t) / np.exp(t).sum()  # noqa: E731
    totals = np.zeros(2)
    for place in np.ndindex(mine.shape[:3]):
        m, a = mine[place], answers[place]
        sure = sigmoid(a[4])
        p, q = softmax(a[5:]), softmax(m[5:])
        box = np.sum((sigmoid(m[:2]) - sigmoid(a[:2])) ** 2) + np.sum((m[2:4] - a[2:4]) ** 2)
        totals[place[0]] += 0.5 * OBJECT_SCALE * (sigmoid(m[4]) - sure) ** 2
        totals[place[0]] += sure * (0.5 * box + np.sum(p * np.log(p / q)))
    return totals


def test_the_loss_is_that_of_the_formula():
    teacher, student = network(seed=0), network(seed=1)
    answers, mine = teacher(pictures()), student(pictures())
    np.testing.assert_allclose(
        Teacher(teacher).loss(pictures(), mine), by_hand(mine, answers), rtol=1e-4
    )
    np.testing.assert_allclose(Teacher(teacher).loss(pictures(), answers), 0, atol=1e-5)


def test_training_adds_it_and_leaves_the_teacher_alone():
    teacher, student = network(seed=0), network(seed=1)
    before = [values.copy() for values in teacher.get_weights()]
    weights = len(student.weights)
    student.compile(keras.optimizers.Adam(1e-3), loss=YOLOv2Loss(student.head.anchors))
    student.learn_from(Teacher(teacher))
    truths = {
        "boxes": tf.constant([[[0.1, 0.2, 0.5, 0.9]], [[0.0, 0.0, 0.0, 0.0]]]),
        "labels": tf.constant([[1], [-1]]),
    }
    data = tf.data.Dataset.from_tensors((pictures(), truths)).repeat(60)
    rows = [student.fit(data, epochs=1, verbose=0).history for _ in range(2)]
    names = ("box", "objectness", "no_objectness", "class", "prior", "teacher")
    parts = sum(rows[0][f"loss_{name}"][-1] for name in names)
    decay = rows[0]["loss"][-1] - parts
    assert 0 <= decay < 0.1 * rows[0]["loss"][-1]
    assert rows[1]["loss_teacher"][-1] < rows[0]["loss_teacher"][-1]
    assert len(student.weights) == weights, "the teacher is no part of the student"
    for was, now in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_a_teacher_may_come_between_two_fits_and_train_itself():
    teacher, student = (shallow_detector(NAMES, anchors=ANCHORS, width=0.01) for _ in range(2))
    truths = {
        "boxes": tf.constant([[[0.1, 0.2, 0.5, 0.9]], [[0.0, 0.0, 0.0, 0.0]]]),
        "labels": tf.constant([[1], [-1]]),
    }
    for network in (teacher, student):
        network.compile("sgd", loss=YOLOv2Loss(ANCHORS))
    fits = {"verbose": 0, "validation_data": (pictures(), truths)}
    assert "loss_teacher" not in student.fit(pictures(), truths, **fits).history
    student.learn_from(Teacher(teacher))
    history = student.fit(pictures(), truths, **fits).history
    assert history["loss_teacher"][0] > 0
    assert "val_loss_teacher" not in history  # none was measured
    teacher.fit(pictures(), truths, verbose=0)


def test_a_student_is_saved_without_its_teacher(tmp_path):
    student = network(seed=1)
    student.compile("adam", loss=YOLOv2Loss(student.head.anchors))
    student.learn_from(Teacher(network(seed=0)))
    student.save(tmp_path / "student.keras")
    again = keras.models.load_model(tmp_path / "student.keras")
    np.testing.assert_array_equal(again(pictures()), student(pictures()))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"names": ("ant", "bee", "dog")}, "ant, bee, dog"),
        ({"anchors": ((1.0, 2.0), (3.0, 2.5))}, "anchors"),
        ({"anchors": ANCHORS[:1]}, "anchors"),
        ({"tree": WordTree(NAMES, [-1, 0, 0])}, "tree"),
    ],
)
def test_a_teacher_of_something_else_is_refused(other, message):
    with pytest.raises(InputError, match=message):
        network().learn_from(Teacher(network(**other)))
