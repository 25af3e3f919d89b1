"""Opens an exported detector by its form."""

from pathlib import Path

from yolov2_tf.errors import InputError

FORMS = "a .tflite, .onnx or OpenVINO .xml file, or a SavedModel folder"


def open_exported(path, score_threshold=None, threads=None):
    """Opens an exported detector.

    Args:
        path: A `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a SavedModel.
        score_threshold: Detections score above this, 0..1; default: see `TFLiteDetector`.
        threads: How many threads it may use, where the form allows to say; default: its choice.

    Returns:
        Object with `class_names` and `detect(image)`, see `TFLiteDetector.detect`.

    Raises:
        InputError: If it is none of these or cannot be used.
    """
    path = Path(path)
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
