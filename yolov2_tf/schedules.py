"""Learning rate schedules: Darknet's burn-in, the detector's and the classifier's."""

import keras
import tensorflow as tf

PAPER_STEPS = (60 / 160, 90 / 160)
"""Where in the training the paper divides the learning rate by 10."""

BURN_IN_STEPS = 1_000
"""Steps of the burn-in at batch 64, as in Darknet's configurations."""


@keras.saving.register_keras_serializable("yolov2_tf")
class BurnIn(keras.optimizers.schedules.LearningRateSchedule):
    """Raises the rate from 0 to that of another schedule, lr · (step / burn_in)⁴.

    Args:
        schedule: Schedule that goes on from the start, burn-in or not.
        burn_in: Steps until it has its full rate; 0 for none.
        power: Exponent, 4 in Darknet.
    """

    def __init__(self, schedule, burn_in, power=4.0):
        self.schedule = schedule
        self.burn_in = burn_in
        self.power = power

    def __call__(self, step):
        share = tf.cast(step, tf.float32) / max(self.burn_in, 1)
        return self.schedule(step) * tf.minimum(share, 1.0) ** self.power

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "burn_in": self.burn_in,
            "power": self.power,
        }

    @classmethod
    def from_config(cls, config):
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["burn_in"], config["power"])


@keras.saving.register_keras_serializable("yolov2_tf")
class Shifted(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that a run entered elsewhere than at its optimizer's count.

    Args:
        schedule: Schedule over the steps of a whole training.
        shift: What is added to the optimizer's count to make a step of the schedule.
    """

    def __init__(self, schedule, shift):
        self.schedule = schedule
        self.shift = shift

    def __call__(self, step):
        return self.schedule(step + self.shift)

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "shift": self.shift,
        }

    @classmethod
    def from_config(cls, config):
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["shift"])


@keras.saving.register_keras_serializable("yolov2_tf")
class Held(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays until it is set: of a training whose schedule is over the time.

    Args:
        rate: The rate at first.
    """

    def __init__(self, rate=0.0):
        self._rate = tf.Variable(rate, trainable=False, dtype=tf.float32)

    def __call__(self, step):
        return tf.identity(self._rate)

    def set(self, rate):
        """Sets the rate of the next steps."""
        self._rate.assign(rate)

    def get_config(self):
        return {"rate": float(self._rate.numpy())}


def decay(kind, learning_rate, steps):
    """How the rate falls in a training.

    Args:
        kind: `steps`, as the paper's detector (divided by 10 at 60/160 and at 90/160);
            `polynomial`, as its classifier (to 0 with the power 4); or `cosine`, to a hundredth.
        learning_rate: The rate at the start.
        steps: Steps of the training.

    Returns:
        Keras `LearningRateSchedule`.

    Raises:
        ValueError: If there is no such kind.
    """
    schedules = keras.optimizers.schedules
    match kind:
        case "steps":
            boundaries = [round(part * steps) for part in PAPER_STEPS]
            rates = [learning_rate, learning_rate / 10, learning_rate / 100]
            return schedules.PiecewiseConstantDecay(boundaries, rates)
        case "polynomial":
            return schedules.PolynomialDecay(learning_rate, steps, 0.0, power=4.0)
        case "cosine":
            return schedules.CosineDecay(learning_rate, steps, alpha=0.01)
    raise ValueError(f"schedule is {kind!r}, expected steps, polynomial or cosine")


def detection_schedule(kind, learning_rate, total_steps, accumulate=1):
    """The schedule of a detector's training, with a burn-in of at most a twentieth of it.

    Args:
        kind: See `decay`; the paper's is `steps`.
        learning_rate: The rate after burn-in.
        total_steps: Batches of the whole training.
        accumulate: How many of them make one step of the optimizer.

    Returns:
        `BurnIn` over batches.

    Raises:
        ValueError: If there is no such kind.
    """
    schedule = decay(kind, learning_rate, total_steps)
    return BurnIn(schedule, min(BURN_IN_STEPS * accumulate, total_steps // 20))


@keras.saving.register_keras_serializable("yolov2_tf")
class Stages(keras.optimizers.schedules.LearningRateSchedule):
    """One schedule, and after some steps another, which counts from there.

    Args:
        first: Schedule of the first stage.
        steps: Steps of the first stage.
        second: Schedule of the second stage.
    """

    def __init__(self, first, steps, second):
        self.first = first
        self.steps = steps
        self.second = second

    def __call__(self, step):
        later = tf.maximum(step - self.steps, 0)
        return tf.where(step < self.steps, self.first(step), self.second(later))

    def get_config(self):
        return {
            "first": keras.saving.serialize_keras_object(self.first),
            "steps": self.steps,
            "second": keras.saving.serialize_keras_object(self.second),
        }

    @classmethod
    def from_config(cls, config):
        first, second = (
            keras.saving.deserialize_keras_object(config[key]) for key in ("first", "second")
        )
        return cls(first, config["steps"], second)


def classification_schedule(learning_rate, steps, fine_steps=0, kind="polynomial"):
    """The schedule of a classifier's training (paper, section 3).

    Args:
        learning_rate: The rate at the start, 0.1 in the paper.
        steps: Steps of the training.
        fine_steps: Steps of the high-resolution stage after it, which starts at a hundredth of
            `learning_rate`: the paper's 1e-3.
        kind: See `decay`, of each stage; the paper's is `polynomial`.

    Returns:
        Keras `LearningRateSchedule`.

    Raises:
        ValueError: If there is no such kind.
    """
    first = decay(kind, learning_rate, steps)
    if not fine_steps:
        return first
    return Stages(first, steps, decay(kind, learning_rate / 100, fine_steps))
