"""Every form of a detector that can be run here, written to a folder and ready to be opened."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of a detector that is ready to be opened.

    Attributes:
        name: Its name.
        path: Its file or folder.
        open: Function of no arguments that gives a `yolov2_tf.export.detectors.Detector`.
        tail_share: Function from pictures to what `yolov2_tf.export.tail.tail_share` finds, for
            forms that have decoding and suppression inside and can be cut; else None.
    """

    name: str
    path: Path
    open: Callable
    tail_share: Callable | None = None


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
    from yolov2_tf.export.check import ExportError
    from yolov2_tf.export.keras_detector import KerasDetector
    from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model

    saved, _ = export_saved_model(
        model, folder / "saved_model", pictures=pictures, thresholds=EVALUATION
    )
    forms = [
        Form("Keras", Path(source), lambda: KerasDetector(model, EVALUATION)),
        Form("SavedModel", saved, lambda: SavedModelDetector(saved, thresholds=EVALUATION)),
        *_tflite(model, folder / "tflite", calibration, pictures, threads),
    ]
    notes = [] if calibration else ["TFLite int8: no pictures to calibrate on"]
    for title, write in _PEERS.items():
        try:
            forms += write(model, folder, pictures, threads)
        except (InputError, ExportError) as error:
            notes.append(f"{title}: {error}")
    return forms, notes


def _tflite(model, folder, calibration, pictures, threads):
    from yolov2_tf.export.layout import QUANTIZATIONS
    from yolov2_tf.export.runtime import TFLiteDetector
    from yolov2_tf.export.tail import tail_share
    from yolov2_tf.export.tflite import Conversion

    conversion = Conversion(model, thresholds=EVALUATION)
    for quantization in QUANTIZATIONS:
        if quantization == "int8" and not calibration:
            continue
        name = "float32" if quantization == "none" else quantization
        path = folder / f"{name}.tflite"
        conversion.write(
            path, quantization=quantization, calibration=calibration, pictures=pictures
        )
        yield Form(
            f"TFLite {name}",
            path,
            functools.partial(TFLiteDetector, path, threads, thresholds=EVALUATION),
            functools.partial(tail_share, path, threads=threads),
        )


def _onnx(model, folder, pictures, threads):
    from yolov2_tf.export.onnx import OnnxDetector, export_onnx

    path = folder / "onnx" / "model.onnx"
    export_onnx(model, path, pictures=pictures, thresholds=EVALUATION)
    opened = functools.partial(OnnxDetector, path, threads, thresholds=EVALUATION)
    return [Form("ONNX", path.parent, opened)]


def _openvino(model, folder, pictures, threads):
    from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino, prefers_bfloat16

    path = folder / "openvino" / "model.xml"
    export_openvino(model, path, pictures=pictures, thresholds=EVALUATION)
    opened = functools.partial(OpenVinoDetector, path, threads, thresholds=EVALUATION)
    forms = [Form("OpenVINO", path.parent, opened)]
    if prefers_bfloat16():  # what its users get by default here
        opened = functools.partial(opened, precision="bf16")
        forms.append(Form("OpenVINO bf16", path.parent, opened))
    return forms


def _opencv(model, folder, _, threads):
    from yolov2_tf.darknet.writer import export_darknet
    from yolov2_tf.export.opencv import OpenCvDetector

    paths = export_darknet(model, folder / "darknet").paths
    opened = functools.partial(OpenCvDetector, model.head, paths, threads, EVALUATION)
    opened()  # whether it can read the network shows here
    return [Form("Darknet", folder / "darknet", opened)]


_PEERS = {"ONNX": _onnx, "OpenVINO": _openvino, "Darknet in OpenCV": _opencv}
