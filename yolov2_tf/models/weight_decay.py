"""Darknet's weight decay as a part of the loss."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("yolov2_tf")
class WeightDecay(keras.regularizers.Regularizer):
    """Adds decay/2 · Σw², whose gradient is Darknet's decay · w.

    `keras.regularizers.L2(decay / 2)` in one kernel forward and one multiplication backward,
    where Keras goes several times over the weights.

    Args:
        decay: Darknet's `decay`, not negative.
    """

    def __init__(self, decay):
        self.decay = decay

    def __call__(self, x):
        """Keras' hook."""
        return self.decay * tf.nn.l2_loss(x)

    def get_config(self):
        """Keras' hook."""
        return {"decay": self.decay}
