"""A network with fewer filters."""

import keras
import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.models.narrowing import narrowed
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2

NAMES = ("ant", "bee")


@pytest.fixture(scope="module")
def trained():
    """YOLOv2 whose batch normalisations are not as at the start."""
    model = YOLOv2(NAMES, width=1 / 16, input_size=64)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def answers(model):
    images = np.random.default_rng(1).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    return np.asarray(model(images))


def filters(model):
    return {
        layer.name: layer.filters
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }


def test_the_whole_of_a_network_answers_as_it_did(trained):
    np.testing.assert_array_equal(answers(narrowed(trained, 1)), answers(trained))


@pytest.mark.parametrize("share", [0.75, 0.5])
def test_a_share_of_the_filters_stays_in_whole_vectors(trained, share):
    before, after = filters(trained), filters(narrowed(trained, share))
    assert after["head"] == before["head"]
    for name in set(before) - {"head"}:
        wanted = max(16, round(before[name] * share / 16) * 16)
        assert after[name] == min(before[name], wanted)
    assert after["conv20"] == 64 * share


@pytest.mark.parametrize("builder", [YOLOv2, TinyYOLOv2])
def test_filters_that_nothing_reads_are_those_that_go(builder):
    """Then nothing is lost: the small network answers as the large one, by the passthrough too."""
    model = builder(NAMES, width=1 / 16, input_size=64)
    kept = narrowed(model, 0.5)
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            gone = len(gamma) - kept.get_layer(layer.name).gamma.shape[0]
            silent = rng.permutation(len(gamma))[:gone]
            gamma[silent] = 0
            layer.set_weights([gamma, beta, mean, variance])
    small = narrowed(model, 0.5)
    assert small.count_params() < 0.5 * model.count_params()
    np.testing.assert_allclose(answers(small), answers(model), rtol=1e-4, atol=1e-5)


def test_the_large_network_and_the_head_stay_as_they_are(trained):
    before = [values.copy() for values in trained.get_weights()]
    small = narrowed(trained, 0.5)
    for was, now in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    assert small.head.class_names == NAMES
    np.testing.assert_array_equal(small.head.anchors, trained.head.anchors)


def test_it_can_be_saved_and_trained(trained, tmp_path):
    small = narrowed(trained, 0.5)
    small.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(answers(again), answers(small))
    assert all(layer.trainable for layer in small.layers)


@pytest.mark.parametrize("share", [0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(trained, share):
    with pytest.raises(InputError, match="share"):
        narrowed(trained, share)


def test_layers_that_add_channels_are_named(trained):
    x = trained.get_layer("conv19_leaky").output
    added = keras.layers.Add(name="shortcut")([x, x])
    model = type(trained)(trained.input, trained.head(keras.layers.Concatenate()([added])))
    with pytest.raises(InputError, match="cannot be narrowed"):
        narrowed(model, 0.5)
