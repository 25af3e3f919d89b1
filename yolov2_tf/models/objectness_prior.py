"""How a new head starts: what it holds to be an object."""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.models.layers import register


@register
class ObjectnessPrior(keras.initializers.Initializer):
    """Bias of a head whose every prediction starts with a low objectness.

    From zero, where each of the hundreds of empty slots starts at ½, the first steps press all
    objectness down so hard that its sigmoid saturates and never comes back (seen with SGD at
    1e-2). The remedy is that of RetinaNet (Lin et al., 2017, section 4.1).

    Args:
        k: Number of anchors.
        probability: σ(t_o) at the start, 0..1.
    """

    def __init__(self, k, probability=0.05):
        self.k = k
        self.probability = probability

    def __call__(self, shape, dtype=None):
        bias = np.zeros((self.k, shape[0] // self.k))
        bias[:, 4] = np.log(self.probability / (1 - self.probability))
        return tf.constant(bias.reshape(shape), dtype or "float32")

    def get_config(self):
        return {"k": self.k, "probability": self.probability}
