"""What a training is to do behind a step, beside going on."""

import time

import keras

from yolov2_tf.errors import Stopped
from yolov2_tf.training.agreement import total
from yolov2_tf.training.cluster import worker
from yolov2_tf.training.loop import metric_values


class Wishes:
    """A checkpoint when one is due, and the end when a signal asked for it.

    Processes that train together wish the same: a checkpoint when the chief's clock says so, and
    the end behind the same step, whichever got the signal. Each looks behind every step, and
    behind every epoch but the last.

    Args:
        stop: `yolov2_tf.training.stopping.StopSignal`.
        minutes: How long after a checkpoint the next is due.

    Attributes:
        checkpoint: Whether a checkpoint is wished.
        signal: Number of the signal that the training is to end on, or None.
    """

    def __init__(self, stop, minutes):
        self.stop = stop
        self.minutes = minutes
        self.checkpoint, self.signal = False, None
        self.saved()

    def saved(self):
        """Says that there is a checkpoint now."""
        self._saved = time.monotonic()

    def look(self):
        """Finds out what is wished now, in this process or in another."""
        signals = self.stop.SIGNALS
        due = worker() == 0 and time.monotonic() - self._saved >= 60 * self.minutes
        due, *came = total([due, *(self.stop.number == signal for signal in signals)])
        self.signal = next((s for s, count in zip(signals, came, strict=True) if count), None)
        self.checkpoint = bool(due) or self.signal is not None

    def end(self, epoch, step):
        """Ends the training here if a signal asked for it.

        Args:
            epoch: Epochs that are over.
            step: Steps of the next one that are over.

        Raises:
            Stopped: If so.
        """
        if self.signal is not None:
            raise Stopped(
                self.signal,
                f"after {epoch} epochs and {step} steps; all is saved: --resume goes on from there",
            )


class Following(keras.callbacks.Callback):
    """What a process does that leaves files, and which score was the best, to the chief.

    It reads the metrics when the chief does, since TensorFlow then adds them up over all, and ends
    where the chief ends.

    Args:
        wishes: `Wishes`.
        plan: `yolov2_tf.training.plan.Plan` that is carried out.
        mean: `yolov2_tf.training.weight_mean.WeightMean`, whose weights are scored, or None.
    """

    def __init__(self, wishes, plan, mean=None):
        super().__init__()
        self.wishes, self.plan, self.mean = wishes, plan, mean

    def on_epoch_begin(self, epoch, logs=None):
        """Keras' hook."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Keras' hook."""
        self.wishes.look()
        if self.wishes.checkpoint:
            metric_values(self.model)
            self.wishes.end(self._epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        if self.mean is not None:
            self.mean.take_out()
        if epoch + 1 < self.plan.epochs:
            self.wishes.look()
            self.wishes.end(epoch + 1, 0)
