"""Runs a detector as a Keras model: a `.keras` file, or a network in memory."""

import functools
import os

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.detection.non_max_suppression import gives_detections
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import DEFAULT, either
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import describe
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.input_sides import check_side
from yolov2_tf.models.loading import load_model


class KerasDetector(Detector):
    """Detector over a Keras model. Keras lets threads share a model that predicts.

    Args:
        model: Path of a `.keras` file, or a `DetectionModel`.
        thresholds: `Thresholds`; what is None is that of `DEFAULT`.
        size: Side of the input in pixels, a multiple of 32; None for the model's own.
        batch_size: How many pictures go through the network at once.
        nodes: Of a network with a label tree: what every box is scored by, see
            `yolov2_tf.detection.decoding.DecodeNodes`; None: a box has one label.

    Attributes:
        runtime: Keras and its version; for the others see `Detector`.

    Raises:
        InputError: If the file cannot be read or holds no detector, or the size cannot be had.
    """

    runtime = f"Keras {keras.__version__}"

    def __init__(self, model, thresholds=None, *, size=None, batch_size=8, nodes=None):
        where = model if isinstance(model, str | os.PathLike) else None
        network = model if where is None else load_model(where)
        try:
            head = find_head(network)
        except ValueError as error:
            raise InputError(str(error), where=where, expected="a model that finds boxes") from None
        if gives_detections(network):
            raise InputError(
                "decoding and suppression are in it already",
                where=where,
                expected="the network alone, as `yolov2 train` saves it",
                hint="keras.models.load_model and yolov2_tf.detect",
            )
        if size is not None:
            check_side(size)
        limits = either(None, thresholds).over(DEFAULT)
        super().__init__(describe(head, nms=True, thresholds=limits), limits, where)
        self._network, self._nodes = network, nodes
        self._model = detector(
            network, limits.score, limits.iou, limits.detections, limits.tree, nodes
        )
        self._asked, self._size = size, size or head.input_size
        self._batch_size = batch_size

    @property
    def input_size(self):
        """Side of the input in pixels: the one asked for, or the network's own."""
        return self._size

    def scoring(self, nodes):
        """The same detector, whose boxes have a score of each of some nodes of its tree."""
        options = {"size": self._asked, "batch_size": self._batch_size, "nodes": tuple(nodes)}
        return KerasDetector(self._network, self.thresholds, **options)

    def run(self, resized):
        """Runs network, decoding and suppression as one graph: see `Detector.run`."""
        return self._graph(resized[None])

    @functools.cached_property
    def _graph(self):
        shape = (1, self._size, self._size, 3)
        return tf.function(
            lambda image: self._model(image, training=False),
            input_signature=[tf.TensorSpec(shape, tf.float32)],
        )

    def _detect_each(self, pictures):
        found = detect(self._model, pictures, size=self._asked, batch_size=self._batch_size)
        if self._nodes is None:
            return found
        nodes = np.array(self._nodes, np.int32)
        return ({**each, "labels": nodes[each["labels"]]} for each in found)
