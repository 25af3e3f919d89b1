"""Exports a detector to OpenVINO, by Keras' own exporter, and runs such files there.

Beside the `.xml` file lies a `.bin` with the weights. As in `yolov2_tf.export.onnx`, the file holds
the network and the decoding.
"""

import contextlib
import json
import threading
from pathlib import Path

from yolov2_tf.detection.thresholds import EXPORT, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import PREDICTION_OUTPUTS, describe, parse_layout
from yolov2_tf.export.onnx import PROPERTY, refuse
from yolov2_tf.export.optional import import_optional
from yolov2_tf.files import replacing


def export_openvino(model, path, *, pictures=None, thresholds=EXPORT):
    """Writes a detector for OpenVINO, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write, `.xml`.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn.
        thresholds: `Thresholds` whose overlap and number `OpenVinoDetector` suppresses with.

    Returns:
        The `Difference` from the model.

    Raises:
        InputError: If OpenVINO is missing, or the network has a label tree.
        ExportError: If the file does not do what the model does. Nothing is written then.
    """
    from yolov2_tf.export.check import check_predictions
    from yolov2_tf.export.inference_network import in_float32
    from yolov2_tf.models.heads import find_head

    path = Path(path)
    head = find_head(model)
    refuse(path, ".xml", head, "openvino")
    layout = describe(head, nms=False, thresholds=thresholds)
    model = in_float32(model)
    with contextlib.ExitStack() as written:
        temporary = written.enter_context(replacing(path))
        _write(model, temporary, layout)
        difference = check_predictions(model, OpenVinoDetector(temporary), pictures, path)
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

    Attributes:
        runtime: Name and version of the runtime; for the others see `Detector`.

    Raises:
        InputError: If the file or OpenVINO is missing, or it was not written by this package.
    """

    def __init__(self, path, threads=None, score_threshold=None, thresholds=None, precision="f32"):
        if not Path(path).is_file():
            raise InputError("no such file", where=path, expected="a .xml file")
        openvino = import_optional("openvino")
        settings = {"INFERENCE_PRECISION_HINT": precision}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        core = openvino.Core()
        try:
            network = core.read_model(str(path))
            text = network.get_rt_info([PROPERTY]).astype(str)
            self._compiled = core.compile_model(network, "CPU", settings)
        except Exception as error:  # OpenVINO raises classes of its own
            raise InputError(f"not an export of this package: {error}", where=path) from error
        super().__init__(parse_layout(text, path), thresholds or Thresholds(score_threshold), path)
        outputs = {name: _shape(out) for out in self._compiled.outputs for name in out.names}
        self.layout.check_network(_shape(self._compiled.input()), outputs, path)
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"  # then comes the commit
        # A compiled model called as a function has one request for all threads. A lock rather than
        # a request for each: by itself OpenVINO gives all cores to one after the other anyway.
        self._lock = threading.Lock()

    def run(self, resized):
        """Runs the network, see `Detector.run`."""
        with self._lock:
            outputs = self._compiled(resized[None])  # copies
        return {name: outputs[name] for name in PREDICTION_OUTPUTS}


def prefers_bfloat16():
    """Whether OpenVINO, left to itself, computes in bfloat16 on this processor."""
    chosen = import_optional("openvino").Core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    return chosen.get_type_name() == "bf16"


def _shape(port):
    return [side.get_length() if side.is_static else None for side in port.partial_shape]


def _write(model, path, layout):
    from yolov2_tf.export.inference_network import with_decoding

    openvino = import_optional("openvino")
    exported = path.with_name("exported.xml")
    with_decoding(model).export(str(exported), format="openvino", verbose=False)
    file = openvino.Core().read_model(str(exported))
    for output, name in zip(file.outputs, PREDICTION_OUTPUTS, strict=True):
        output.tensor.set_names({name})
    file.set_rt_info(json.dumps(layout.to_json()), [PROPERTY])
    openvino.save_model(file, str(path), compress_to_fp16=False)
