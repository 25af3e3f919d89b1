"""Exports a detector as `.tflite`: decoding and suppression inside, nothing left for the app.

The network is converted once, in float32. `yolov2_tf.export.quantization` makes the smaller files
of that, which takes a moment and keeps more accuracy than the converter does.
"""

import tempfile

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.boxes import clip
from yolov2_tf.detection.decoding import TREE_THRESHOLD, decoder
from yolov2_tf.detection.predict import detector, prepare
from yolov2_tf.errors import InputError
from yolov2_tf.export.check import (
    PICTURES,
    check_same_detections,
    compare,
    judge,
    sample_pictures,
    suppressed,
)
from yolov2_tf.export.flatbuffer import (
    check_deployable,
    convolutions,
    name_outputs,
    operator_name,
    pack,
    replace_constant,
    unpack,
)
from yolov2_tf.export.metadata import ModelInfo, add_metadata, append_files, describe
from yolov2_tf.export.network import in_float32
from yolov2_tf.export.quantization import halve_weights, quantize_int8, quantize_weights
from yolov2_tf.export.runtime import TFLiteDetector, output_names
from yolov2_tf.files import replacing
from yolov2_tf.models.heads import find_head
from yolov2_tf.resize import resize_image

QUANTIZATIONS = ("none", "fp16", "dynamic", "int8")
"""`none`: float32. `fp16`: half the size. `dynamic`: int8 weights, a quarter of the size. `int8`:
int8 arithmetic, a quarter of the size and the fastest on phones; needs pictures to calibrate."""

CALIBRATION_PICTURES = 100


def export_tflite(
    model, path, *, quantization="none", calibration=None, pictures=None, info=None, **settings
):
    """Writes a detector as one `.tflite` file, after comparing it with the model on pictures.

    Args:
        model: `DetectionModel`.
        path: The file to write.
        quantization: See `Conversion.write`.
        calibration: See `Conversion.write`.
        pictures: See `Conversion.write`.
        info: See `Conversion.write`.
        **settings: See `Conversion`.

    Returns:
        The `Difference` from the model.

    Raises:
        InputError: If an argument cannot be used, or the file does not do what the model does.
            Nothing is written then.
    """
    check_quantization(quantization, calibration)
    return Conversion(model, **settings).write(
        path, quantization=quantization, calibration=calibration, pictures=pictures, info=info
    )


class Conversion:
    """A detector converted to TFLite, from which files of every quantisation are written.

    Batch 1, fixed sizes, built-in operators only. The input `image` is `(1, S, S, 3)` RGB with
    values 0..255, float32, or uint8 in int8 files. The outputs are named and ordered

    - with suppression `location` `(1, N, 4)`, `category` `(1, N)`, `score` `(1, N)` and
      `number of detections` `(1,)`, all float32, as MediaPipe's `ObjectDetector` takes them;
    - without it `boxes` `(1, M, 4)` and `scores` `(1, M, C)`, which GPU delegates run whole; of
      a network with a label tree `boxes`, `scores` `(1, M)` and `labels` `(1, M)` int32.

    Args:
        model: `DetectionModel`.
        nms: Whether suppression is part of the files.
        score_threshold: What suppression drops at once, 0..1. The low default leaves the choice to
            the app, and the file can be evaluated; a higher one saves time.
        iou_threshold: Boxes of one class overlapping more than this become one, 0..1.
        max_detections: N, the most detections.
        tree_threshold: How exact the labels of a tree are, see
            `yolov2_tf.detection.decoding.DecodeTree`.
    """

    def __init__(
        self,
        model,
        *,
        nms=True,
        score_threshold=0.005,
        iou_threshold=0.45,
        max_detections=100,
        tree_threshold=TREE_THRESHOLD,
    ):
        self._model = in_float32(model)
        self._head = find_head(model)
        self._layout = describe(
            self._head,
            nms=nms,
            score_threshold=score_threshold,
            iou_threshold=iou_threshold,
            max_detections=max_detections,
            tree_threshold=tree_threshold,
        )
        self._content = _convert(self._model, self._layout)

    def write(self, path, *, quantization="none", calibration=None, pictures=None, info=None):
        """Writes a file, after comparing it with the model on pictures.

        Args:
            path: The file to write.
            quantization: One of `QUANTIZATIONS`.
            calibration: For int8: iterable of `(H, W, 3)` uint8 pictures like those that the
                network will see; a hundred are enough.
            pictures: `(H, W, 3)` uint8 pictures to compare on; default: some of `calibration`,
                else two photos that come with scikit-learn.
            info: `ModelInfo` with the model's name, author and licence.

        Returns:
            The `Difference` from the model.

        Raises:
            InputError: If an argument cannot be used, or the file does not do what the model
                does. Nothing is written then.
        """
        check_quantization(quantization, calibration)
        calibration = list(calibration or ())
        pictures = list(pictures or calibration or sample_pictures())[:PICTURES]
        layout = {**self._layout, "quantization": quantization}
        file = self._quantized(quantization, calibration)
        check_deployable(file, path)
        add_metadata(file, info or ModelInfo(), layout)
        with replacing(path) as temporary:
            temporary.write_bytes(append_files(pack(file), layout))
            return _check(temporary, file, self._model, layout, pictures, path)

    def _quantized(self, quantization, calibration):
        file = unpack(self._content)
        name_outputs(file, output_names(self._layout))
        match quantization:
            case "fp16":
                halve_weights(file)
            case "dynamic":
                quantize_weights(file)
            case "int8":
                size, mode = self._head.input_size, self._head.resize
                quantize_int8(file, (resize_image(p, size, mode).numpy() for p in calibration))
        return file


