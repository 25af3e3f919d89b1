"""The rows of table 2: the whole YOLOv2 detector but for one thing.

What only they need lives here: a network without batch normalisation, hand-picked anchors, and
boxes whose centres may lie anywhere, as those of Faster R-CNN's region proposals.
"""

import contextlib
import dataclasses
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.detection import decoding
from yolov2_tf.detection import loss as region
from yolov2_tf.detection.decoding import MAX_LOG_SCALE, cells_and_priors
from yolov2_tf.models import blocks
from yolov2_tf.models.anchor_comparison import HAND_PICKED
from yolov2_tf.training import detection

RATES = (1.0, 0.3, 0.1, 0.03)
"""Shares of the learning rate that a network without batch normalisation is tried with."""


def without_batch_norm():
    plain = blocks.convolution
    return mock.patch.object(
        blocks, "convolution", lambda *given, **options: plain(*given, batch_norm=False, **options)
    )


def hand_picked():
    """Faster R-CNN's nine anchors, in the place of clusters."""
    shapes = (HAND_PICKED / [800, 600]).astype(np.float32)
    return mock.patch.object(detection, "cluster", return_value=(shapes, None))


def anywhere_boxes(coordinates, anchors, grid):
    """As `decode_boxes`, but x = x_a + t_x · w_a about the cell's centre, unbounded."""
    cells, priors = cells_and_priors(grid, anchors)
    size = tf.cast(tf.stack([grid[1], grid[0]]), tf.float32)
    centers = (cells + 0.5 + coordinates[..., :2] * priors) / size
    half = priors * tf.exp(tf.minimum(coordinates[..., 2:4], MAX_LOG_SCALE)) / (2 * size)
    low, high = centers - half, centers + half
    return tf.concat([low[..., 1::-1], high[..., 1::-1]], axis=-1)


@keras.saving.register_keras_serializable("table2")
class AnywhereLoss(region.YOLOv2Loss):
    """YOLOv2's loss on boxes of `anywhere_boxes`."""

    def _box(self, matched, matches):
        anchor = matches.slot % len(self.anchors)
        priors = tf.gather(tf.constant(self.anchors), anchor)
        wanted = tf.concat([(matches.offset - 0.5) / priors, matches.log_scale], axis=-1)
        error = tf.where(matches.kept[..., None] > 0, matched[..., :4] - wanted, 0.0)
        weight = self.coord_scale * matches.balance * matches.kept
        return 0.5 * tf.reduce_sum(weight * tf.reduce_sum(error**2, axis=-1), axis=1)

    def _prior(self, predictions, free, seen):
        if seen is None or not self.warmup_images:
            return tf.zeros(tf.shape(predictions)[:1])
        warming = tf.cast(seen < self.warmup_images, tf.float32)
        pull = tf.reduce_sum(free * tf.reduce_sum(predictions[..., :4] ** 2, axis=-1), axis=1)
        return 0.5 * region.PRIOR_SCALE * warming * pull


@contextlib.contextmanager
def anywhere():
    with (
        mock.patch.object(decoding, "decode_boxes", anywhere_boxes),
        mock.patch.object(region, "decode_boxes", anywhere_boxes),
        mock.patch.object(detection, "YOLOv2Loss", AnywhereLoss),
    ):
        yield


@dataclasses.dataclass(frozen=True)
class Row:
    """The whole detector but for one thing.

    Attributes:
        name: What is printed.
        change: Fields of the recipe that differ.
        trunk: `high`, `low` or None.
        around: Context in which it trains and is scored.
        rates: Shares of the learning rate to try with the first seed; the best is kept.
    """

    name: str
    change: dict = dataclasses.field(default_factory=dict)
    trunk: str | None = "high"
    around: object = contextlib.nullcontext
    rates: tuple = (1.0,)


ROWS = (
    Row("all"),
    Row("from scratch", trunk=None),
    Row("… without batch norm, best rate", {}, None, without_batch_norm, RATES),
    Row("low-resolution classifier", trunk="low"),
    Row("hand-picked anchors", {"anchors": 9}, around=hand_picked),
    Row("unconstrained location", around=anywhere),
    Row("no passthrough", {"passthrough": "none"}),
    Row("full passthrough, 512 channels", {"passthrough": "full"}),
    Row("one scale", {"multi_scale": None}),
)
