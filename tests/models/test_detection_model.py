"""Training through Keras: what `fit` reports, survives and keeps."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models.blocks import Blocks, image_input
from yolov2_tf.models.detection_model import LOSSES, OF_STEPS, STATISTICS, DetectionModel
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.loading import load_model

NAMES = ["ant", "bee"]
SIZE = 64


def network(weight_decay):
    """A detector of two convolutions, since what is tested does not depend on the depth."""
    blocks = Blocks(width=0.25, weight_decay=weight_decay)
    image, x = image_input()
    x = keras.layers.AveragePooling2D(8)(x)
    x = blocks.convolution(x, 64, 3)
    x = keras.layers.AveragePooling2D(4)(x)
    x = blocks.head(x, anchors=[(0.5, 0.5), (1, 2)], class_names=NAMES, input_size=SIZE)
    return DetectionModel(image, x)


def build(optimizer=None, *, weight_decay=5e-4, seed=0, graph=False, **loss_options):
    keras.utils.set_random_seed(seed)
    model = network(weight_decay)
    model.compile(
        optimizer=optimizer or keras.optimizers.SGD(1e-3, momentum=0.9),
        loss=YOLOv2Loss(model.head.anchors, **loss_options),
        run_eagerly=not graph,  # for one step, tracing a graph costs more than it saves
    )
    return model


def batch(count=4, truths=3, seed=0):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, 1, (count, truths, 2, 2)), axis=2)
    labels = rng.integers(0, len(NAMES), (count, truths))
    return rng.uniform(0, 255, (count, SIZE, SIZE, 3)).astype(np.float32), {
        "boxes": corners.reshape(count, truths, 4).astype(np.float32),
        "labels": labels.astype(np.int32),
    }


def decay(model):
    return float(tf.add_n(model.losses))


def test_fit_reports_the_loss_and_its_parts_and_they_improve():
    model = build(keras.optimizers.Adam(3e-2), graph=True)
    images, truths = batch(4, 1)
    history = model.fit(images, truths, batch_size=4, epochs=60, verbose=0).history
    parts = (f"loss_{name}" for name in LOSSES)
    assert set(history) == {"loss", "gradient_norm", *STATISTICS, *parts}
    assert all(len(values) == 60 and np.all(np.isfinite(values)) for values in history.values())
    assert all(0 <= value <= 1 for name in STATISTICS for value in history[name])
    parts = sum(history[f"loss_{name}"][-1] for name in LOSSES)
    assert history["loss"][-1] == pytest.approx(parts + decay(model), rel=1e-2)

    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["average_iou"][-1] > 0.6
    assert history["object"][-1] > 0.5 > 2 * history["no_object"][-1]


def test_fit_takes_a_dataset_of_changing_sizes_and_paddings():
    model = build(graph=True)
    parts = []
    for size, truths, seed in [(64, 3, 0), (96, 0, 1), (32, 5, 2)]:
        images, target = batch(2, truths, seed)
        parts.append((tf.image.resize(images, [size, size]), target))
    spec = (
        tf.TensorSpec([None, None, None, 3]),
        {"boxes": tf.TensorSpec([None, None, 4]), "labels": tf.TensorSpec([None, None], tf.int32)},
    )
    data = tf.data.Dataset.from_generator(lambda: iter(parts), output_signature=spec)
    data = data.apply(tf.data.experimental.assert_cardinality(len(parts)))
    history = model.fit(data, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"][0])
    assert int(model.optimizer.iterations) == 3


def test_evaluate_is_the_loss_object_plus_weight_decay():
    model = build()
    images, truths = batch()
    result = model.evaluate(images, truths, batch_size=4, verbose=0, return_dict=True)
    raw = model(images, training=False)
    expected = float(YOLOv2Loss(model.head.anchors)(truths, raw)) + decay(model)
    assert result["loss"] == pytest.approx(expected, rel=1e-5)
    assert not set(result) & set(OF_STEPS)
    again = model.evaluate(images, truths, batch_size=2, verbose=0, return_dict=True)
    for name, value in result.items():
        assert again[name] == pytest.approx(value, rel=1e-4), name


def test_figures_given_as_a_list_have_the_names_at_their_places():
    model = build()
    images, truths = batch(2)
    named = model.evaluate(images, truths, verbose=0, return_dict=True)
    listed = model.evaluate(images, truths, verbose=0)
    assert dict(zip(model.metrics_names, listed, strict=False)) == pytest.approx(named)
    listed = model.train_on_batch(images, truths)
    assert dict(zip(model.metrics_names, listed, strict=True)) == model.get_metrics_result()


@pytest.mark.parametrize("graph", [False, True])
def test_the_parts_add_up_where_the_last_batch_is_smaller(graph):
    model = build(graph=graph, warmup_images=0)
    images, truths = batch(6)
    truths["labels"][:4, 1:] = -1
    logs = model.fit(
        images, truths, batch_size=4, validation_data=(images, truths), verbose=0
    ).history
    result = model.evaluate(images, truths, batch_size=4, verbose=0, return_dict=True)
    for name, value in result.items():
        assert logs[f"val_{name}"][0] == pytest.approx(value, rel=1e-4, abs=1e-6), name
    assert {name for name in logs if not name.startswith("val_")} - set(result) == {
        "gradient_norm",
        "loss_prior",
    }
    parts = sum(result.get(f"loss_{name}", 0) for name in LOSSES)
    assert result["loss"] == pytest.approx(parts + decay(model), rel=1e-5)
    assert len(model.evaluate(images, truths, verbose=0)) == len(result)
    assert set(model.test_on_batch(images, truths, return_dict=True)) == set(result)


def test_weight_decay_is_half_the_squared_kernels():
    images, truths = batch()
    with_decay, without = build(weight_decay=0.01), build(weight_decay=0)
    losses = [
        model.test_on_batch(images, truths, return_dict=True)["loss"]
        for model in (with_decay, without)
    ]
    kernels = [v.numpy() for v in with_decay.trainable_variables if v.name == "kernel"]
    assert len(kernels) == 2
    expected = 0.01 / 2 * sum(np.sum(kernel**2) for kernel in kernels)
    assert losses[0] - losses[1] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("steps", "warming"), [(0, True), (3199, True), (3200, False)])
def test_warm_up_ends_after_12800_images(steps, warming):
    """Counted by the optimizer's steps, here of 4 images, so a resumed run goes on with it."""
    model = build()
    model.optimizer.iterations.assign(steps)
    logs = model.train_on_batch(*batch(4), return_dict=True)
    assert (logs["loss_prior"] > 0) == warming


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_the_loss_is_never_nan(policy):
    images, truths = batch(8, 4)
    nothing = np.full((8, 4), -1, np.int32)
    boxes = truths["boxes"].copy()
    boxes[:2] = np.nan
    boxes[2:4] = boxes[2:4, :, ::-1]  # swapped corners
    boxes[4, :, 2:] = boxes[4, :, :2]  # points
    boxes[5, :, 3] = boxes[5, :, 1]  # lines
    boxes[6, 0, 0] = -np.inf
    targets = [
        {"boxes": boxes, "labels": truths["labels"]},
        {"boxes": boxes, "labels": nothing},
        {"boxes": boxes[:, :0], "labels": nothing[:, :0]},
    ]
    keras.config.set_dtype_policy(policy)
    try:
        model = build()
        for target in targets:
            logs = model.train_on_batch(images, target, return_dict=True)
            assert all(np.isfinite(value) for value in logs.values()), logs
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(np.all(np.isfinite(weight)) for weight in model.get_weights())


