"""Networks run on TensorFlow; on another backend of Keras one message says so."""

import keras
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.zoo.names import load_model, read_head


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    for make in (
        lambda: TinyYOLOv2(["cat"], width=0.05),
        lambda: Darknet19(["cat"], width=0.05),
        lambda: load_model("starter-tiny"),
        lambda: read_head("starter-tiny"),
    ):
        with pytest.raises(InputError, match=r"Keras runs on torch .*KERAS_BACKEND=tensorflow"):
            make()
