"""A network with fewer filters."""

import keras
import numpy as np
import pytest

from yolov2_tf.darknet.cfg import parse_cfg
from yolov2_tf.darknet.network import parse_network
from yolov2_tf.darknet.reader import build_model
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import RegionHead
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


def darknet_network(reorg_reads, last="batch_normalize=0\nactivation=linear"):
    """A network of a cfg with a passthrough of 26×26, which no power of 2 divides."""
    conv = "[convolutional]\nbatch_normalize=1\nsize=3\npad=1\nactivation=leaky\n"
    text = f"""
[net]
width=104
height=104
channels=3
{conv}filters=32
stride=2
{conv}filters=64
stride=2
[maxpool]
size=2
stride=2
{conv}filters=48
[route]
layers={reorg_reads}
[reorg]
stride=2
[route]
layers=-1,-3
[convolutional]
batch_normalize=1
filters=32
size=1
activation=leaky
[dropout]
[convolutional]
filters=14
size=1
{last}
[region]
anchors=1,1,2,2
classes=2
num=2
softmax=1
"""
    return build_model(parse_network(parse_cfg(text)))


@pytest.mark.parametrize("reads", ["1", "1,1"])
def test_channels_that_reorg_mixes_go_together(reads):
    model = darknet_network(reads)
    kept = narrowed(model, 0.5)
    rng = np.random.default_rng(3)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            gamma = rng.uniform(0.5, 1.5, gamma.shape)
            gone = len(gamma) - kept.get_layer(layer.name).gamma.shape[0]
            silent = 4 * rng.permutation(len(gamma) // 4)[: gone // 4]
            gamma[silent[:, None] + np.arange(4)] = 0
            layer.set_weights([gamma, beta, mean, variance])
    small = narrowed(model, 0.5)
    assert small.count_params() < 0.5 * model.count_params()
    images = np.random.default_rng(4).uniform(0, 255, (2, 104, 104, 3)).astype("float32")
    np.testing.assert_allclose(small(images), model(images), rtol=1e-4, atol=1e-5)


def test_what_region_reads_stays_whole():
    model = darknet_network("1", last="batch_normalize=1\nactivation=leaky")
    assert type(model.head).__name__ == "RegionHead"
    small = narrowed(model, 0.5)
    assert small.output.shape == model.output.shape
    assert filters(small)["conv5"] == 14
    assert filters(small)["conv4"] == 16
    joined = model.get_layer("conv4_leaky").output
    parts = [keras.layers.Conv2D(n, 1, name=f"part{n}")(joined) for n in (6, 8)]
    head = RegionHead([(1, 1), (2, 2)], NAMES, input_size=104)
    model = type(model)(model.input, head(keras.layers.Concatenate()(parts)))
    assert narrowed(model, 0.5).output.shape == model.output.shape


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
