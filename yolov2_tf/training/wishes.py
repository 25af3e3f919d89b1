"""What a training is to do behind its next step, beside going on."""

import time

from yolov2_tf.training.stopping import StopSignal


class Wishes:
    """A checkpoint when one is due, and the end when a signal asked for it.

    Where several processes train together they do this at the same step: each adds its wishes to
    those of the others in the course of a step.

    Args:
        stop: `StopSignal`.
        minutes: How long after a checkpoint the next is due.

    Attributes:
        agreed: Wishes of all, behind the last step: numbers above 0 for what is wished.
    """

    def __init__(self, stop, minutes):
        self.stop = stop
        self.minutes = minutes
        self.agreed = [0] * (1 + len(StopSignal.SIGNALS))
        self.saved()

    def saved(self):
        """Says that there is a checkpoint now."""
        self._saved = time.monotonic()

    def mine(self):
        """This process's: `[checkpoint, SIGTERM, SIGINT]`, 1 for what is wished."""
        due = time.monotonic() - self._saved >= 60 * self.minutes
        return [int(due), *(int(self.stop.number == number) for number in StopSignal.SIGNALS)]

    @property
    def checkpoint(self):
        """Whether a checkpoint is wished."""
        return any(self.agreed)

    @property
    def signal(self):
        """Number of the signal that the training is to end on, or None."""
        pairs = zip(StopSignal.SIGNALS, self.agreed[1:], strict=True)
        return next((number for number, wished in pairs if wished), None)
