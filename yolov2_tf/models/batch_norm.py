"""Batch normalisation whose training runs in one fused kernel."""

import keras
import tensorflow as tf

VECTOR = 16
"""Channels that the fused kernel takes at once."""


@keras.saving.register_keras_serializable("yolov2_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer, trained by TensorFlow's fused kernel.

    Keras 3 writes the batch's statistics and their gradient out as a dozen element-wise
    operations, each of which goes through memory: on a CPU that is two thirds of a training
    step of a narrow network. Weights, results and what is saved are the same, up to rounding.
    The kernel knows one device: with `synchronized` Keras' own operations are used.

    Inputs are `(B, H, W, C)`.
    """

    def call(self, inputs, training=None, mask=None):
        """Keras' hook."""
        if self.synchronized or not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        # oneDNN has a fast bfloat16 kernel for whole vectors of 16 channels only; its other one
        # takes five times as long as float32 with the casts.
        x = inputs if inputs.shape[-1] % VECTOR == 0 else tf.cast(inputs, tf.float32)
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
        )
        # The kernel's variance is the unbiased one; Keras averages the batch's own.
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], tf.float32)
        for average, value in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * (count - 1) / count),
        ):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return tf.cast(y, inputs.dtype)
