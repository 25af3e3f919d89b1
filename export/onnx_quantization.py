"""Integers for ONNX files, by ONNX Runtime's static quantisation."""

import contextlib
import copy
import io
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx

from yolov2_tf.export.onnx_graph import nodes_behind_the_network
from yolov2_tf.export.optional import import_optional

PERCENTILE = 99.99
"""Share of the values that an activation's range covers: the extremes cost half a point of mAP."""

AT_ONCE = 4
"""So many pictures are run before their activations are counted; all at once, those of YOLOv2 at
416 px would take 10 GB."""


def quantize_int8(model, pictures, prepare):
    """An ONNX detector that computes in int8 up to the head.

    Weights have a scale for each output channel, activations one. The file holds pairs of
    `QuantizeLinear` and `DequantizeLinear`, which ONNX Runtime turns into integer kernels. The
    head, decoding and suppression stay in float32.

    Args:
        model: `onnx.ModelProto` in float32, without suppression.
        pictures: List of pictures to calibrate on.
        prepare: Function from a picture to `(S, S, 3)` float32, values 0..255.

    Returns:
        `onnx.ModelProto`.
    """
    quantization = import_optional("onnxruntime.quantization")
    batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 1
    at_once = min(AT_ONCE, len(pictures))
    pictures = pictures[: len(pictures) // at_once * at_once]

    class Reader(quantization.CalibrationDataReader):
        def __len__(self):
            return len(pictures)

        def set_range(self, start_index, end_index):
            self._pictures = iter(pictures[start_index:end_index])

        def get_next(self):
            picture = next(self._pictures, None)
            return None if picture is None else {"image": np.stack([prepare(picture)] * batch)}

    with _quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            copy.deepcopy(model),  # it changes the one it gets
            path,
            Reader(),
            per_channel=True,
            nodes_to_exclude=nodes_behind_the_network(model),
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": PERCENTILE, "CalibStridedMinMax": at_once},
        )
        return onnx.load(str(path))


@contextlib.contextmanager
def _quiet():
    """Without its prints, and its advice to preprocess, which finds nothing to do here."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
