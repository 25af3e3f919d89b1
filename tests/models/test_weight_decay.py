"""Weight decay against Keras' own regulariser."""

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.models.weight_decay import WeightDecay


def test_value_and_gradient_are_those_of_l2():
    w = tf.random.stateless_normal((3, 3, 4, 8), (0, 1))
    results = []
    for regularizer in (WeightDecay(0.02), keras.regularizers.L2(0.01)):
        with tf.GradientTape() as tape:
            tape.watch(w)
            loss = regularizer(w)
        results.append((loss, tape.gradient(loss, w)))
    for mine, its in zip(*results, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-5)
    np.testing.assert_allclose(results[0][1], 0.02 * w, rtol=1e-6)  # Darknet's


def test_is_saved_with_its_layer(tmp_path):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, kernel_regularizer=WeightDecay(0.5))]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.losses[0], model.losses[0])
    assert model.losses[0] > 0
