"""Exports a detector as `.tflite`: decoding and suppression inside, nothing left for the app.

The network is converted once, in float32. `yolov2_tf.export.quantization` makes the smaller files
of that, which takes a moment and keeps more accuracy than the converter does.
"""

import dataclasses
import tempfile

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.boxes import clip
from yolov2_tf.detection.decoding import decoder
from yolov2_tf.detection.predict import detector, prepare
from yolov2_tf.detection.thresholds import EXPORT, Thresholds
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
from yolov2_tf.export.formats import check_quantization
from yolov2_tf.export.held_out import check_quantized, compared, hold_out
from yolov2_tf.export.inference_network import in_float32
from yolov2_tf.export.layout import HEAD_OUTPUTS, describe
from yolov2_tf.export.metadata import ModelInfo, add_metadata, append_files
from yolov2_tf.export.quantization import halve_weights, quantize_int8, quantize_weights
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.files import replacing
from yolov2_tf.models.heads import find_head
from yolov2_tf.resize import resize_image

_OVERLAP, _SCORE = 3, 4  # inputs of NON_MAX_SUPPRESSION_V4


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
        InputError: If an argument cannot be used.
        ExportError: If the file does not do what the model does. Nothing is written then.
    """
    check_quantization(quantization, calibration)
    return Conversion(model, **settings).write(
        path, quantization=quantization, calibration=calibration, pictures=pictures, info=info
    )


class Conversion:
    """A detector converted to TFLite, from which files of every quantisation are written.

    Fixed sizes, built-in operators only. The input `image` is `(B, S, S, 3)` RGB with values
    0..255, float32, or uint8 in int8 files. The outputs are named and ordered

    - with suppression `location` `(B, N, 4)`, `category` `(B, N)`, `score` `(B, N)` and
      `number of detections` `(B,)`, all float32, as MediaPipe's `ObjectDetector` takes them;
    - without it `boxes` `(B, M, 4)` and `scores` `(B, M, C)`, which GPU delegates run whole; of
      a network with a label tree `boxes`, `scores` `(B, M)` and `labels` `(B, M)` int32;
    - of the raw head `head` `(B, S', S', k · (5 + C))`, int8 in int8 files, whose input is int8
      then (a pixel less 128): accelerators take all of it.

    Args:
        model: `DetectionModel`.
        nms: Whether suppression is part of the files.
        raw_head: Whether decoding is left to who runs the files, too; `nms` must be False.
        batch: How many pictures a file takes at once.
        thresholds: `Thresholds` of the suppression; None in them means that of `EXPORT`, whose low
            score leaves the choice to the app and lets the file be evaluated; a higher one saves
            time. N is the number of detections.
    """

    def __init__(self, model, *, nms=True, raw_head=False, batch=1, thresholds=EXPORT):
        if raw_head and nms:
            raise InputError("suppression behind a raw head", expected="nms=False with raw_head")
        if type(batch) is not int or batch < 1:
            raise InputError(f"a batch of {batch}", expected="1 or more, fixed, of TFLite")
        self._model = in_float32(model)
        self._head = find_head(model)
        outputs = HEAD_OUTPUTS if raw_head else None
        self._layout = describe(self._head, nms=nms, thresholds=thresholds, outputs=outputs)
        if nms and self._layout.least_overlap > 1:  # its kernel would select a box again and again
            raise InputError(
                "the overlap threshold is 1, and TFLite's suppression makes equal boxes one",
                expected="less than 1, or a file without suppression",
                field="iou",
            )
        self._content = _convert(self._model, self._layout, batch)

    def write(self, path, *, quantization="none", calibration=None, pictures=None, info=None):
        """Writes a file, after comparing it with the model on pictures.

        Args:
            path: The file to write.
            quantization: One of `yolov2_tf.export.layout_values.QUANTIZATIONS`.
            calibration: For int8: iterable of `(H, W, 3)` uint8 pictures like those that the
                network will see; a hundred are enough. A fifth of them is held out and compared.
            pictures: `(H, W, 3)` uint8 pictures to compare on; default: those held out, else
                photos that come with scikit-learn.
            info: `ModelInfo` with the model's name, author and licence.

        Returns:
            The `Difference` from the model.

        Raises:
            InputError: If an argument cannot be used.
            ExportError: If the file does not do what the model does. Nothing is written then.
        """
        check_quantization(quantization, calibration)
        held_out = hold_out(calibration, quantization)
        layout = dataclasses.replace(self._layout, quantization=quantization)
        file = self._quantized(quantization, held_out.calibration)
        check_deployable(file, path)
        add_metadata(file, info or ModelInfo(), layout)
        with replacing(path) as temporary:
            temporary.write_bytes(append_files(pack(file), layout))
            return _check(temporary, file, self._model, layout, pictures, held_out, path)

    def _quantized(self, quantization, calibration):
        file = unpack(self._content)
        name_outputs(file, self._layout.outputs)
        _replace_threshold(file, _OVERLAP, self._layout.least_overlap)
        match quantization:
            case "fp16":
                halve_weights(file)
            case "dynamic":
                quantize_weights(file)
            case "int8":
                if self._layout.outputs == HEAD_OUTPUTS and self._head.tree_logits == "leaves":
                    raise InputError(
                        "an int8 head tensor of a network that gives logits of leaves alone",
                        expected="another quantization, or a file that decodes",
                    )
                size, mode = self._head.input_size, self._head.resize
                images = (resize_image(p, size, mode).numpy() for p in calibration)
                quantize_int8(file, images, whole=self._layout.outputs == HEAD_OUTPUTS)
        return file


def _convert(model, layout, batch):
    """The bytes of the converted float file, its outputs named by their place."""
    head = find_head(model)
    if layout.nms:
        limits = layout.thresholds
        network = detector(model, limits.score, limits.iou, limits.detections, limits.tree)
    elif layout.outputs == HEAD_OUTPUTS:
        network = model
    else:
        network = keras.Model(model.input, decoder(head, layout.tree_threshold)(model.output))

    def serve(image):
        outputs = network(image, training=False)
        if layout.outputs == HEAD_OUTPUTS:
            return _numbered(outputs)
        if not layout.nms:
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
    spec = tf.TensorSpec((batch, size, size, 3), tf.float32, "image")
    archive.add_endpoint("detect", serve, [spec])
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["detect"])
        return converter.convert()


def _numbered(*tensors):
    return {f"output_{place}": tensor for place, tensor in enumerate(tensors)}


def _check(path, file, model, layout, pictures, held_out, where):
    """Compares the written file with the model on pictures.

    A float file has to compute the same. A quantised one is judged by what it detects, and its
    decoding and suppression by what these give for *its own* head tensor, so that an error there
    cannot hide behind quantisation.
    """
    written = TFLiteDetector(path, thresholds=layout.thresholds)
    if layout.quantization == "none":
        few = list(pictures or held_out.pictures or sample_pictures())[:PICTURES]
        return _check_decoding(path, file, model, layout, few, where)
    few = compared(held_out, pictures)[0][:PICTURES]
    _check_decoding(path, file, model, layout, few, where)
    return check_quantized(model, written, held_out, pictures, where)


def _check_decoding(path, file, model, layout, pictures, where):
    """Compares the head tensor, if it is float, and what the file makes of it.

    What runs is the file with two changes: the head tensor is an output too, and suppression has
    no score threshold, which might leave nothing to compare.
    """
    head = find_head(model)
    layout = dataclasses.replace(layout, score_threshold=0.0)
    open_path = path.with_name("open.tflite")
    _open(file, layout)
    open_path.write_bytes(append_files(pack(file), layout))
    runner = TFLiteDetector(open_path, score_threshold=0.0)

    images, shapes = prepare(pictures, head.input_size, head.resize)
    raw = np.concatenate([runner.run(image)["head"] for image in images.numpy()])
    if head.tree_logits == "leaves" and layout.outputs != HEAD_OUTPUTS:
        raw = np.asarray(head.of_all_nodes(raw))  # what was opened is the convolution
    difference = compare(model, raw, pictures)
    if layout.quantization == "none":
        judge(difference, where)
    found = list(runner.detect(pictures))
    expected = suppressed(head, raw, shapes, layout.thresholds.over(Thresholds(0.0)))
    check_same_detections(expected, found, where)
    return difference


def _replace_threshold(file, position, value):
    """Gives the suppression, if there is one, another of its thresholds, a float32."""
    for op in file.subgraphs[0].operators:
        if operator_name(file, op) == "NON_MAX_SUPPRESSION_V4":
            replace_constant(file, op, position, value)


def _open(file, layout):
    graph = file.subgraphs[0]
    _replace_threshold(file, _SCORE, np.float32(0))
    if layout.outputs == HEAD_OUTPUTS:
        return
    # Decoding starts by reshaping the head tensor, which need not be what the last convolution
    # gives: an imported network may still have an activation there, or more.
    last = graph.operators.index(convolutions(file)[-1])
    names = [operator_name(file, op) for op in graph.operators]
    head = graph.operators[names.index("RESHAPE", last)].inputs[0]
    graph.tensors[head].name = b"head"
    graph.outputs = [*graph.outputs, head]
