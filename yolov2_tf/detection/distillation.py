"""What a small detector learns from the answers of a larger one.

Mehta and Ozturk, "Object detection at 200 Frames Per Second" (2018, section 3.2): a teacher's boxes
and classes count as much as it is sure that there is an object.
"""

import numpy as np
import tensorflow as tf

from yolov2_tf.detection.decoding import split_head
from yolov2_tf.errors import InputError

OBJECT_SCALE = 5.0
"""Weight of the objectness, as of a matched anchor in the loss of ground truth."""


class Teacher:
    """A trained detector whose answers a smaller one is to give as well.

    For each prediction, with σ(t_o) of the teacher as ô: ½·5·(σ(t_o) − ô)², and ô times
    ½·[(σ(t_x) − x̂)² + (σ(t_y) − ŷ)² + (t_w − ŵ)² + (t_h − ĥ)²] and the divergence of the classes
    from the teacher's (Kullback-Leibler). It is added to the loss of the ground truth.

    Args:
        network: Trained `DetectionModel`, which stays as it is.

    Attributes:
        head: The teacher's head: its student needs the same classes and anchors.
    """

    # A plain class: what a Keras model holds of Keras' own kinds becomes a part of that model.

    def __init__(self, network):
        self._network = network
        self.head = network.head

    def check_student(self, head):
        """Refuses a head whose answers are not those of the teacher's.

        Args:
            head: The student's `DetectionHead`.

        Raises:
            InputError: If its classes, anchors, tree or resizing are others, or it has a tree.
        """
        mine, field = self.head, {"field": "teacher"}
        if mine.tree is not None or head.tree is not None:
            raise InputError("a teacher with a label tree", expected="plain classes", **field)
        if mine.class_names != head.class_names:
            raise InputError(
                f"a teacher of {len(mine.class_names)} classes ({_some(mine.class_names)})",
                expected=f"those of the data: {len(head.class_names)} ({_some(head.class_names)})",
                **field,
            )
        if mine.resize != head.resize:
            raise InputError(
                f"a teacher that sees pictures by {mine.resize}",
                expected=f"{head.resize}, as the network that learns",
                **field,
            )
        same = mine.anchors.shape == head.anchors.shape
        if not (same and np.allclose(mine.anchors, head.anchors, rtol=1e-3)):
            raise InputError(
                f"a teacher with the anchors {mine.anchors.round(2).tolist()}",
                expected=f"those of the network that learns: {head.anchors.round(2).tolist()}",
                hint="a new network takes the teacher's; one of a file keeps its own",
                **field,
            )

    def loss(self, images, y_pred):
        """How far a student is from what the teacher says.

        Args:
            images: `(B, H, W, 3)` 0..255, as the student sees them.
            y_pred: Its raw head tensor.

        Returns:
            `(B,)` float32, a sum over the predictions of an image.
        """
        k = len(self.head.anchors)
        answers = split_head(tf.cast(self._network(images, training=False), tf.float32), k)
        answers = tf.stop_gradient(answers)
        mine = split_head(tf.cast(y_pred, tf.float32), k)
        sure, objectness = tf.sigmoid(answers[..., 4]), tf.sigmoid(mine[..., 4])
        place = tf.sigmoid(mine[..., :2]) - tf.sigmoid(answers[..., :2])
        error = 0.5 * tf.reduce_sum(
            tf.concat([place, mine[..., 2:4] - answers[..., 2:4]], -1) ** 2, -1
        )
        classes = tf.nn.log_softmax(answers[..., 5:])
        error += tf.reduce_sum(tf.exp(classes) * (classes - tf.nn.log_softmax(mine[..., 5:])), -1)
        total = 0.5 * OBJECT_SCALE * (objectness - sure) ** 2 + sure * error
        return tf.reduce_sum(total, axis=1)


def _some(names, shown=4):
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")