def check_quantization(quantization, calibration):
    """Refuses a quantisation that cannot be had.

    Args:
        quantization: What is asked for.
        calibration: Pictures to calibrate with, or None.

    Raises:
        InputError: If it is none of `QUANTIZATIONS`, or pictures are missing.
    """
    if quantization == "int16x8":
        raise InputError(
            "int16x8 is not offered: TFLite's SPACE_TO_DEPTH, the passthrough, has no 16-bit "
            "kernel, and no phone runs 16-bit convolutions faster than float",
            hint="int8, or fp16 for more accuracy",
        )
    if quantization not in QUANTIZATIONS:
        raise InputError(
            f"unknown quantisation {quantization!r}", expected=", ".join(QUANTIZATIONS)
        )
    if quantization == "int8" and not calibration:
        raise InputError(
            "int8 needs pictures to find the ranges of its integers", hint="--calibrate DATA"
        )


def _convert(model, layout):
    """The bytes of the converted float file, its outputs named by their place."""
    head = find_head(model)
    if layout["nms"]:
        names = ("score_threshold", "iou_threshold", "max_detections", "tree_threshold")
        network = detector(model, *(layout[name] for name in names))
    else:
        network = keras.Model(model.input, decoder(head, layout["tree_threshold"])(model.output))

    def serve(image):
        outputs = network(image, training=False)
        if not layout["nms"]:
            boxes, *others = outputs
            return _numbered(clip(boxes), *others)
        return _numbered(
            outputs["boxes"],
            tf.cast(tf.maximum(outputs["labels"], 0), tf.float32),  # apps may look up unused ones
            outputs["scores"],
            tf.cast(outputs["num_detections"], tf.float32),
        )

    archive = keras.export.ExportArchive()  # finds the variables; tracked ones it writes twice
    size = head.input_size
    archive.add_endpoint("detect", serve, [tf.TensorSpec((1, size, size, 3), tf.float32, "image")])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["detect"])
        return converter.convert()


def _numbered(*tensors):
    return {f"output_{place}": tensor for place, tensor in enumerate(tensors)}


def _check(path, file, model, layout, pictures, where):
    """Compares the written file with the model on pictures.

    What runs is the file with two changes: the head tensor is an output too, and suppression has
    no score threshold, which might leave nothing to compare.
    """
    head = find_head(model)
    TFLiteDetector(path).detect(pictures[0])  # as written, it has to run
    layout = {**layout, "score_threshold": 0.0}
    open_path = path.with_name("open.tflite")
    _open(file)
    open_path.write_bytes(append_files(pack(file), layout))
    runner = TFLiteDetector(open_path, score_threshold=0.0)

    images, shapes = prepare(pictures, head.input_size, head.resize)
    raw = np.concatenate([runner.run(image)["head"] for image in images.numpy()])
    difference = compare(model, raw, pictures)
    judge(difference, layout["quantization"], where)
    settings = {k: layout[k] for k in ("score_threshold", "iou_threshold", "max_detections")}
    found = [runner.detect(picture) for picture in pictures]
    expected = suppressed(head, raw, shapes, settings, layout["tree_threshold"])
    check_same_detections(expected, found, where)
    return difference


def _open(file):
    graph = file.subgraphs[0]
    for op in graph.operators:
        if operator_name(file, op) == "NON_MAX_SUPPRESSION_V4":
            replace_constant(file, op, 4, np.float32(0.0))
    # Decoding starts by reshaping the head tensor, which need not be what the last convolution
    # gives: an imported network may still have an activation there, or more.
    last = graph.operators.index(convolutions(file)[-1])
    names = [operator_name(file, op) for op in graph.operators]
    head = graph.operators[names.index("RESHAPE", last)].inputs[0]
    graph.tensors[head].name = b"head"
    graph.outputs = [*graph.outputs, head]
