import keras
import numpy as np
import pytest

from yolov2_tf.schedules import BurnIn, Shifted, detection_schedule


def rates(schedule, steps):
    return np.array([float(schedule(step)) for step in steps])


def test_burn_in_is_the_fourth_power_of_the_share():
    schedule = BurnIn(
        keras.optimizers.schedules.PiecewiseConstantDecay([10_000], [0.1, 0.01]), 1_000
    )
    np.testing.assert_allclose(
        rates(schedule, [0, 250, 500, 1_000, 5_000]),
        [0, 0.1 * 0.25**4, 0.1 * 0.5**4, 0.1, 0.1],
        rtol=1e-5,
    )


def test_the_papers_steps_divide_by_ten_at_60_and_90_of_160_epochs():
    schedule = detection_schedule("steps", 1e-3, 160_000)
    got = rates(schedule, [30_000, 59_999, 60_001, 89_999, 90_001, 159_999])
    np.testing.assert_allclose(got, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], rtol=1e-5)
    assert rates(schedule, [500])[0] == pytest.approx(1e-3 / 16, rel=1e-4)


def test_a_short_training_burns_in_for_a_twentieth():
    schedule = detection_schedule("cosine", 1e-2, 200)
    got = rates(schedule, [0, 10, 100, 200])
    assert got[0] == 0
    assert got[1] == pytest.approx(1e-2, rel=0.02)
    assert got[2] == pytest.approx(5e-3, rel=0.05)
    assert got[3] == pytest.approx(1e-4, rel=0.01)


def test_a_polynomial_has_a_sixteenth_of_the_rate_at_half_of_the_steps():
    schedule = detection_schedule("polynomial", 1e-3, 1_000)  # a burn-in of fifty steps
    assert float(schedule(500)) == pytest.approx(1e-3 / 16)
    assert float(schedule(25)) == pytest.approx(1e-3 * 0.975**4 / 16, rel=1e-3)


def test_unknown_schedules_are_refused():
    with pytest.raises(ValueError, match="expected steps, polynomial or cosine"):
        detection_schedule("linear", 1e-3, 100)


def test_a_schedule_survives_its_config():
    schedule = detection_schedule("steps", 1e-3, 1_600)
    config = keras.saving.serialize_keras_object(schedule)
    copy = keras.saving.deserialize_keras_object(config)
    steps = [0, 40, 80, 700, 1_000]
    np.testing.assert_allclose(rates(copy, steps), rates(schedule, steps))


def test_a_shifted_schedule_is_entered_elsewhere_and_survives_its_file():
    schedule = detection_schedule("cosine", 1e-3, 100)
    shifted = Shifted(schedule, 30)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(shifted))
    for step in (0, 1, 69):
        assert float(shifted(step)) == pytest.approx(float(schedule(step + 30)))
        assert float(again(step)) == pytest.approx(float(schedule(step + 30)))
