"""Opens an exported detector by its form."""

import os
from pathlib import Path

from yolov2_tf.errors import InputError

FORMS = "a .tflite, .onnx or OpenVINO .xml file, a SavedModel folder, or the URL of a served model"


def open_exported(source, score_threshold=None, threads=None):
    """Opens an exported detector.

    Args:
        source: A `.tflite`, `.onnx` or OpenVINO `.xml` file, the folder of a SavedModel, or the
            URL of one behind TensorFlow Serving (`http://…` or `grpc://…`).
        score_threshold: Detections score above this, 0..1; default: see `TFLiteDetector`.
        threads: How many threads it may use, where the form allows to say; default: its choice.

    Returns:
        Object with `class_names` and `detect(image)`, see `TFLiteDetector.detect`.

    Raises:
        InputError: If it is none of these or cannot be used.
    """
    source = os.fspath(source)
    if "://" in source:
        from yolov2_tf.export.runtime import DEFAULT_THRESHOLD
        from yolov2_tf.export.serving.client import ServedDetector

        return ServedDetector(
            source, DEFAULT_THRESHOLD if score_threshold is None else score_threshold
        )
    path = Path(source)
    if path.suffix == ".tflite":
        from yolov2_tf.export.runtime import TFLiteDetector

        return TFLiteDetector(path, threads, score_threshold)
    if path.suffix in (".onnx", ".xml"):
        from yolov2_tf.export.onnx import OnnxDetector

        return OnnxDetector(path, threads, score_threshold)
    if path.is_dir():
        from yolov2_tf.export.saved_model import SavedModelDetector

        return SavedModelDetector(path, score_threshold)
    raise InputError("not an exported detector", where=path, expected=FORMS)
