"""Every form of a detector that can be run here, written to a folder and ready to be opened."""

import contextlib
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
    from yolov2_tf.export.saved_model import export_saved_model

    saved, _ = export_saved_model(
        model, folder / "saved_model", pictures=pictures, thresholds=EVALUATION
    )
    forms = [
        Form("Keras", Path(source), functools.partial(_open_tensorflow, source, threads)),
        Form("SavedModel", saved, functools.partial(_open_tensorflow, saved, threads)),
        *_tflite(model, folder / "tflite", calibration, pictures, threads),
    ]
    notes = [] if calibration else ["int8: no pictures to calibrate on"]
    for title, write in _PEERS.items():
        try:
            forms += write(model, source, folder, calibration, pictures, threads)
        except (InputError, ExportError) as error:
            notes.append(f"{title}: {error}")
    return forms, notes


def _open_tensorflow(path, threads):
    """A `.keras` file or a SavedModel, in a process whose threads are not set yet."""
    import tensorflow as tf

    from yolov2_tf.export.detectors import open_model

    with contextlib.suppress(RuntimeError):  # they are, in the process that exported
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return open_model(path, EVALUATION)


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
            path,
            quantization=quantization,
            calibration=calibration,
            pictures=None if quantization == "int8" else pictures,
        )
        yield Form(
            f"TFLite {name}",
            path,
            functools.partial(TFLiteDetector, path, threads, thresholds=EVALUATION),
            functools.partial(tail_share, path, threads=threads),
        )
    if calibration:
        path = folder / "int8_head.tflite"
        bare = Conversion(model, nms=False, raw_head=True, thresholds=EVALUATION)
        bare.write(path, quantization="int8", calibration=calibration)
        opened = functools.partial(TFLiteDetector, path, threads, thresholds=EVALUATION)
        yield Form("TFLite int8, raw head", path, opened)


def _onnx(model, _, folder, calibration, pictures, threads):
    from yolov2_tf.export.onnx import OnnxDetector, export_onnx

    write = functools.partial(export_onnx, model, thresholds=EVALUATION, nms=True)
    return _written("ONNX", write, OnnxDetector, folder, ".onnx", (calibration, pictures, threads))


def _written(name, write, detector, folder, suffix, settings):
    """The float form and, where there are pictures to calibrate on, the int8 form."""
    calibration, pictures, threads = settings
    forms = []
    for quantization in ("none", "int8") if calibration else ("none",):
        title = name if quantization == "none" else f"{name} int8"
        path = folder / title.lower().replace(" ", "_") / f"model{suffix}"
        if quantization == "none":
            write(path, pictures=pictures)
        else:
            write(path, quantization=quantization, calibration=calibration)
        opened = functools.partial(detector, path, threads, thresholds=EVALUATION)
        forms.append(Form(title, path.parent, opened))
    return forms


def _openvino(model, _, folder, calibration, pictures, threads):
    from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino, prefers_bfloat16

    write = functools.partial(export_openvino, model, thresholds=EVALUATION, nms=True)
    settings = calibration, pictures, threads
    forms = _written("OpenVINO", write, OpenVinoDetector, folder, ".xml", settings)
    if prefers_bfloat16():  # what its users get by default here
        bf16 = functools.partial(forms[0].open, precision="bf16")
        forms.insert(1, Form("OpenVINO bf16", forms[0].path, bf16))
    return forms


def _opencv(model, source, folder, _, __, threads):
    from yolov2_tf.darknet.writer import export_darknet

    paths = export_darknet(model, folder / "darknet").paths
    opened = functools.partial(_open_opencv, source, paths, threads)
    opened()  # whether it can read the network shows here
    return [Form("Darknet", folder / "darknet", opened)]


def _open_opencv(source, paths, threads):
    from yolov2_tf.export.opencv import OpenCvDetector
    from yolov2_tf.models.heads import find_head
    from yolov2_tf.models.loading import load_model

    return OpenCvDetector(find_head(load_model(source)), paths, threads, EVALUATION)


_PEERS = {"ONNX": _onnx, "OpenVINO": _openvino, "Darknet in OpenCV": _opencv}
