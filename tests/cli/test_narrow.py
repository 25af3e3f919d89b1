"""`yolov2 narrow`."""

import pytest

from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.yolov2 import TinyYOLOv2


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.keras"
    TinyYOLOv2(("ant", "bee"), width=1 / 16, input_size=32).save(path)
    return path


def test_it_writes_a_smaller_network_of_the_same_classes(run, large, tmp_path):
    code, _, err = run("narrow", large, tmp_path / "small.keras", "--share", "0.5")
    assert code == 0, err
    was, now = load_model(large), load_model(tmp_path / "small.keras")
    assert now.count_params() < 0.5 * was.count_params()
    assert now.head.class_names == was.head.class_names
    assert f"{now.count_params():,} weights of {was.count_params():,}" in err


@pytest.mark.parametrize(("share", "message"), [("0", "share of 0"), ("1.5", "share of 1.5")])
def test_a_share_that_is_none_leaves_no_file(run, large, tmp_path, share, message):
    code, _, err = run("narrow", large, tmp_path / "small.keras", "--share", share)
    assert code == 2
    assert message in err
    assert not (tmp_path / "small.keras").exists()


def test_it_wants_a_detector_and_a_keras_file(run, large, tmp_path):
    code, _, err = run("narrow", large, tmp_path / "small.tflite")
    assert (code, "OUT.keras" in err) == (2, True)
    Darknet19(("ant", "bee"), width=1 / 64, input_size=32).save(tmp_path / "classifier.keras")
    code, _, err = run("narrow", tmp_path / "classifier.keras", tmp_path / "small.keras")
    assert (code, "not a detector" in err) == (2, True)
