"""The event files, read back as TensorBoard reads them."""

import numpy as np
import pytest
import tensorflow as tf
from random_scenes import scenes as random_scenes
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.pr_curve import metadata

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.training import tensorboard
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.training.tensorboard import ALL, EACH, THRESHOLDS, curves

RECIPE = DetectionRecipe(
    model="tiny", width=0.125, size=64, epochs=2, batch_size=4, learning_rate=1e-3, anchors=2
)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Events of a run on eight scenes, and its rows."""
    folder = tmp_path_factory.mktemp("run")
    scenes, _ = check_images(open_digits("train", count=8, size=64))
    rows = train(DetectionTask(scenes, scenes), RECIPE, folder)
    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"tensors": 0})
    return found.Reload(), rows


def of_plugin(events, plugin):
    """Tags that a plugin of TensorBoard shows."""
    metadata = events.summary_metadata.items()
    return [tag for tag, data in metadata if data.plugin_data.plugin_name == plugin]


def test_figures_are_those_of_the_history(events):
    events, rows = events
    names = of_plugin(events, "scalars")
    assert set(rows[0]) == {"epoch", *names}
    assert "epoch" not in names  # it is the axis
    assert {"gradient_norm", "val_map", "loss_box", "loss_class"} <= set(names)
    for name in names:
        found = {e.step: float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors(name)}
        assert found == pytest.approx({int(r["epoch"]): float(r[name]) for r in rows}, rel=1e-5)


def test_pictures_and_anchors_are_there(events):
    events, _ = events
    assert set(of_plugin(events, "images")) == {"detections", "anchors"}
    for name, steps in {"detections": [1, 2], "anchors": [1]}.items():
        shown = events.Tensors(name)
        assert [event.step for event in shown] == steps
        width, height, png = tf.make_ndarray(shown[0].tensor_proto)
        picture = tf.io.decode_png(png).numpy()
        assert picture.shape == (int(height), int(width), 3)
        assert min(picture.shape[:2]) > 200
        assert picture.std() > 10


def test_curves_are_there_for_each_class_with_truths(events):
    events, _ = events
    names = of_plugin(events, metadata.PLUGIN_NAME)
    scenes = open_digits("train", count=8, size=64)
    seen = {scenes.class_names[label] for label in scenes.records.labels}
    assert set(names) == {f"{tag}/pr_curves" for tag in (ALL, *(f"{EACH}/{n}" for n in seen))}
    groups = sorted({name.split("/")[0] for name in names})  # as the page has them
    assert [ALL.split("/")[0], EACH] == groups
    for name in names:
        assert [event.step for event in events.Tensors(name)] == [1, 2]
        content = events.SummaryMetadata(name).plugin_data.content
        assert metadata.parse_plugin_metadata(content).num_thresholds == THRESHOLDS
        table = tf.make_ndarray(events.Tensors(name)[-1].tensor_proto)
        assert table.shape == (6, THRESHOLDS)
        hits, wrong, _, missed, precision, recall = table
        assert np.all(hits + missed == hits[0] + missed[0])
        np.testing.assert_allclose(recall, hits / (hits + missed), rtol=1e-6)
        known = hits + wrong > 0
        np.testing.assert_allclose(precision[known], hits[known] / (hits + wrong)[known], rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_detections_above_the_threshold(seed):
    dataset, found = random_scenes(seed, images=10)
    evaluation = evaluate(dataset, found)
    counted = curves(evaluation)
    assert next(iter(counted)) == ALL
    sums = np.zeros((2, THRESHOLDS))
    for name, curve in evaluation.curves.items():
        hits, detections, truths = counted[f"{EACH}/{name}"]
        assert truths == evaluation.counts[name].truths
        for index, threshold in enumerate(np.linspace(0, 1, THRESHOLDS)):
            above = curve.scores >= threshold
            assert detections[index] == above.sum()
            assert hits[index] == round(truths * curve.recall[above].max(initial=0))
        sums += hits, detections
    np.testing.assert_array_equal(counted[ALL][:2], sums)


def test_only_the_classes_with_the_most_truths_have_one(monkeypatch):
    monkeypatch.setattr(tensorboard, "CURVES", 3)
    evaluation = evaluate(*random_scenes(0, images=30, classes=8))
    counted = curves(evaluation)
    assert len(counted) == 1 + 3
    shown = {tag.removeprefix(f"{EACH}/") for tag in list(counted)[1:]}
    least = min(evaluation.counts[name].truths for name in shown)
    others = set(evaluation.curves) - shown
    assert others
    assert all(evaluation.counts[name].truths <= least for name in others)
