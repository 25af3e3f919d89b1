"""What type checkers know of the public names: read by mypy in `make lint`, never run."""

from typing import assert_type

import numpy as np

import yolov2_tf
from yolov2_tf.evaluation.detections import Evaluation
from yolov2_tf.export.detectors import Detector

dataset = yolov2_tf.open_dataset("digits")
assert_type(dataset, yolov2_tf.Dataset)
checked, left_out = yolov2_tf.check_images(dataset)
assert_type(left_out, list[tuple[str, str]])
network = yolov2_tf.YOLOv2(["a"])
found = list(yolov2_tf.detect(yolov2_tf.detector(network), []))
assert_type(found, list[dict[str, np.ndarray]])
assert_type(yolov2_tf.evaluate(dataset, found), Evaluation)
assert_type(yolov2_tf.open_model("starter", yolov2_tf.Thresholds()), Detector)
dataset.nonsense  # type: ignore[attr-defined]  # noqa: B018 - what is no name is told
