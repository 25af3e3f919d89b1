"""Exports a detector as ONNX, by Keras' own exporter, and runs such files in ONNX Runtime.

The file holds the network and the decoding, and suppression if it is asked for. Input `image`
`(B, S, S, 3)` float32 0..255; outputs `boxes` `(B, M, 4)` and `scores` `(B, M, C)`, of a network
with a label tree `boxes`, `scores` `(B, M)` and `labels` `(B, M)`; with suppression `location`
`(B, N, 4)`, `category` `(B, N)`, `score` `(B, N)` and `number of detections` `(B,)`.
"""

import dataclasses
import json
import tempfile
from pathlib import Path

from yolov2_tf.detection.thresholds import EXPORT, either
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector, batch_of
from yolov2_tf.export.formats import check_quantization
from yolov2_tf.export.layout import LABELLED_OUTPUTS, PREDICTION_OUTPUTS, describe, parse_layout
from yolov2_tf.export.optional import import_optional
from yolov2_tf.files import replacing

PROPERTY = "yolov2"
"""Under this name the properties of the file hold the `Layout`."""

CPU = ("CPUExecutionProvider",)

OPSETS = range(13, 19)
"""Versions of ONNX's operators that a file can be written for: from 13 on integers may have a scale
for each channel; later ones than 18 the converter does not write."""

OPSET = 17
"""The version that is written where none is asked for; ONNX Runtime 1.12 (2022) reads it."""


@dataclasses.dataclass(frozen=True)
class Form:
    """What an ONNX or OpenVINO file shall be.

    Attributes:
        nms: Whether suppression is in the file.
        quantization: `none`, `fp16` or `int8`; head, decoding and suppression stay in float32.
        batch: How many pictures it takes at once; None for any number.
        opset: Version of ONNX's operators, one of `OPSETS`; None for `OPSET`.
    """

    nms: bool = False
    quantization: str = "none"
    batch: int | None = 1
    opset: int | None = None


