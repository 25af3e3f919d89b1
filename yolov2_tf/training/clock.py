"""Trains for a time instead of a number of epochs, on machines whose speed nobody knows."""

import contextlib
import contextvars
import math
import time

import keras

from yolov2_tf.schedules import Held
from yolov2_tf.training.recipes import UNLIMITED

PARTS = 10_000
"""Steps of the schedule that is laid over the time."""

SCORING = 10
"""Scores take at most one of so many parts of the time."""

FIRST_SCORE = 0.1
"""Share of the training after which it is scored at first: what that costs must be known early."""

SAVING = 5.0
"""Seconds that are kept for the last files before it is known how long they take."""

MARGIN = 1.5
"""How many times as long as the last one of its kind the end of an epoch may take."""

MEASURED = 8
"""Steps behind the first one after which the speed is told."""

_began = contextvars.ContextVar("began", default=None)


@contextlib.contextmanager
def counting_from(began):
    """Context in which the minutes of trainings count from `began`, of `time.monotonic()`."""
    token = _began.set(began)
    try:
        yield
    finally:
        _began.reset(token)


class Clock(keras.callbacks.Callback):
    """Sets the learning rate by the time that is over, and ends the training in time.

    Nothing is foretold: the place in the schedule is the share of the time that is over, at every
    step anew. A machine that becomes slower or faster changes how many steps there are, and
    nothing else. What comes behind the last step (the score, files) is kept free, as long as it
    took so far. The first callback, so that it sees what the others cost.

    Args:
        minutes: Length of the whole training, from `counting_from` or from here on.
        schedule: `LearningRateSchedule` over `PARTS` steps.
        spent: Seconds that a resumed run took before.
        pictures: Pictures that are scored, 0 for none.
        batch_size: Pictures a step.
        say: Function of a line for people, or None.
        now: Function that tells the time in seconds.

    Attributes:
        rate: The schedule for the optimizer, `yolov2_tf.schedules.Held`.
    """

    def __init__(
        self,
        minutes,
        schedule,
        *,
        spent=0.0,
        pictures=0,
        batch_size=1,
        say=None,
        now=time.monotonic,
    ):
        super().__init__()
        self.limit = 60.0 * minutes
        self.schedule = schedule
        self.rate = Held(float(schedule(0)))
        self.pictures, self.batch_size = pictures, batch_size
        self.say, self.now = say, now
        began = _began.get()
        self._zero = (now() if began is None else began) - spent
        self._start = min(1.0, spent / self.limit)  # place in the schedule of the first step here
        self._first = None  # when that was over
        self._epoch = 0  # the one that trains
        self._step_seconds, self._steps = 0.0, 0
        self._costs = {}  # seconds of the last end of an epoch, by whether it was scored
        self._end_began = self._scored_at = None
        self._scores = self._over = False

    @property
    def seconds(self):
        """Seconds of the whole training that are over; all of them once it is done."""
        return self.limit if self._over else self.now() - self._zero

    @property
    def share(self):
        """What part of the training is over, 0 to 1."""
        if self._over:
            return 1.0
        if self._first is None:
            return self._start
        end = self._zero + self.limit - self._reserve(self._affordable)
        over = (self.now() - self._first) / max(end - self._first, 1e-9)
        return min(1.0, self._start + (1 - self._start) * over)

    def due(self, epoch):
        """Whether an epoch is to be scored: the last one, and others where time allows."""
        if not self._affordable:
            due = False
        elif self._over:
            due = True
        elif self._scored_at is None:
            due = self.share >= FIRST_SCORE
        else:
            due = self.now() - self._scored_at >= SCORING * self._costs[True]
        self._scores = due
        return due

    def on_epoch_begin(self, epoch, logs=None):
        """Keras' hook."""
        self._epoch = epoch
        if self._end_began is not None:
            self._costs[self._scores] = self.now() - self._end_began
            if self._scores:
                self._scored_at = self.now()
        if self._first is not None and epoch:
            self.params["epochs"] = max(epoch + 1, round(epoch / max(self.share, 1e-9)))

    def on_train_batch_begin(self, batch, logs=None):
        """Keras' hook."""
        self.rate.set(float(self.schedule(round(PARTS * self.share))))
        self._step_began = self.now()

    def on_train_batch_end(self, batch, logs=None):
        """Keras' hook."""
        if self._first is None:  # this step built the graph, which says nothing of the others
            self._first = self.now()
            return
        self._step_seconds += self.now() - self._step_began
        self._steps += 1
        if self._steps == MEASURED:
            self._forecast()
        if self.share >= 1:
            self._over = True
            self.model.stop_training = True
            if self._steps < MEASURED and not self._start and self.say is not None:
                steps = self._steps + 1
                self.say(f"the time was over after {steps} steps, which teach little: more minutes")

    def on_epoch_end(self, epoch, logs=None):
        """Keras' hook."""
        self._end_began, self._scores = self.now(), False

    @property
    def _affordable(self):
        """Whether a score takes less than half of the time."""
        left = self._zero + self.limit - (self._first or self.now())
        return self.pictures > 0 and self._reserve(True) <= left / 2

    def _reserve(self, scored):
        """Seconds to keep for what comes behind the last step."""
        seconds = self._costs.get(scored)
        if seconds is None:
            seconds = SAVING
            if scored and self._steps:  # it finds what steps do, without a gradient
                seconds += self.pictures * self._step_seconds / self._steps / self.batch_size
        return MARGIN * seconds + 1

    def _forecast(self):
        step = self._step_seconds / self._steps
        left = self._zero + self.limit - self._reserve(self._affordable) - self.now()
        epochs = max(1, math.ceil(left / step / self.params["steps"]))
        if self.params["epochs"] >= UNLIMITED:
            self.params["epochs"] = self._epoch + epochs
        if self.say is None:
            return
        time_left = f"{left / 60:.1f} minutes" if left >= 60 else f"{left:.1f} seconds"
        plan = f"about {epochs:,} {'epoch' if epochs == 1 else 'epochs'} in the {time_left} left"
        self.say(f"{self.batch_size / step:.1f} images/s: {plan if left > 0 else 'no time left'}")
        if self.pictures and not self._affordable:
            self.say(f"no time to score {self.pictures:,} pictures: the last weights are saved")
