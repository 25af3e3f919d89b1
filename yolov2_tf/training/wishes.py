"""What a training is to do behind a step, beside going on."""

import time


class Wishes:
    """A checkpoint when one is due, and the end when a signal asked for it.

    Args:
        stop: `yolov2_tf.training.stopping.StopSignal`.
        minutes: How long after a checkpoint the next is due.
    """

    def __init__(self, stop, minutes):
        self.stop = stop
        self.minutes = minutes
        self.saved()

    def saved(self):
        """Says that there is a checkpoint now."""
        self._saved = time.monotonic()

    @property
    def checkpoint(self):
        """Whether a checkpoint is wished."""
        due = time.monotonic() - self._saved >= 60 * self.minutes
        return due or self.signal is not None

    @property
    def signal(self):
        """Number of the signal that the training is to end on, or None."""
        return self.stop.number
