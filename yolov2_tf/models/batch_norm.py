"""Batch normalisation that runs in one fused kernel."""

import keras
import tensorflow as tf

VECTOR = 16
"""Channels that the fused kernel takes at once."""


@keras.saving.register_keras_serializable("yolov2_tf")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer by TensorFlow's fused kernel.

    Keras 3 writes the batch's statistics and their gradient out as a dozen element-wise
    operations, each of which goes through memory: on a CPU that is two thirds of a training
    step of a narrow network. Without training it are two, which TensorFlow cannot join with the
    convolution before it, as it can join the kernel. Weights, results and what is saved are the
    same, up to rounding. In training the kernel knows one device: with `synchronized` Keras' own
    operations are used, and so they are under policies whose weights are not float32.

    Inputs are `(B, H, W, C)`.
    """

    def call(self, inputs, training=None, mask=None):
        """Keras' hook."""
        if self.variable_dtype != "float32":  # the kernel's averages are
            return super().call(inputs, training=training, mask=mask)
        if not (training and self.trainable):
            if self._feeds_a_rare_activation():
                return super().call(inputs, training=training, mask=mask)
            averages = self.moving_mean, self.moving_variance
            y, *_ = self._fused(inputs, *averages, is_training=False)
            return tf.cast(y, inputs.dtype)
        if self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        y, mean, variance = self._fused(inputs, tf.zeros([0]), tf.zeros([0]), is_training=True)
        # The kernel's variance is the unbiased one; Keras averages the batch's own.
        count = tf.cast(tf.size(inputs) / tf.shape(inputs)[-1], tf.float32)
        for average, value in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * (count - 1) / count),
        ):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return tf.cast(y, inputs.dtype)

    def _feeds_a_rare_activation(self):
        """Whether mish, tanh or the like follows.

        TensorFlow joins convolution, kernel and activation, and oneDNN has no such operation for
        some of them ("Fusion is not implemented"). It has for leaky ReLU and ReLU, which are layers
        of their own.
        """
        readers = (node.operation for node in self._outbound_nodes)
        return any(isinstance(reader, keras.layers.Activation) for reader in readers)

    def _fused(self, inputs, mean, variance, *, is_training):
        """`(outputs, mean, variance)` of the kernel; the outputs may be float32."""
        # oneDNN has a fast bfloat16 kernel for whole vectors of 16 channels only; its other one
        # takes five times as long as float32 with the casts.
        x = inputs if inputs.shape[-1] % VECTOR == 0 else tf.cast(inputs, tf.float32)
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.cast(mean, tf.float32),
            variance=tf.cast(variance, tf.float32),
            epsilon=self.epsilon,
            is_training=is_training,
        )[:3]
