"""Every form of a detector that can be run here, written to a folder and ready to be opened."""

import dataclasses
import functools
import re
from pathlib import Path

import numpy as np

from yolov2_tf.export.runtime import ExportedDetector

SCORE_THRESHOLD = 0.005
MAX_DETECTIONS = 300
_TITLES = {"onnx": "ONNX", "openvino": "OpenVINO"}


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of a detector that is ready to be opened.

    Attributes:
        name: Its name.
        path: Its file or folder.
        open: Function of no arguments that gives an object with `run(resized)`, `detect(image)`
            and `runtime`.
        tail_share: Function from pictures to what `yolov2_tf.export.tail.tail_share` finds, for
            forms that have decoding and suppression inside and can be cut; else None.
    """

    name: str
    path: Path
    open: object
    tail_share: object = None


def write_forms(model, source, folder, *, calibration=None, pictures=None, threads=2):
    """Exports a detector to every form that can be run here.

    Args:
        model: `DetectionModel`.
        source: Its `.keras` file.
        folder: Where to write, a `pathlib.Path`.
        calibration: Pictures for int8, which is left out without them.
        pictures: Pictures to compare on.
        threads: How many threads each form may use.

    Returns:
        `(forms, notes)`: a list of `Form`, Keras first, and what was left out, one line each.
    """
    from yolov2_tf.darknet.writer import export_darknet
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.onnx import FORMATS, OnnxDetector, export_onnx, prefers_bfloat16
    from yolov2_tf.export.runtime import TFLiteDetector
    from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model
    from yolov2_tf.export.tail import tail_share
    from yolov2_tf.export.tflite import QUANTIZATIONS, Conversion

    limit = {"max_detections": MAX_DETECTIONS}
    folders = {name: folder / name for name in ("saved_model", "tflite", *FORMATS, "darknet")}
    forms = [Form("Keras", Path(source), lambda: KerasForm(model))]
    notes = []
    saved, _ = export_saved_model(model, folders["saved_model"], pictures=pictures, **limit)
    forms.append(Form("SavedModel", saved, lambda: SavedModelDetector(saved, SCORE_THRESHOLD)))

    conversion = Conversion(model, score_threshold=SCORE_THRESHOLD, **limit)
    for quantization in QUANTIZATIONS:
        if quantization == "int8" and not calibration:
            notes.append("TFLite int8: no pictures to calibrate on")
            continue
        name = "float32" if quantization == "none" else quantization
        path = folders["tflite"] / f"{name}.tflite"
        conversion.write(
            path, quantization=quantization, calibration=calibration, pictures=pictures
        )
        opened = functools.partial(TFLiteDetector, path, threads, SCORE_THRESHOLD)
        share = functools.partial(tail_share, path, threads=threads)
        forms.append(Form(f"TFLite {name}", path, opened, share))
    for format, suffix in FORMATS.items():
        path = folders[format] / f"model{suffix}"
        try:
            export_onnx(model, path, format=format, pictures=pictures, **limit)
            opened = functools.partial(OnnxDetector, path, threads, SCORE_THRESHOLD)
            opened()
        except InputError as error:
            notes.append(f"{_TITLES[format]}: {error}")
        else:
            forms.append(Form(_TITLES[format], folders[format], opened))
            if format == "openvino" and prefers_bfloat16():  # what its users get by default here
                opened = functools.partial(opened, precision="bf16")
                forms.append(Form(f"{_TITLES[format]} bf16", folders[format], opened))
    try:
        paths = export_darknet(model, folders["darknet"]).paths
        opened = functools.partial(OpenCvForm, model, paths, threads)
        opened()
    except Exception as error:  # OpenCV 5 has lost its Darknet reader; some networks are refused
        notes.append(f"Darknet in OpenCV: {error}")
    else:
        forms.append(Form("Darknet", folders["darknet"], opened))
    return forms, notes


class KerasForm:
    """The Keras model with decoding and suppression, as one graph.

    Args:
        model: `DetectionModel`.

    Attributes:
        runtime: Keras and its version.
    """

    def __init__(self, model):
        import keras
        import tensorflow as tf

        from yolov2_tf.detection.predict import detector
        from yolov2_tf.models.heads import find_head

        self.runtime = f"Keras {keras.__version__}"
        self._detector = detector(model, SCORE_THRESHOLD, max_detections=MAX_DETECTIONS)
        size = find_head(model).input_size
        self._graph = tf.function(
            lambda image: self._detector(image, training=False),
            input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32)],
        )

    def run(self, resized):
        """Runs the network on one `(S, S, 3)` picture."""
        return self._graph(resized[None])

    def detect(self, image):
        """Finds the objects in one picture: see `TFLiteDetector.detect`."""
        from yolov2_tf.detection.predict import detect

        (found,) = detect(self._detector, [image], batch_size=1)
        return found


class OpenCvForm(ExportedDetector):
    """OpenCV's `dnn` on the Darknet export; its region layer decodes.

    Args:
        model: `DetectionModel`.
        paths: Paths of `cfg` and `weights`, as `export_darknet` returns them.
        threads: How many threads it may use.

    Attributes:
        runtime: OpenCV and its version.
    """

    def __init__(self, model, paths, threads):
        import cv2

        from yolov2_tf.export.metadata import describe
        from yolov2_tf.models.heads import find_head

        settings = {"iou_threshold": 0.45, "max_detections": MAX_DETECTIONS}
        layout = describe(find_head(model), nms=False, score_threshold=0.0, **settings)
        super().__init__(layout, SCORE_THRESHOLD, paths["cfg"])
        self.runtime = f"opencv {cv2.__version__}"
        cv2.setNumThreads(threads)
        # OpenCV takes the IoU threshold of the training, which the cfg tells, for one of scores.
        cfg = re.sub(r"(?m)^thresh *=.*", f"thresh={SCORE_THRESHOLD}", paths["cfg"].read_text())
        files = (cfg.encode(), paths["weights"].read_bytes())
        self._net = cv2.dnn.readNetFromDarknet(*(np.frombuffer(f, np.uint8) for f in files))

    def run(self, resized):
        """Runs the network, see `ExportedDetector.run`."""
        blob = np.ascontiguousarray(resized.transpose(2, 0, 1)[None] / np.float32(255))
        self._net.setInput(blob)
        rows = self._net.forward()
        center, size = rows[:, 1::-1], rows[:, 3:1:-1]
        boxes = np.concatenate([center - size / 2, center + size / 2], axis=1)
        return {"boxes": boxes[None], "scores": rows[None, :, 5:]}
