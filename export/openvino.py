"""Exports a detector to OpenVINO, by way of ONNX, and runs such files there.

Beside the `.xml` file lies a `.bin` with the weights. What is in the file, its input and its
outputs are those of `yolov2_tf.export.onnx`.
"""

import contextlib
import json
import logging
import sys
import tempfile
import threading
from pathlib import Path

from yolov2_tf.detection.thresholds import EXPORT, either
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector, batch_of
from yolov2_tf.export.layout import parse_layout
from yolov2_tf.export.onnx import PROPERTY, Form, build, layout_of, refuse
from yolov2_tf.export.optional import import_optional
from yolov2_tf.export.signal_stack import kept_signal_stack
from yolov2_tf.files import replacing


def export_openvino(model, path, *, pictures=None, thresholds=EXPORT, calibration=None, **settings):
    """Writes a detector for OpenVINO, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write, `.xml`.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn; of quantised files those of `calibration` that are held out.
        thresholds: `Thresholds` of the suppression, in the file or by `OpenVinoDetector`.
        calibration: For int8: `(H, W, 3)` uint8 pictures like those that the network will see.
        form: `yolov2_tf.export.onnx.Form`, or its fields by name as `settings`. fp16 halves the
            weights, which OpenVINO computes with as the processor likes; int8 is NNCF's.
        **settings: Fields of `Form`.

    Returns:
        The `Difference` from the model, of quantised files the `Agreement` with it.

    Raises:
        InputError: If a package is missing or an argument cannot be used.
        ExportError: If the file does not do what the model does. Nothing is written then.
    """
    from yolov2_tf.export.check import check_float
    from yolov2_tf.export.held_out import check_quantized, hold_out
    from yolov2_tf.export.inference_network import in_float32

    path, form = Path(path), Form(**settings)
    refuse(path, ".xml", form, calibration)
    held_out = hold_out(calibration, form.quantization)
    model = in_float32(model)
    layout = layout_of(model, form, thresholds)
    with contextlib.ExitStack() as written:
        temporary = written.enter_context(replacing(path))
        _write(model, temporary, layout, form, held_out.calibration)
        detector = OpenVinoDetector(temporary, thresholds=layout.thresholds)
        if form.quantization == "none":
            difference = check_float(model, detector, pictures, path)
        else:
            difference = check_quantized(model, detector, held_out, pictures, path)
        weights = written.enter_context(replacing(path.with_suffix(".bin")))
        temporary.with_suffix(".bin").rename(weights)
    return difference


class OpenVinoDetector(Detector):
    """Detector over an OpenVINO `.xml` file that `yolov2 export` wrote.

    Args:
        path: The file.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: Detections score above this, 0..1; default: 0.25.
        thresholds: `Thresholds` in place of `score_threshold`.
        precision: What it computes in, `"f32"` or `"bf16"`. Left to itself OpenVINO takes the
            latter where the processor has it, and scores differ by some hundredths.
        batch_size: How many pictures go through the network at once; default: as many as the file
            has fixed, 1 where it takes any number.

    Attributes:
        runtime: Name and version of the runtime; for the others see `Detector`.

    Raises:
        InputError: If the file or OpenVINO is missing, or it was not written by this package.
    """

    def __init__(
        self,
        path,
        threads=None,
        score_threshold=None,
        thresholds=None,
        precision="f32",
        batch_size=None,
    ):
        if not Path(path).is_file():
            raise InputError("no such file", where=path, expected="a .xml file")
        weights = Path(path).with_suffix(".bin")
        if not weights.is_file():
            raise InputError("no such file", where=weights, expected="the weights beside the .xml")
        openvino = import_optional("openvino")
        settings = {"INFERENCE_PRECISION_HINT": precision}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        core = openvino.Core()
        try:
            network = core.read_model(str(path))
            text = network.get_rt_info([PROPERTY]).astype(str)
            with kept_signal_stack():
                self._compiled = core.compile_model(network, "CPU", settings)
        except Exception as error:  # OpenVINO raises classes of its own
            raise InputError(f"not an export of this package: {error}", where=path) from error
        super().__init__(parse_layout(text, path), either(score_threshold, thresholds), path)
        outputs = {name: _shape(out) for out in self._compiled.outputs for name in out.names}
        image = _shape(self._compiled.input())
        self.layout.check_network(image, outputs, path)
        self.batch = batch_of(image, batch_size, path)
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"  # then comes the commit
        # A compiled model called as a function has one request for all threads. A lock rather than
        # a request for each: by itself OpenVINO gives all cores to one after the other anyway.
        self._lock = threading.Lock()

    def run_batch(self, images):
        """Runs the network, see `Detector.run_batch`."""
        with self._lock:
            outputs = self._compiled(images)  # copies
        return {name: outputs[name] for name in self.layout.outputs}


def prefers_bfloat16():
    """Whether OpenVINO, left to itself, computes in bfloat16 on this processor."""
    core = import_optional("openvino").Core()
    with kept_signal_stack():
        chosen = core.get_property("CPU", "INFERENCE_PRECISION_HINT")
    return chosen.get_type_name() == "bf16"


def _shape(port):
    return [side.get_length() if side.is_static else None for side in port.partial_shape]


def _write(model, path, layout, form, calibration):
    import dataclasses

    openvino = import_optional("openvino")
    onnx = import_optional("onnx")
    in_float = build(model, layout, dataclasses.replace(form, quantization="none"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "exported.onnx"
        onnx.save(in_float, str(source))
        file = openvino.convert_model(str(source))
    if form.quantization == "int8":
        file = _quantize(file, layout, form, calibration)
    _suppress_from(file, layout.least_overlap)
    file.set_rt_info(json.dumps(layout.to_json()), [PROPERTY])
    openvino.save_model(file, str(path), compress_to_fp16=form.quantization == "fp16")


def _suppress_from(file, overlap):
    """Gives the suppression, if there is one, another overlap, a float32."""
    from openvino import opset8

    for op in file.get_ops():
        if op.get_type_name() == "NonMaxSuppression":
            op.input(3).replace_source_output(opset8.constant(overlap).output(0))


def _quantize(file, layout, form, calibration):
    """The network in int8 up to the head, by NNCF."""
    import numpy as np

    from yolov2_tf.export.numpy_resize import resize

    nncf = import_optional("nncf")
    nncf.set_log_level(logging.ERROR)  # it tells what stays in float, as it was told to
    images = [resize(p, layout.input_size, layout.resize)[0] for p in calibration]
    batches = [np.stack([image] * (form.batch or 1)).astype(np.float32) for image in images]
    with contextlib.redirect_stdout(sys.stderr), kept_signal_stack():  # its bars
        return nncf.quantize(
            file,
            nncf.Dataset(batches),
            subset_size=len(batches),
            ignored_scope=nncf.IgnoredScope(names=_from_the_head_on(file), validate=False),
        )


def _from_the_head_on(file):
    """Names of the head, the last convolution, and of all that depends on it."""
    convolutions = [op for op in file.get_ordered_ops() if op.get_type_name() == "Convolution"]
    found, waiting = {}, [convolutions[-1]]
    while waiting:
        op = waiting.pop()
        if op.friendly_name not in found and op.get_type_name() != "Result":
            found[op.friendly_name] = op
            waiting += [i.get_node() for port in op.outputs() for i in port.get_target_inputs()]
    return sorted(found)
