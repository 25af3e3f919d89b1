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
from yolov2_tf.export.inference_network import in_float32
from yolov2_tf.export.layout import describe
from yolov2_tf.export.metadata import ModelInfo, add_metadata, append_files
from yolov2_tf.export.quantization import halve_weights, quantize_int8, quantize_weights
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.files import replacing
from yolov2_tf.models.heads import find_head
from yolov2_tf.resize import resize_image


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

    Batch 1, fixed sizes, built-in operators only. The input `image` is `(1, S, S, 3)` RGB with
    values 0..255, float32, or uint8 in int8 files. The outputs are named and ordered

    - with suppression `location` `(1, N, 4)`, `category` `(1, N)`, `score` `(1, N)` and
      `number of detections` `(1,)`, all float32, as MediaPipe's `ObjectDetector` takes them;
    - without it `boxes` `(1, M, 4)` and `scores` `(1, M, C)`, which GPU delegates run whole; of
      a network with a label tree `boxes`, `scores` `(1, M)` and `labels` `(1, M)` int32.

    Args:
        model: `DetectionModel`.
        nms: Whether suppression is part of the files.
        thresholds: `Thresholds` of the suppression; None in them means that of `EXPORT`, whose low
            score leaves the choice to the app and lets the file be evaluated; a higher one saves
            time. N is the number of detections.
    """

    def __init__(self, model, *, nms=True, thresholds=EXPORT):
        self._model = in_float32(model)
        self._head = find_head(model)
        self._layout = describe(self._head, nms=nms, thresholds=thresholds)
        self._content = _convert(self._model, self._layout)

    def write(self, path, *, quantization="none", calibration=None, pictures=None, info=None):
        """Writes a file, after comparing it with the model on pictures.

        Args:
            path: The file to write.
            quantization: One of `yolov2_tf.export.layout.QUANTIZATIONS`.
            calibration: For int8: iterable of `(H, W, 3)` uint8 pictures like those that the
                network will see; a hundred are enough.
            pictures: `(H, W, 3)` uint8 pictures to compare on; default: some of `calibration`,
                else two photos that come with scikit-learn.
            info: `ModelInfo` with the model's name, author and licence.

        Returns:
            The `Difference` from the model.

        Raises:
            InputError: If an argument cannot be used.
            ExportError: If the file does not do what the model does. Nothing is written then.
        """
        check_quantization(quantization, calibration)
        calibration = list(calibration or ())
        pictures = list(pictures or calibration or sample_pictures())[:PICTURES]
        layout = dataclasses.replace(self._layout, quantization=quantization)
        file = self._quantized(quantization, calibration)
        check_deployable(file, path)
        add_metadata(file, info or ModelInfo(), layout)
        with replacing(path) as temporary:
            temporary.write_bytes(append_files(pack(file), layout))
            return _check(temporary, file, self._model, layout, pictures, path)

    def _quantized(self, quantization, calibration):
        file = unpack(self._content)
        name_outputs(file, self._layout.outputs)
        match quantization:
            case "fp16":
                halve_weights(file)
            case "dynamic":
                quantize_weights(file)
            case "int8":
                size, mode = self._head.input_size, self._head.resize
                quantize_int8(file, (resize_image(p, size, mode).numpy() for p in calibration))
        return file


def _convert(model, layout):
    """The bytes of the converted float file, its outputs named by their place."""
    head = find_head(model)
    if layout.nms:
        limits = layout.thresholds
        network = detector(model, limits.score, limits.iou, limits.detections, limits.tree)
    else:
        network = keras.Model(model.input, decoder(head, layout.tree_threshold)(model.output))

    def serve(image):
        outputs = network(image, training=False)
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
    layout = dataclasses.replace(layout, score_threshold=0.0)
    open_path = path.with_name("open.tflite")
    _open(file)
    open_path.write_bytes(append_files(pack(file), layout))
    runner = TFLiteDetector(open_path, score_threshold=0.0)

    images, shapes = prepare(pictures, head.input_size, head.resize)
    raw = np.concatenate([runner.run(image)["head"] for image in images.numpy()])
    difference = compare(model, raw, pictures)
    judge(difference, layout.quantization, where)
    found = list(runner.detect(pictures))
    expected = suppressed(head, raw, shapes, layout.thresholds.over(Thresholds(0.0)))
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
