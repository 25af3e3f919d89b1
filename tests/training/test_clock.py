"""A training for a time ends in it, whatever the machine does, and its rate follows the time."""

import itertools

import keras
import pytest

from yolov2_tf.schedules import detection_schedule
from yolov2_tf.training.clock import PARTS, Clock, counting_from
from yolov2_tf.training.recipes import UNLIMITED


class Machine:
    """What a `Clock` sees of a training, on a clock of its own."""

    def __init__(self, minutes, *, scoring=6.0, graph=20.0, pictures=50, steps=20, spent=0.0):
        self.time = 1000.0
        self.scoring, self.graph, self.steps = scoring, graph, steps
        self.rates, self.scored, self.told = [], [], []
        schedule = detection_schedule("cosine", 1.0, PARTS)
        self.clock = Clock(
            minutes,
            lambda place: float(schedule(place)),
            spent=spent,
            pictures=pictures,
            batch_size=8,
            say=self.told.append,
            now=lambda: self.time,
        )
        self.clock.set_params({"epochs": UNLIMITED, "steps": steps})
        self.clock.set_model(keras.Sequential())

    def run(self, step_seconds, first=0):
        """Trains until the clock ends it; `step_seconds` is a function of the time.

        `first` is the epoch that a resumed training goes on with.
        """
        start, clock, model = self.time, self.clock, self.clock.model
        model.stop_training = False
        for epoch in range(first, 10_000):
            clock.on_epoch_begin(epoch)
            for step in range(self.steps):
                clock.on_train_batch_begin(step)
                self.rates.append(float(clock.rate(0)))
                self.time += step_seconds(self.time - start) + (
                    self.graph if epoch == first and not step else 0
                )
                clock.on_train_batch_end(step)
                if model.stop_training:
                    break
            clock.on_epoch_end(epoch)
            if clock.due(epoch):
                self.time += self.scoring
                self.scored.append(epoch)
            self.time += 0.5  # files
            if model.stop_training:
                return epoch + 1, self.time - start
        raise AssertionError("it never ended")


SPEEDS = {
    "even": lambda t: 0.5,
    "slower by ten from the middle on": lambda t: 0.5 if t < 150 else 5.0,
    "faster by ten from the middle on": lambda t: 5.0 if t < 150 else 0.5,
    "stands still for a minute": lambda t: 60.0 if 150 < t < 151 else 0.5,
}


@pytest.mark.parametrize("speed", SPEEDS)
def test_it_ends_in_time_scored_and_with_the_lowest_rate(speed):
    machine = Machine(5)
    epochs, seconds = machine.run(SPEEDS[speed])
    assert 0.85 * 300 <= seconds <= 300
    assert machine.scored[-1] == epochs - 1
    assert max(machine.rates) == pytest.approx(1.0, abs=0.1)
    assert machine.rates[-1] < 0.05
    peak = machine.rates.index(max(machine.rates))
    falling = machine.rates[peak:]
    # A reserve that turns out smaller gives time back: the rate may then rise, by little.
    assert all(b <= a + 0.05 for a, b in itertools.pairwise(falling))
    assert machine.clock.seconds == 300


def test_an_epoch_longer_than_the_time_is_cut_and_scored():
    machine = Machine(2, steps=100_000)
    epochs, seconds = machine.run(lambda t: 0.5)
    assert epochs == 1
    assert machine.scored == [0]
    assert seconds <= 120


def test_scores_take_at_most_a_tenth_or_so_of_the_time():
    machine = Machine(10, scoring=10.0, steps=4)
    machine.run(lambda t: 0.5)
    assert 10.0 * len(machine.scored) <= 600 / 8


def test_what_takes_too_long_is_not_scored_and_that_is_said():
    machine = Machine(1, pictures=100_000, scoring=5000.0)
    _, seconds = machine.run(lambda t: 0.5)
    assert machine.scored == []
    assert seconds <= 60
    assert any("no time to score" in line for line in machine.told)


def test_a_time_for_a_few_steps_alone_is_told():
    machine = Machine(0.5)
    machine.run(lambda t: 6.0)
    assert machine.told == ["the time was over after 2 steps, which teach little: more minutes"]
    resumed = Machine(5, spent=280.0, graph=1.0)  # that learnt before
    resumed.run(lambda t: 6.0)
    assert resumed.told == []


def test_the_speed_is_told_once():
    machine = Machine(5)
    machine.run(lambda t: 0.5)
    assert len(machine.told) == 1
    assert "16.0 images/s" in machine.told[0]


def test_a_resumed_run_has_what_is_left():
    machine = Machine(5, spent=200.0)
    _, seconds = machine.run(lambda t: 0.5)
    assert seconds <= 100
    schedule = detection_schedule("cosine", 1.0, PARTS)
    assert machine.rates[1] == pytest.approx(float(schedule(PARTS * 2 // 3)), abs=0.05)


def test_a_resumed_run_counts_the_epochs_that_are_over():
    machine = Machine(5, spent=200.0)
    machine.clock.on_epoch_end = lambda epoch: planned.append(machine.clock.params["epochs"])
    planned = []
    epochs, _ = machine.run(lambda t: 0.5, first=12)
    assert all(count > 12 for count in planned)
    assert planned[-1] == pytest.approx(epochs, abs=1)


@pytest.mark.parametrize(
    ("spent", "told"), [(286, "about 1 epoch in the 1.0 seconds left"), (287, "no time left")]
)
def test_a_resumed_run_says_that_little_time_is_left(spent, told):
    machine = Machine(5, spent=spent, graph=0.0)
    machine.run(lambda t: 0.5, first=1)
    assert machine.told[0] == f"16.0 images/s: {told}"
    assert machine.clock.params["epochs"] == 2


def test_minutes_may_count_from_before():
    with counting_from(900.0):
        machine = Machine(5)
    _, seconds = machine.run(lambda t: 0.5)
    assert seconds <= 200


def test_a_training_without_scores_uses_the_time():
    machine = Machine(5, pictures=0)
    _, seconds = machine.run(lambda t: 0.5)
    assert machine.scored == []
    assert 285 <= seconds <= 300
