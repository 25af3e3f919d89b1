"""Optimizers in one kernel against Keras' own, step by step, and through a file."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.optimizers import FusedAdam, FusedSGD

PAIRS = [
    (FusedAdam, keras.optimizers.Adam, {}),
    (FusedAdam, keras.optimizers.Adam, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}),
    (FusedAdam, keras.optimizers.Adam, {"amsgrad": True}),
    (FusedAdam, keras.optimizers.Adam, {"global_clipnorm": 0.5}),
    (FusedAdam, keras.optimizers.Adam, {"gradient_accumulation_steps": 3}),
    (FusedAdam, keras.optimizers.Adam, {"weight_decay": 0.1}),
    (FusedSGD, keras.optimizers.SGD, {}),
    (FusedSGD, keras.optimizers.SGD, {"momentum": 0.9}),
    (FusedSGD, keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    (FusedSGD, keras.optimizers.SGD, {"momentum": 0.9, "gradient_accumulation_steps": 2}),
]


def moved(optimizer, steps=8):
    """The places of two variables, which an optimizer moves along made-up gradients."""
    draw = np.random.default_rng(0)
    start = [draw.normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,))]
    variables = [keras.Variable(value) for value in start]
    optimizer.build(variables)
    step = tf.function(lambda *gradients: optimizer.apply(list(gradients)))
    places = []
    for _ in range(steps):
        step(*(tf.constant(draw.normal(size=v.shape), tf.float32) for v in variables))
        places.append([keras.ops.convert_to_numpy(variable) for variable in variables])
    return places


@pytest.mark.parametrize(("fused", "plain", "options"), PAIRS)
def test_goes_the_way_of_keras(fused, plain, options):
    rate = keras.optimizers.schedules.PolynomialDecay(0.1, 8)
    ours, theirs = (moved(kind(rate, **options)) for kind in (fused, plain))
    for one, other in zip(ours, theirs, strict=True):
        for mine, its in zip(one, other, strict=True):
            np.testing.assert_allclose(mine, its, rtol=1e-5, atol=1e-6)
    assert np.abs(ours[-1][0] - ours[0][0]).max() > 0.01


@pytest.mark.parametrize(
    "optimizer", [FusedAdam(0.1), FusedSGD(0.1, momentum=0.9)], ids=["adam", "sgd"]
)
def test_a_file_keeps_its_state(optimizer, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(optimizer, "mse")
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    model.fit(x, y, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is type(optimizer)
    for one in (model, again):
        one.fit(x, y, epochs=2, verbose=0)
    for mine, its in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_half_precision_takes_its_scaled_loss():
    """`LossScaleOptimizer` hands its inner optimizer gradients that are finite and unscaled."""
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer = keras.optimizers.LossScaleOptimizer(kind(0.1), initial_scale=8.0)
        variable = keras.Variable(np.float32([1, 2]))
        optimizer.build([variable])
        optimizer.apply([tf.constant([8.0, -16.0])])
        optimizer.apply([tf.constant([np.inf, 0.0])])  # left out
        np.testing.assert_allclose(variable.numpy(), [0.9, 2.1], rtol=1e-5)


def test_several_devices_move_their_copies_alike():
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        variable = keras.Variable(np.float32([1, 2]))
        optimizer = FusedAdam(0.1)
        optimizer.build([variable])
    strategy.run(tf.function(lambda: optimizer.apply([tf.constant([1.0, -1.0])])))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), [0.9, 2.1], rtol=1e-5)
