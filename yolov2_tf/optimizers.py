"""Adam and SGD that move a variable in one pass over memory.

Keras 3 writes a step out as a dozen element-wise operations for each variable. With the small
batches of a few hundred pictures they are a good part of a training step on a CPU. TensorFlow has
both formulas as one kernel. Options, variables and results are Keras', up to rounding.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("yolov2_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` by TensorFlow's kernel; `amsgrad` by Keras' operations."""

    def update_step(self, gradient, variable, learning_rate):
        """Keras' hook."""
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        decays = tf.cast(self.beta_1, dtype), tf.cast(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=decays[0] ** step,
            beta2_power=decays[1] ** step,
            lr=tf.cast(learning_rate, dtype),
            beta1=decays[0],
            beta2=decays[1],
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


@keras.saving.register_keras_serializable("yolov2_tf")
class FusedSGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD` by TensorFlow's kernel; without momentum by Keras' operations."""

    def update_step(self, gradient, variable, learning_rate):
        """Keras' hook."""
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self.momentums[self._get_variable_index(variable)].value
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=momentum.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )
