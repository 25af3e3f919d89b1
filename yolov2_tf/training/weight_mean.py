"""The exponential mean of the weights, which scores better than where a training stands."""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.errors import InputError
from yolov2_tf.models.gradients import batches_a_step
from yolov2_tf.training.optimizer import iterations


class WeightMean(keras.callbacks.Callback):
    """Keeps the exponential mean of all weights, those of batch normalisation too.

    The decay grows up to `decay` as TensorFlow's `ExponentialMovingAverage` has it: at step n it
    is min(decay, (1 + n) / (10 + n)), so a short training forgets its start as well. Batches that
    make one step together count once.

    At the end of an epoch the model has the mean weights, from this callback on until `take_out`:
    what scores, draws and saves the best comes between the two.

    Args:
        decay: What is kept of the mean at each step; .999 looks back a thousand steps.
        means: Arrays that a resumed run goes on from; None to begin with the weights.
    """

    def __init__(self, decay=0.999, means=None):
        super().__init__()
        self.decay = decay
        self.means = means
        self._raw = None

    def on_train_begin(self, logs=None):
        """Keras' hook."""
        means = self.model.get_weights() if self.means is None else self.means
        self._means = [tf.Variable(mean, trainable=False) for mean in means]
        self.means = None

    def on_train_batch_end(self, batch, logs=None):
        """Keras' hook."""
        step, rest = divmod(iterations(self.model), batches_a_step(self.model.optimizer))
        if not rest:
            self._update(tf.constant(min(self.decay, (1 + step) / (10 + step))))

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        self.put_in()

    @tf.function
    def _update(self, decay):
        for mean, weight in zip(self._means, self.model.weights, strict=True):
            value = tf.cast(weight.value, mean.dtype)
            if mean.dtype.is_floating:
                # One kernel: mean -= (1 - decay) · (mean - value).
                share = tf.cast(1 - decay, mean.dtype)
                tf.raw_ops.ResourceApplyGradientDescent(
                    var=mean.handle, alpha=share, delta=mean - value
                )
            else:
                mean.assign(value)

    def put_in(self):
        """Gives the model the mean weights."""
        if self._raw is None:
            self._raw = self.model.get_weights()
            self.model.set_weights([mean.numpy() for mean in self._means])

    def take_out(self):
        """Gives the model its own weights back, with which the training goes on."""
        if self._raw is not None:
            self.model.set_weights(self._raw)
            self._raw = None

    def values(self):
        """The mean as a list of arrays."""
        return [mean.numpy() for mean in self._means]


def read_means(path, weights):
    """The means in the `mean.npz` of a run before they were part of its checkpoint.

    Args:
        path: The file.
        weights: Arrays of the network, in the order of the means.

    Raises:
        InputError: If it cannot be read or has other weights.
    """
    try:
        with np.load(path) as file:
            means = [file[name] for name in file.files]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=path) from error
    if [mean.shape for mean in means] != [weight.shape for weight in weights]:
        raise InputError("has the weights of another network", where=path)
    return means
