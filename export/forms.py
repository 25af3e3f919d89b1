"""Every form of a detector that can be run here, written to a folder and ready to be opened."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.errors import InputError

PLAIN = ("none", "int8")
"""What is also written for a batch of several pictures."""


@dataclasses.dataclass(frozen=True)
class Form:
    """A form of a detector that is ready to be opened.

    Attributes:
        name: Its name.
        path: Its file or folder.
        open: Function from a number of threads to a `yolov2_tf.export.detectors.Detector`.
        tail_share: Function from pictures and `threads` to what `yolov2_tf.export.tail.tail_share`
            finds, for forms that have decoding and suppression inside and can be cut; else None.
        batch: How many pictures it is timed with at once.
    """

    name: str
    path: Path
    open: Callable
    tail_share: Callable | None = None
    batch: int = 1


def write_forms(model, source, folder, *, calibration=None, pictures=None, batch=None):
    """Exports a detector to every form that can be run here.

    Args:
        model: `DetectionModel`.
        source: Its `.keras` file.
        folder: Where to write, a `pathlib.Path`.
        calibration: Pictures for int8, which is left out without them.
        pictures: Pictures to compare on.
        batch: How many pictures the forms take at once that are written in addition to those of a
            batch of 1; None for no such forms.

    Returns:
        `(forms, notes)`: a list of `Form`, Keras first, and what was left out, one line each.
    """
    from yolov2_tf.export.check import ExportError
    from yolov2_tf.export.saved_model import export_saved_model

    saved, _ = export_saved_model(
        model, folder / "saved_model", pictures=pictures, thresholds=EVALUATION
    )
    settings = calibration, pictures, batch
    notes = [] if calibration else ["int8: no pictures to calibrate on"]
    forms = [
        Form("Keras", Path(source), functools.partial(_open_tensorflow, source)),
        Form("SavedModel", saved, functools.partial(_open_tensorflow, saved)),
        *_tflite(model, folder / "tflite", settings, notes),
    ]
    for title, write in _PEERS.items():
        try:
            forms += write(model, source, folder, settings)
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


def _variants(settings, quantizations):
    """`(quantization, batch)` of each file of a format."""
    calibration, _, batch = settings
    possible = [q for q in quantizations if q != "int8" or calibration]
    yield from ((quantization, 1) for quantization in possible)
    if batch is not None:
        yield from ((quantization, batch) for quantization in possible if quantization in PLAIN)


def _stem(title):
    """A form's title as the name of its file or folder."""
    return title.lower().replace(", ", "_").replace(" ", "_")


def _title(name, quantization, batch):
    words = name if quantization == "none" else f"{name} {quantization}"
    return words if batch == 1 else f"{words}, batch {batch}"


def _tflite(model, folder, settings, notes):
    from yolov2_tf.export.layout_values import QUANTIZATIONS
    from yolov2_tf.export.runtime import TFLiteDetector
    from yolov2_tf.export.tail import tail_share
    from yolov2_tf.export.tflite import Conversion
    from yolov2_tf.models.heads import find_head

    calibration, pictures, _ = settings

    def written(conversion, name, quantization, batch=1):
        path = folder / f"{_stem(name)}.tflite"
        chosen = None if quantization == "int8" else pictures
        conversion.write(path, quantization=quantization, calibration=calibration, pictures=chosen)
        opened = functools.partial(TFLiteDetector, path, thresholds=EVALUATION)
        share = functools.partial(tail_share, path)
        return Form(f"TFLite {name}", path, opened, share if batch == 1 else None, batch)

    conversions = {1: Conversion(model, thresholds=EVALUATION)}
    for quantization, batch in _variants(settings, QUANTIZATIONS):
        if batch not in conversions:
            conversions[batch] = Conversion(model, thresholds=EVALUATION, batch=batch)
        name = _title("float32" if quantization == "none" else quantization, "none", batch)
        yield written(conversions[batch], name, quantization, batch)
    if calibration and find_head(model).tree_logits == "nodes":  # int8 cannot add up leaves
        bare = Conversion(model, nms=False, raw_head=True, thresholds=EVALUATION)
        try:
            yield dataclasses.replace(written(bare, "int8, raw head", "int8"), tail_share=None)
        except InputError as error:
            notes.append(f"TFLite int8, raw head: {error}")


def _onnx(model, _, folder, settings):
    from yolov2_tf.export.onnx import OnnxDetector, export_onnx

    write = functools.partial(export_onnx, model, thresholds=EVALUATION, nms=True)
    return _written("ONNX", write, OnnxDetector, folder, ".onnx", settings)


def _written(name, write, detector, folder, suffix, settings):
    """The files of ONNX or OpenVINO: in float, in half precision, in int8, each a `Form`."""
    calibration, pictures, _ = settings
    forms = []
    for quantization, batch in _variants(settings, ("none", "fp16", "int8")):
        title = _title(name, quantization, batch)
        path = folder / _stem(title) / f"model{suffix}"
        if quantization == "int8":
            write(path, quantization=quantization, calibration=calibration, batch=batch)
        else:
            write(path, quantization=quantization, pictures=pictures, batch=batch)
        opened = functools.partial(detector, path, thresholds=EVALUATION)
        forms.append(Form(title, path.parent, opened, batch=batch))
    return forms


def _openvino(model, _, folder, settings):
    from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino, prefers_bfloat16

    write = functools.partial(export_openvino, model, thresholds=EVALUATION, nms=True)
    forms = _written("OpenVINO", write, OpenVinoDetector, folder, ".xml", settings)
    if prefers_bfloat16():  # what its users get by default here; of int8 files what stays in float
        for form in [one for one in forms if one.name in ("OpenVINO", "OpenVINO int8")]:
            bf16 = functools.partial(form.open, precision="bf16")
            forms.insert(forms.index(form) + 1, Form(f"{form.name} bf16", form.path, bf16))
    return forms


def _opencv(model, source, folder, _):
    from yolov2_tf.darknet.writer import export_darknet

    paths = export_darknet(model, folder / "darknet").paths
    opened = functools.partial(_open_opencv, source, paths)
    opened(1)  # whether it can read the network shows here
    return [Form("Darknet", folder / "darknet", opened)]


def _open_opencv(source, paths, threads):
    from yolov2_tf.export.opencv import OpenCvDetector
    from yolov2_tf.models.heads import find_head
    from yolov2_tf.models.loading import load_model

    return OpenCvDetector(find_head(load_model(source)), paths, threads, EVALUATION)


_PEERS = {"ONNX": _onnx, "OpenVINO": _openvino, "Darknet in OpenCV": _opencv}