def test_training_goes_on_where_a_file_left_it(tmp_path):
    model = build(class_weights=[1, 2], ignore_iou=0.5, rescore=False)
    images, truths = batch()
    model.fit(images, truths, batch_size=2, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert isinstance(loaded, DetectionModel)
    assert loaded.loss.get_config() == model.loss.get_config()
    assert int(loaded.optimizer.iterations) == 4
    for resumed in (loaded, model):
        resumed.reset_metrics()
    logs = [m.train_on_batch(images, truths, return_dict=True) for m in (model, loaded)]
    assert set(logs[0]) == set(logs[1])
    for name, value in logs[0].items():
        assert logs[1][name] == pytest.approx(float(value), rel=1e-4, abs=1e-6), name
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-5)


def test_two_devices_train_as_one(tmp_path):
    """Two logical CPU devices under MirroredStrategy, half a batch on each.

    Batch normalisation would see halves, so the network has none.
    """
    code = """
import sys
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead

data = dict(np.load(sys.argv[1]))
images = data.pop("images")
dataset = tf.data.Dataset.from_tensor_slices((images, data)).batch(4)
both = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for limit in ({}, {"global_clipnorm": 3}, {"clipnorm": 2}, {"clipvalue": 1.5}):
    results = []
    for strategy in (tf.distribute.get_strategy(), both):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            image = keras.Input((64, 64, 3))
            x = keras.layers.AveragePooling2D(32)(image / 255)
            decay = keras.regularizers.L2(1)
            x = keras.layers.Conv2D(8, 3, padding="same", kernel_regularizer=decay)(x)
            x = DetectionHead([(0.5, 0.5), (1, 2)], ["ant", "bee"])(x)
            model = DetectionModel(image, x)
            model.compile(
                optimizer=keras.optimizers.SGD(1e-3, **limit),
                loss=YOLOv2Loss(model.head.anchors),
            )
        before = [np.array(weight) for weight in model.get_weights()]
        logs = model.fit(dataset, verbose=0).history
        after = model.get_weights()
        results.append((strategy.num_replicas_in_sync, logs, before, after))
    (one, logs, before, weights), (two, other_logs, other_before, other_weights) = results
    assert (one, two) == (1, 2)
    for name in logs:
        np.testing.assert_allclose(other_logs[name], logs[name], rtol=1e-4, atol=1e-6, err_msg=name)
    moved = 0
    for a, b, c, d in zip(before, other_before, weights, other_weights, strict=True):
        assert np.array_equal(a, b)
        np.testing.assert_allclose(d - b, c - a, rtol=1e-2, atol=1e-6)
        moved = max(moved, np.abs(c - a).max())
    assert moved > 1e-3
    assert all(logs["gradient_norm"][0] > value for value in limit.values())
print("equal")
"""
    images, truths = batch(8)
    truths["labels"][1::2, 1:] = -1  # as many truths on each device would hide a wrong mean
    np.savez(tmp_path / "data.npz", images=images, **truths)
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "data.npz"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("equal")


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64"])
def test_weights_may_be_of_another_type_than_the_heads(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = build()
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(model.train_on_batch(*batch(), return_dict=True)["loss"])
    assert model.predict(batch()[0], verbose=0).dtype == np.float32


def test_a_network_whose_layers_are_all_held_is_refused():
    model = build()
    model.trainable = False
    with pytest.raises(InputError, match=r"held .*model.trainable = True, then compile"):
        model.fit(*batch(), verbose=0)


def test_other_models_are_no_detectors():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(ValueError, match="'plain' has no Head"):
        find_head(model)


def test_batches_without_an_end_need_a_number_of_them():
    model = build()
    truths = {"boxes": np.zeros((1, 1, 4), np.float32), "labels": np.full((1, 1), -1)}
    batch = tf.data.Dataset.from_tensors((np.full((1, SIZE, SIZE, 3), 9.0, np.float32), truths))
    endless = batch.repeat()
    with pytest.raises(InputError, match=r"without an end .*expected steps_per_epoch"):
        model.fit(endless)
    with pytest.raises(InputError, match=r"without an end .*expected validation_steps"):
        model.fit(batch, validation_data=endless)
    with pytest.raises(InputError, match=r"without an end .*expected steps="):
        model.evaluate(endless)
    steps = {"steps_per_epoch": 1, "validation_steps": 1}
    model.fit(endless, validation_data=endless, shuffle=False, verbose=0, **steps)
    model.evaluate(endless, steps=1, verbose=0)
