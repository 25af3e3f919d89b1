"""Networks of few layers, for tests of what goes on around a network.

TensorFlow takes longer to trace and to optimise the graph of Darknet-19's eighteen convolutions
than tests take to run it. What a run writes, resumes and refuses does not depend on the depth.
"""

import contextlib
from unittest import mock

from yolov2_tf.models import darknet19
from yolov2_tf.models.blocks import Blocks, image_input, max_pool
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.training import detection
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask

STAGES = tuple(convolutions[:1] for convolutions in darknet19.DARKNET19_STAGES)


def shallow_detector(
    class_names,
    *,
    anchors,
    input_size=64,
    resize="stretch",
    width=1.0,
    tree=None,
    tree_logits="nodes",
    weight_decay=5e-4,
):
    """A detector of three convolutions, made of what Tiny YOLOv2 is made of."""
    blocks = Blocks(width, weight_decay)
    image, x = image_input()
    x = max_pool(blocks.convolution(x, 16, 3), 4, stride=4, padding=0, name="pool1")
    x = max_pool(blocks.convolution(x, 64, 3), 8, stride=8, padding=0, name="pool2")
    x = max_pool(x, 2, stride=1, name="pool3")
    x = blocks.convolution(x, 256, 3)
    head = {"input_size": input_size, "resize": resize, "tree": tree, "tree_logits": tree_logits}
    x = blocks.head(x, anchors=anchors, class_names=class_names, **head)
    return DetectionModel(image, x, name="shallow")


@contextlib.contextmanager
def shallow():
    """Here `tiny` trains a `shallow_detector`, and Darknet-19 has one convolution a stage."""
    with (
        mock.patch.dict(detection.BUILDERS, tiny=shallow_detector),
        mock.patch.object(darknet19, "DARKNET19_STAGES", STAGES),
    ):
        yield


class ShallowDetection(DetectionTask):
    """The detector's training with such a network."""

    def build(self, recipe):
        with shallow():
            return super().build(recipe)


class ShallowClassification(ClassificationTask):
    """The classifier's training with such a network."""

    def build(self, recipe):
        with shallow():
            return super().build(recipe)
