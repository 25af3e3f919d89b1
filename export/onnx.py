"""Exports a detector as ONNX, by Keras' own exporter, and runs such files in ONNX Runtime.

The file holds the network and the decoding; suppression is left to the caller, since runtimes
differ in what they can do there. Input `image` `(1, S, S, 3)` float32 0..255; outputs `boxes`
`(1, M, 4)` and `scores` `(1, M, C)`.
"""

import json
from pathlib import Path

from yolov2_tf.detection.thresholds import EXPORT, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import PREDICTION_OUTPUTS, describe, parse_layout
from yolov2_tf.export.optional import import_optional
from yolov2_tf.files import replacing

PROPERTY = "yolov2"
"""Under this name the properties of the file hold the `Layout`."""


def export_onnx(model, path, *, pictures=None, thresholds=EXPORT):
    """Writes a detector as ONNX, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write, `.onnx`.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn.
        thresholds: `Thresholds` whose overlap and number `OnnxDetector` suppresses with.

    Returns:
        The `Difference` from the model.

    Raises:
        InputError: If a package is missing, or the network has a label tree.
        ExportError: If the file does not do what the model does. Nothing is written then.
    """
    from yolov2_tf.export.check import check_predictions
    from yolov2_tf.export.inference_network import in_float32
    from yolov2_tf.models.heads import find_head

    path = Path(path)
    head = find_head(model)
    refuse(path, ".onnx", head, "onnx")
    layout = describe(head, nms=False, thresholds=thresholds)
    model = in_float32(model)
    with replacing(path) as temporary:
        _write(model, temporary, layout)
        return check_predictions(model, OnnxDetector(temporary), pictures, path)


class OnnxDetector(Detector):
    """Detector over an `.onnx` file that `yolov2 export` wrote, in ONNX Runtime.

    Its sessions may be shared by threads as they are.

    Args:
        path: The file.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: Detections score above this, 0..1; default: 0.25.
        thresholds: `Thresholds` in place of `score_threshold`.

    Attributes:
        runtime: Name and version of the runtime; for the others see `Detector`.

    Raises:
        InputError: If the file or the runtime is missing, or it was not written by this package.
    """

    def __init__(self, path, threads=None, score_threshold=None, thresholds=None):
        if not Path(path).is_file():
            raise InputError("no such file", where=path, expected="a .onnx file")
        runtime = import_optional("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        try:
            providers = ["CPUExecutionProvider"]
            self._session = runtime.InferenceSession(str(path), options, providers=providers)
            text = self._session.get_modelmeta().custom_metadata_map[PROPERTY]
        except Exception as error:  # the runtime raises classes of its own
            raise InputError(f"not an export of this package: {error}", where=path) from error
        super().__init__(parse_layout(text, path), thresholds or Thresholds(score_threshold), path)
        (image,) = self._session.get_inputs()
        outputs = {output.name: _shape(output) for output in self._session.get_outputs()}
        self.layout.check_network(_shape(image), outputs, path)
        self.runtime = f"onnxruntime {runtime.__version__}"

    def run(self, resized):
        """Runs the network, see `Detector.run`."""
        outputs = self._session.run(PREDICTION_OUTPUTS, {"image": resized[None]})
        return dict(zip(PREDICTION_OUTPUTS, outputs, strict=True))


def refuse(path, suffix, head, format):
    """Refuses what cannot become a file without suppression of this format.

    Raises:
        InputError: If the file's suffix is another one, or the network has a label tree.
    """
    if path.suffix != suffix:
        raise InputError(f"the file ends in {path.suffix!r}", where=path, expected=suffix)
    if head.tree is not None:
        raise InputError(
            f"a network with a label tree cannot become {format}", hint="tflite or saved_model"
        )


def _shape(value):
    """Sides that are not fixed have a name, or None."""
    return [side if isinstance(side, int) else None for side in value.shape]


def _write(model, path, layout):
    import keras

    from yolov2_tf.export.inference_network import with_decoding

    onnx = import_optional("onnx")
    import_optional("tf2onnx")
    network = with_decoding(model)
    spec = keras.InputSpec("float32", network.inputs[0].shape, name="image")
    network.export(str(path), format="onnx", input_signature=[spec], verbose=False)
    file = onnx.load(str(path))
    _name_outputs(file.graph)
    onnx.helper.set_model_props(file, {PROPERTY: json.dumps(layout.to_json())})
    onnx.save(file, str(path))


def _name_outputs(graph):
    """Names the outputs of an ONNX graph, and its input, wherever they occur."""
    names = dict(zip((output.name for output in graph.output), PREDICTION_OUTPUTS, strict=True))
    names[graph.input[0].name] = "image"
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
