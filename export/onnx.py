"""Exports a detector as ONNX or OpenVINO, by Keras' own exporters, and runs such files.

The files hold the network and the decoding; suppression is left to the caller, since the runtimes
differ in what they can do there. Input `image` `(1, S, S, 3)` float32 0..255; outputs `boxes`
`(1, M, 4)` and `scores` `(1, M, C)`.
"""

import contextlib
import importlib
import json
from pathlib import Path

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.export.runtime import PREDICTION_OUTPUTS, ExportedDetector
from yolov2_tf.files import replacing

FORMATS = {"onnx": ".onnx", "openvino": ".xml"}
"""Formats and the suffixes of their files; beside an OpenVINO `.xml` lies a `.bin`."""

_LAYOUT = "yolov2"


def export_onnx(
    model, path, *, format="onnx", pictures=None, iou_threshold=0.45, max_detections=100
):
    """Writes a detector as ONNX or OpenVINO, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write.
        format: One of `FORMATS`.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn.
        iou_threshold: What `OnnxDetector` suppresses with.
        max_detections: The most detections that it gives.

    Returns:
        The `Difference` from the model.

    Raises:
        InputError: If a package is missing, the network has a label tree, or the file does not
            do what the model does. Nothing is written then.
    """
    from yolov2_tf.export.metadata import describe
    from yolov2_tf.export.network import in_float32
    from yolov2_tf.models.heads import find_head

    path = Path(path)
    if path.suffix != FORMATS[format]:
        raise InputError(f"the file ends in {path.suffix!r}", where=path, expected=FORMATS[format])
    model = in_float32(model)
    if find_head(model).tree is not None:
        raise InputError(
            f"a network with a label tree cannot become {format}", hint="tflite or saved_model"
        )
    layout = describe(
        find_head(model),
        nms=False,
        quantization="none",
        score_threshold=0.0,
        iou_threshold=iou_threshold,
        max_detections=max_detections,
    )
    with contextlib.ExitStack() as written:
        temporary = written.enter_context(replacing(path))
        _write(model, temporary, format, layout)
        difference = _check(temporary, model, pictures, path)
        if format == "openvino":
            weights = written.enter_context(replacing(path.with_suffix(".bin")))
            temporary.with_suffix(".bin").rename(weights)
    return difference


class OnnxDetector(ExportedDetector):
    """Detector over an `.onnx` file (ONNX Runtime) or an OpenVINO `.xml` file (OpenVINO).

    Args:
        path: The file, as `export_onnx` wrote it.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: Detections score above this, 0..1.
        precision: What OpenVINO computes in, `"f32"` or `"bf16"`. Left to itself it takes the
            latter where the processor has it, and scores differ by some hundredths.

    Attributes:
        runtime: Name and version of the runtime.

    Raises:
        InputError: If the file or the runtime is missing, or it was not written by this package.
    """

    def __init__(self, path, threads=None, score_threshold=None, precision="f32"):
        if not Path(path).is_file():
            raise InputError("no such file", where=path, expected="a .onnx or .xml file")
        try:
            if Path(path).suffix == ".onnx":
                layout, self.runtime, self._run = _open_onnx(str(path), threads)
            else:
                layout, self.runtime, self._run = _open_openvino(str(path), threads, precision)
        except InputError:
            raise
        except Exception as error:  # the runtimes raise classes of their own
            raise InputError(f"not an export of this package: {error}", where=path) from error
        super().__init__(layout, score_threshold, path)

    def run(self, resized):
        """Runs the network, see `ExportedDetector.run`."""
        return dict(zip(PREDICTION_OUTPUTS, self._run(resized[None]), strict=True))


def prefers_bfloat16():
    """Whether OpenVINO, left to itself, computes in bfloat16 on this processor."""
    chosen = _import("openvino").Core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    return chosen.get_type_name() == "bf16"


def _open_onnx(path, threads):
    runtime = _import("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    layout = json.loads(session.get_modelmeta().custom_metadata_map[_LAYOUT])

    def run(image):
        return session.run(PREDICTION_OUTPUTS, {"image": image})

    return layout, f"onnxruntime {runtime.__version__}", run


def _open_openvino(path, threads, precision):
    openvino = _import("openvino")
    core = openvino.Core()
    network = core.read_model(path)
    layout = json.loads(network.get_rt_info([_LAYOUT]).astype(str))
    settings = {"INFERENCE_PRECISION_HINT": precision}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    compiled = core.compile_model(network, "CPU", settings)

    def run(image):
        outputs = compiled(image)
        return [outputs[name] for name in PREDICTION_OUTPUTS]

    version = openvino.__version__.split("-")[0]  # then comes the commit
    return layout, f"openvino {version}", run


def _write(model, path, format, layout):
    import keras

    from yolov2_tf.detection.decoding import DecodeBoxes
    from yolov2_tf.models.heads import find_head

    head = find_head(model)
    size = head.input_size
    image = keras.Input(batch_shape=(1, size, size, 3), name="image")
    decode = DecodeBoxes(head.anchors, name="decode")
    network = keras.Model(image, decode(model(image)))
    if format == "onnx":
        onnx = _import("onnx")
        _import("tf2onnx")
        spec = keras.InputSpec("float32", (1, size, size, 3), name="image")
        network.export(str(path), format="onnx", input_signature=[spec], verbose=False)
        file = onnx.load(str(path))
        _name_outputs(file.graph)
        onnx.helper.set_model_props(file, {_LAYOUT: json.dumps(layout)})
        onnx.save(file, str(path))
    else:
        openvino = _import("openvino")
        exported = path.with_name("exported.xml")
        network.export(str(exported), format="openvino", verbose=False)
        file = openvino.Core().read_model(str(exported))
        for output, name in zip(file.outputs, PREDICTION_OUTPUTS, strict=True):
            output.tensor.set_names({name})
        file.set_rt_info(json.dumps(layout), [_LAYOUT])
        openvino.save_model(file, str(path), compress_to_fp16=False)


def _name_outputs(graph):
    """Names the outputs of an ONNX graph, and its input, wherever they occur."""
    names = dict(zip((output.name for output in graph.output), PREDICTION_OUTPUTS, strict=True))
    names[graph.input[0].name] = "image"
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _check(path, model, pictures, where):
    """Compares boxes and scores with the model's."""
    from yolov2_tf.detection.predict import prepare
    from yolov2_tf.export.check import PICTURES, compare_predictions, judge, sample_pictures
    from yolov2_tf.models.heads import find_head

    head = find_head(model)
    pictures = list(pictures or sample_pictures())[:PICTURES]
    images, _ = prepare(pictures, head.input_size, head.resize)
    runner = OnnxDetector(path)
    outputs = [runner.run(image) for image in images.numpy()]
    found = [np.concatenate([output[name] for output in outputs]) for name in PREDICTION_OUTPUTS]
    difference = compare_predictions(model, *found, pictures)
    judge(difference, "none", where)
    return difference


def _import(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: {error}", hint=f"pip install {name}") from error
