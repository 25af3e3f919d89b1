"""YOLOv2's loss: Darknet's region layer (src/region_layer.c), vectorised over images and boxes."""

import math

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.boxes import iou
from yolov2_tf.detection.assignment import match
from yolov2_tf.detection.class_entropy import (
    class_entropy,
    class_factors,
    class_indices,
    trained_levels,
)
from yolov2_tf.detection.decoding import decode_boxes, split_head
from yolov2_tf.detection.image_labels import (
    IMAGE_OVERLAP,
    IMAGE_RULES,
    centered_in,
    labels_and_regions,
)
from yolov2_tf.detection.loss_statistics import statistics
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import checked_anchors
from yolov2_tf.models.truths import check_shapes
from yolov2_tf.trees.wordtree import as_tree

PRIOR_SCALE = 0.01
"""Weight with which unmatched predictions are pulled to their priors during warm-up."""

WARMUP_IMAGES = 12_800
"""Length of that warm-up in Darknet."""

NEVER = -1e9
"""A logit whose probability is 0; infinities would make NaNs."""


@keras.saving.register_keras_serializable("yolov2_tf")
class YOLOv2Loss(keras.losses.Loss):
    """Sum over the boxes of an image, mean over the batch.

    For every matched anchor: ½·coord·(2 - w·h)·[(σ(t_x) - x̂)² + (σ(t_y) - ŷ)² +
    (t_w - ŵ)² + (t_h - ĥ)²], ½·object·(σ(t_o) - IoU)² and the cross-entropy of the class. For
    every unmatched one: ½·noobject·σ(t_o)², unless its box overlaps ground truth by more than
    `ignore_iou`; during warm-up also a pull to its prior.

    An image may have a label and no boxes (paper, section 4, "Joint classification and
    detection"). Then it is matched to the box that gives this label the highest probability,
    objectness included: cross-entropy of the label, and ½·object·(.3 - σ(t_o))² while the
    objectness is below .3. With the rule `darknet` (src/region_layer.c) the objectness of the
    matched box adds no loss, and all others have ½·noobject·σ(t_o)². With the rule `object` the
    label is matched to the box of the highest objectness, whatever class that box predicts.

    Args:
        anchors: `(k, 2)` `[width, height]` in cells, those of the model.
        tree: Optional `WordTree` (or its config): cross-entropy along the label's path. Of two
            truths in one slot the later one trains its path, and the earlier one those groups of
            its own that are not on it: a hound below a cat still trains "which dog".
        coord_scale: Weight of the box terms.
        object_scale: Weight of the objectness of matched anchors.
        noobject_scale: Weight of the objectness of unmatched ones.
        class_scale: Weight of the cross-entropy.
        ignore_iou: Overlap with ground truth above which an unmatched anchor adds no loss.
        rescore: Whether the objectness learns the IoU of its box; otherwise 1.
        warmup_images: For how many images unmatched predictions are pulled to their priors.
        class_weights: Optional C factors of the cross-entropy, for rare classes.
        box_classes: Optional indices of the classes that boxes may have, for joint training: the
            softmax of a box's class is then over these alone, so that boxes do not lower the
            logits of classes that occur as labels of images only. With a tree, ancestors belong
            to them.
        image_rule: One of `IMAGE_RULES`.

    Call: truths `{"boxes": (B, M, 4), "labels": (B, M)}`, of which what is beyond the picture is
    cut off, and the raw head tensor `(B, S_h, S_w, k · (5 + C))`. For joint training the truths
    have `"image_labels": (B,)`, -1 for an image with boxes; or `(B, L)`, several for an image, -1
    for none, with `"image_regions": (B, L, 4)`: a label is matched to a box with its centre in the
    region.

    Raises:
        InputError: If anchors are not above 0, or class weights or box classes are no numbers.
        ValueError: If a scale is below 0, or `image_rule` is unknown.
    """

    def __init__(
        self,
        anchors,
        *,
        tree=None,
        coord_scale=1.0,
        object_scale=5.0,
        noobject_scale=1.0,
        class_scale=1.0,
        ignore_iou=0.6,
        rescore=True,
        warmup_images=WARMUP_IMAGES,
        class_weights=None,
        box_classes=None,
        image_rule="paper",
        name="yolov2_loss",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if self.reduction != "sum_over_batch_size":
            raise ValueError(f"reduction is {self.reduction!r}, expected the mean over the batch")
        if image_rule not in IMAGE_RULES:
            raise ValueError(f"image_rule is {image_rule!r}, expected one of {IMAGE_RULES}")
        self.anchors = checked_anchors(anchors)
        self.tree = as_tree(tree)
        scales = coord_scale, object_scale, noobject_scale, class_scale
        if not all(0 <= scale < math.inf for scale in scales):
            raise ValueError(f"scales are {scales}, expected finite numbers, 0 or more")
        self.coord_scale = coord_scale
        self.object_scale = object_scale
        self.noobject_scale = noobject_scale
        self.class_scale = class_scale
        self.ignore_iou = ignore_iou
        self.rescore = rescore
        self.warmup_images = warmup_images
        self.class_weights = None if class_weights is None else class_factors(class_weights)
        self.box_classes = None if box_classes is None else class_indices(box_classes)
        self.image_rule = image_rule

    def check_head(self, head):
        """Refuses a head that this loss was not made for.

        Args:
            head: `yolov2_tf.models.heads.DetectionHead`.

        Raises:
            InputError: If its anchors, tree or number of classes are others.
        """
        same = self.anchors.shape == head.anchors.shape
        if not (same and np.allclose(self.anchors, head.anchors, rtol=1e-4)):
            raise InputError(
                f"a loss with the {len(self.anchors)} anchors {self.anchors.round(2).tolist()}",
                expected=f"the {len(head.anchors)} of the head, YOLOv2Loss(model.head.anchors)",
            )
        if self.tree != head.tree:
            was = "no tree" if self.tree is None else f"a tree of {len(self.tree):,} nodes"
            raise InputError(f"a loss with {was}", expected="tree=model.head.tree")
        weights = self.class_weights
        if weights is not None and len(weights) != head.num_classes:
            raise InputError(
                f"a loss with {len(weights)} class_weights",
                expected=f"{head.num_classes}, one for each class",
            )
        if self.box_classes and not 0 <= min(self.box_classes) <= max(self.box_classes) < (
            head.num_classes
        ):
            raise InputError(
                f"a loss with box_classes {self.box_classes}",
                expected=f"indices of the {head.num_classes} classes",
            )

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Mean loss over the batch; `y_true` is a dict, which Keras' own reduction refuses.

        Raises:
            InputError: If there are weights of samples, which this loss has none of.
        """
        if sample_weight is not None:
            raise InputError("a detector's loss has no sample weights", expected="none")
        terms, _ = self.terms(y_true, y_pred)
        return tf.reduce_mean(tf.add_n(list(terms.values())))

    def call(self, y_true, y_pred):
        terms, _ = self.terms(y_true, y_pred)
        return tf.add_n(list(terms.values()))

    def terms(self, y_true, y_pred, seen=None):
        """The parts of the loss and the figures that show how training goes.

        Args:
            y_true: `{"boxes": (B, M, 4), "labels": (B, M)}`, maybe `"image_labels"`, see the class.
            y_pred: Raw head tensor `(B, S_h, S_w, k · (5 + C))`.
            seen: Scalar, number of images trained on so far; None: warm-up is over.

        Returns:
            `(losses, statistics)`. `losses`: `box`, `objectness`, `no_objectness`, `class`,
            `prior`, each `(B,)`, whose sum is the loss. `statistics`: name to `(value, weight)`
            scalars, see `yolov2_tf.detection.loss_statistics`. Images with a label instead of
            boxes add to `class` and `objectness`, and have no statistics.
        """
        y_pred = tf.cast(y_pred, tf.float32)
        shape = tf.shape(y_pred)
        grid = (shape[1], shape[2])
        predictions = split_head(y_pred, len(self.anchors))
        boxes = tf.stop_gradient(decode_boxes(predictions[..., :4], self.anchors, grid))
        objectness = tf.sigmoid(predictions[..., 4])

        truths, labels = tf.cast(y_true["boxes"], tf.float32), tf.cast(y_true["labels"], tf.int32)
        if truths.shape.rank is not None and labels.shape.rank is not None:
            check_shapes(truths.shape.as_list(), labels.shape.as_list())
        # Padding may hold anything; a truth that is not finite becomes one without area.
        usable = (labels >= 0) & tf.reduce_all(tf.math.is_finite(truths), axis=-1)
        # A box beyond its picture would have an area above 1, and a weight 2 - w·h below 0.
        truths = tf.where(usable[..., None], tf.clip_by_value(truths, 0.0, 1.0), 0.0)
        matches = match(truths, labels, grid, self.anchors)
        matched = tf.gather(predictions, matches.slot, batch_dims=1)
        overlap = iou(tf.gather(boxes, matches.slot, batch_dims=1), truths)

        best = tf.reduce_max(iou(boxes[:, :, None], truths[:, None]), axis=-1)
        free = 1.0 - matches.taken
        # An empty maximum (M = 0) is -inf, which compares as it should.
        punished = free * tf.cast(best <= self.ignore_iou, tf.float32)

        losses = {
            "box": self._box(matched, matches),
            "objectness": self._objectness(matched, matches, overlap),
            "class": self._class(matched, matches, labels),
        }
        if "image_labels" in y_true:
            image_labels, regions = labels_and_regions(y_true)
            answering, of_images = self._of_image_labels(predictions, boxes, image_labels, regions)
            losses = {name: loss + of_images.get(name, 0.0) for name, loss in losses.items()}
            with_boxes = tf.cast(tf.reduce_all(image_labels < 0, axis=1), tf.float32)[:, None]
            free *= with_boxes
            elsewhere = 1.0 - answering if self.image_rule == "darknet" else 0.0
            punished = tf.where(with_boxes > 0, punished, elsewhere)
        losses["no_objectness"] = (
            0.5 * self.noobject_scale * tf.reduce_sum(punished * objectness**2, axis=1)
        )
        losses["prior"] = self._prior(predictions, free, seen)
        slots = matched, matches, overlap, objectness, free
        return losses, statistics(*slots, labels, self.tree)

    def _box(self, matched, matches):
        error = tf.concat(
            [
                tf.sigmoid(matched[..., :2]) - matches.offset,
                matched[..., 2:4] - matches.log_scale,
            ],
            axis=-1,
        )
        weight = self.coord_scale * matches.balance * matches.kept
        # Places without a truth may hold values whose square overflows: 0 · inf would be NaN.
        error = tf.where(matches.kept[..., None] > 0, error, 0.0)
        return 0.5 * tf.reduce_sum(weight * tf.reduce_sum(error**2, axis=-1), axis=1)

    def _objectness(self, matched, matches, overlap):
        target = overlap if self.rescore else tf.ones_like(overlap)
        error = tf.sigmoid(matched[..., 4]) - target
        return 0.5 * self.object_scale * tf.reduce_sum(matches.kept * error**2, axis=1)

    def _class(self, matched, matches, labels):
        labels = tf.maximum(labels, 0)
        logits = matched[..., 5:]
        if self.box_classes is not None:
            among = np.isin(np.arange(logits.shape[-1]), self.box_classes)
            logits += tf.constant(np.where(among, 0, NEVER), tf.float32)
        if self.tree is None:
            entropy = matches.kept * class_entropy(logits, labels)
        else:
            levels = trained_levels(matches, labels, self.tree)
            entropy = class_entropy(logits, labels, self.tree, levels)
        return tf.reduce_sum(self._class_weight(labels) * entropy, axis=1)

    def _class_weight(self, labels):
        if self.class_weights is None:
            return self.class_scale
        return self.class_scale * tf.gather(tf.constant(self.class_weights), labels)

    def _of_image_labels(self, predictions, boxes, image_labels, regions):
        """What images with labels and no boxes add.

        Returns:
            `(answering, losses)`: `(B, N)` float32, 1 for boxes that answer for a label, and
            `class` and `objectness`, each `(B,)`. Images with boxes have 0 everywhere.
        """
        answering = tf.zeros(tf.shape(predictions)[:2])
        losses = {}
        # One label of each image at a time: copies of the predictions for all would not fit.
        for labels, region in zip(
            tf.unstack(image_labels, axis=1), tf.unstack(regions, axis=1), strict=True
        ):
            here, found = self._of_image_label(predictions, boxes, labels, region)
            answering = tf.maximum(answering, here)
            losses = {name: losses.get(name, 0.0) + loss for name, loss in found.items()}
        return answering, losses

    def _of_image_label(self, predictions, boxes, labels, region):
        """The same for one label `(B,)` of each image, -1 for none, in its region `(B, 4)`."""
        rows = tf.where(labels >= 0)[:, 0]
        batch, count = tf.shape(labels, tf.int64), tf.shape(predictions)[1]
        labels, predictions, boxes, region = (
            tf.gather(x, rows) for x in (labels, predictions, boxes, region)
        )
        candidates = tf.stop_gradient(predictions)
        log_probability = tf.math.log_sigmoid(candidates[..., 4])
        if self.image_rule != "object":
            of_each = tf.tile(labels[:, None], [1, count])
            log_probability -= class_entropy(candidates[..., 5:], of_each, self.tree)
        log_probability += tf.where(centered_in(boxes, region), 0.0, NEVER)
        place = tf.argmax(log_probability, axis=1, output_type=tf.int32)

        found = tf.gather(predictions, place, batch_dims=1)
        losses = {
            "class": self._class_weight(labels) * class_entropy(found[:, 5:], labels, self.tree)
        }
        if self.image_rule != "darknet":
            lack = tf.nn.relu(IMAGE_OVERLAP - tf.sigmoid(found[:, 4]))
            losses["objectness"] = 0.5 * self.object_scale * lack**2

        def spread(values):
            shape = tf.concat([batch, tf.shape(values, tf.int64)[1:]], axis=0)
            return tf.scatter_nd(rows[:, None], values, shape)

        return spread(tf.one_hot(place, count)), {
            name: spread(loss) for name, loss in losses.items()
        }

    def _prior(self, predictions, free, seen):
        if seen is None or not self.warmup_images:
            return tf.zeros(tf.shape(predictions)[:1])
        warming = tf.cast(seen < self.warmup_images, tf.float32)
        error = tf.reduce_sum((tf.sigmoid(predictions[..., :2]) - 0.5) ** 2, axis=-1)
        error += tf.reduce_sum(predictions[..., 2:4] ** 2, axis=-1)
        return 0.5 * PRIOR_SCALE * warming * tf.reduce_sum(free * error, axis=1)

    def get_config(self):
        return {
            **super().get_config(),
            "anchors": self.anchors.tolist(),
            "tree": None if self.tree is None else self.tree.to_config(),
            "coord_scale": self.coord_scale,
            "object_scale": self.object_scale,
            "noobject_scale": self.noobject_scale,
            "class_scale": self.class_scale,
            "ignore_iou": self.ignore_iou,
            "rescore": self.rescore,
            "warmup_images": self.warmup_images,
            "class_weights": self.class_weights,
            "box_classes": self.box_classes,
            "image_rule": self.image_rule,
        }