def export_onnx(model, path, *, pictures=None, thresholds=EXPORT, calibration=None, **settings):
    """Writes a detector as ONNX, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write, `.onnx`.
        pictures: `(H, W, 3)` uint8 pictures to compare on; default: two photos that come with
            scikit-learn; of quantised files those of `calibration` that are held out.
        thresholds: `Thresholds` of the suppression, in the file or by `OnnxDetector`.
        calibration: For int8: `(H, W, 3)` uint8 pictures like those that the network will see.
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
    refuse(path, ".onnx", form, calibration)
    held_out = hold_out(calibration, form.quantization)
    model = in_float32(model)
    layout = layout_of(model, form, thresholds)
    with replacing(path) as temporary:
        onnx = import_optional("onnx")
        onnx.save(build(model, layout, form, held_out.calibration), str(temporary))
        written = OnnxDetector(temporary, thresholds=layout.thresholds)
        if form.quantization == "none":
            return check_float(model, written, pictures, path)
        return check_quantized(model, written, held_out, pictures, path)


class OnnxDetector(Detector):
    """Detector over an `.onnx` file that `yolov2 export` wrote, in ONNX Runtime.

    Its sessions may be shared by threads as they are.

    Args:
        path: The file.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: Detections score above this, 0..1; default: 0.25.
        thresholds: `Thresholds` in place of `score_threshold`.
        batch_size: How many pictures go through the network at once; default: as many as the file
            has fixed, 1 where it takes any number.
        providers: ONNX Runtime's execution providers in the order of preference; default: the CPU.

    Attributes:
        runtime: Name and version of the runtime; for the others see `Detector`.

    Raises:
        InputError: If the file or the runtime is missing, or it was not written by this package.
    """

    def __init__(
        self,
        path,
        threads=None,
        score_threshold=None,
        thresholds=None,
        batch_size=None,
        providers=None,
    ):
        if not Path(path).is_file():
            raise InputError("no such file", where=path, expected="a .onnx file")
        runtime = import_optional("onnxruntime")
        providers = _available(runtime, providers or CPU)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=providers)
            text = self._session.get_modelmeta().custom_metadata_map[PROPERTY]
        except Exception as error:  # the runtime raises classes of its own
            raise InputError(f"not an export of this package: {error}", where=path) from error
        super().__init__(parse_layout(text, path), either(score_threshold, thresholds), path)
        (image,) = self._session.get_inputs()
        outputs = {output.name: _shape(output) for output in self._session.get_outputs()}
        self.layout.check_network(_shape(image), outputs, path)
        self.batch = batch_of(_shape(image), batch_size, path)
        self.runtime = f"onnxruntime {runtime.__version__}"

    def run_batch(self, images):
        """Runs the network, see `Detector.run_batch`."""
        outputs = self._session.run(self.layout.outputs, {"image": images})
        return dict(zip(self.layout.outputs, outputs, strict=True))


def refuse(path, suffix, form, calibration):
    """Refuses what cannot become a file of this format.

    Raises:
        InputError: If the file's suffix is another one, or the form cannot be had.
    """
    if path.suffix != suffix:
        raise InputError(f"the file ends in {path.suffix!r}", where=path, expected=suffix)
    check_quantization(form.quantization, calibration, "openvino" if suffix == ".xml" else "onnx")
    if (form.opset or OPSET) not in OPSETS:
        raise InputError(f"opset {form.opset}", expected=f"{OPSETS[0]} to {OPSETS[-1]}")
    if form.batch is not None and form.batch < 1:
        raise InputError(f"a batch of {form.batch}", expected="1 or more, or dynamic")
    needed = (
        ["onnx", "tf2onnx", "onnxruntime"] if suffix == ".onnx" else ["openvino", "onnx", "tf2onnx"]
    )
    if suffix == ".xml" and form.quantization == "int8":
        needed.append("nncf")
    for package in needed:  # before anything takes its time
        import_optional(package)


def layout_of(model, form, thresholds):
    """What the file says about itself: a `Layout`."""
    from yolov2_tf.models.heads import find_head

    return describe(
        find_head(model), nms=form.nms, thresholds=thresholds, quantization=form.quantization
    )


def build(model, layout, form, calibration=()):
    """The ONNX model of a detector.

    Args:
        model: `DetectionModel` in float32.
        layout: Its `Layout`.
        form: `Form`.
        calibration: For int8: pictures.

    Returns:
        `onnx.ModelProto` that holds the layout among its properties.
    """
    from yolov2_tf.export import onnx_graph
    from yolov2_tf.export.numpy_resize import resize

    onnx = import_optional("onnx")
    file = _convert(model, layout, form)
    match form.quantization:
        case "fp16":
            file = onnx_graph.halve(file)
        case "int8":
            from yolov2_tf.export.onnx_quantization import quantize_int8

            file = quantize_int8(
                file, calibration, lambda p: resize(p, layout.input_size, layout.resize)[0]
            )
    if layout.nms:
        file = onnx_graph.append_suppression(file, layout)
    onnx.helper.set_model_props(file, {PROPERTY: json.dumps(layout.to_json())})
    return file


def _convert(model, layout, form):
    import keras

    from yolov2_tf.export.inference_network import with_decoding, with_plain_numbers
    from yolov2_tf.export.onnx_graph import rename

    onnx = import_optional("onnx")
    model = with_plain_numbers(model)
    network = with_decoding(model, batch=form.batch, tree_threshold=layout.tree_threshold)
    spec = keras.InputSpec("float32", network.inputs[0].shape, name="image")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "exported.onnx")
        network.export(
            path,
            format="onnx",
            input_signature=[spec],
            opset_version=form.opset or OPSET,
            verbose=False,
        )
        file = onnx.load(path)
    rename(file, PREDICTION_OUTPUTS if layout.tree is None else LABELLED_OUTPUTS, form.batch)
    return file


def _available(runtime, providers):
    """The providers, once this ONNX Runtime has all of them."""
    there = runtime.get_available_providers()
    if missing := [name for name in providers if name not in there]:
        raise InputError(
            f"ONNX Runtime has no {missing[0]} here",
            expected=", ".join(there),
            hint="the package that has it, e.g. pip install onnxruntime-gpu",
        )
    return list(providers)


def _shape(value):
    """Sides that are not fixed have a name, or None."""
    return [side if isinstance(side, int) else None for side in value.shape]
