"""The mean of the weights: by hand, as what is scored and saved, and over a stop."""

import zipfile

import keras
import numpy as np
import pytest

from tests.training.line import RECIPE, TASK, Stop, StopAt, as_before, changed
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.checkpoint import load
from yolov2_tf.training.fit import train
from yolov2_tf.training.weight_mean import WeightMean


class Seen(keras.callbacks.Callback):
    """Notes the weights after each step."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())


def means(start, steps, decay):
    result = start
    for step, weights in enumerate(steps, start=1):
        keep = min(decay, (1 + step) / (10 + step))
        result = [keep * m + (1 - keep) * w for m, w in zip(result, weights, strict=True)]
    return result


def weights(path):
    return load_model(path).get_weights()


def check_equal(left, right, **tolerance):
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, **(tolerance or {"rtol": 0}))


@pytest.mark.parametrize("decay", [0.3, 0.99])
def test_best_has_the_mean_and_last_the_weights_themselves(tmp_path, decay):
    seen = Seen()
    train(TASK, changed(mean=decay), tmp_path / "run", callbacks=[seen])
    keras.utils.set_random_seed(RECIPE.seed)
    start = TASK.build(RECIPE).get_weights()
    expected = means(start, seen.weights, decay)
    check_equal(weights(tmp_path / "run/model.keras"), expected, rtol=1e-5, atol=1e-7)
    check_equal(weights(tmp_path / "run/last.keras"), seen.weights[-1])
    train(TASK, RECIPE, tmp_path / "without")
    check_equal(weights(tmp_path / "without/last.keras"), seen.weights[-1])


def test_batches_that_make_a_step_count_once(tmp_path):
    seen, recipe = Seen(), changed(mean=0.3, accumulate=2, epochs=4)
    train(TASK, recipe, tmp_path / "run", callbacks=[seen])
    assert len(seen.weights) == 8
    expected = means(TASK.build(recipe).get_weights(), seen.weights[1::2], 0.3)
    check_equal(load(tmp_path / "run/last.keras")[1].means, expected, rtol=1e-5, atol=1e-7)


def test_goes_on_after_a_stop(tmp_path):
    recipe = changed(epochs=4, mean=0.9)
    train(TASK, recipe, tmp_path / "whole")
    with pytest.raises(Stop):
        train(TASK, recipe, tmp_path / "stopped", callbacks=[StopAt(3)])
    train(TASK, None, tmp_path / "stopped", resume=True)
    for name in ("model.keras", "last.keras"):
        check_equal(weights(tmp_path / "whole" / name), weights(tmp_path / "stopped" / name))


def test_goes_on_from_the_file_of_earlier_versions(tmp_path):
    """`mean.npz` lay beside `last.keras`."""
    recipe = changed(epochs=4, mean=0.9)
    train(TASK, recipe, tmp_path / "whole")
    with pytest.raises(Stop):
        train(TASK, recipe, tmp_path / "old", callbacks=[StopAt(3)])
    with zipfile.ZipFile(tmp_path / "old/last.keras") as archive:
        means = archive.read("mean.npz")
    as_before(tmp_path / "old")
    file = tmp_path / "old/mean.npz"
    np.savez(file, np.zeros((2, 3)))
    with pytest.raises(InputError, match="of another network"):
        train(TASK, None, tmp_path / "old", resume=True)
    file.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        train(TASK, None, tmp_path / "old", resume=True)
    file.write_bytes(means)
    train(TASK, None, tmp_path / "old", resume=True)
    check_equal(weights(tmp_path / "whole/model.keras"), weights(tmp_path / "old/model.keras"))
    assert not file.exists()  # it is in the checkpoint now


def test_the_model_has_the_mean_only_between_put_in_and_take_out():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    mean = WeightMean()
    mean.set_model(model)
    mean.on_train_begin()
    old = model.get_weights()
    model.set_weights([weight + 1 for weight in old])
    for _ in range(2):  # twice is as once
        mean.put_in()
        check_equal(model.get_weights(), old)
    for _ in range(2):
        mean.take_out()
        check_equal(model.get_weights(), [weight + 1 for weight in old])
