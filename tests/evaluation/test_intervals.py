"""Intervals: the weighing of pictures against data sets that really hold them so often."""

import numpy as np
import pytest
from random_scenes import scenes

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.evaluation.intervals import Resampling, intervals


@pytest.mark.parametrize("metric", ["voc07", "voc10", "coco"])
@pytest.mark.parametrize("seed", range(4))
def test_weights_are_pictures_drawn_as_often(metric, seed):
    dataset, detections = scenes(seed)
    resampling = Resampling(dataset, detections, metric)
    names = [dataset.class_names[label] for label in resampling.labels]
    random = np.random.default_rng(seed)
    for weights in (np.ones(len(dataset)), random.integers(0, 3, len(dataset))):
        drawn = np.repeat(np.arange(len(dataset)), weights.astype(int))
        # Names must differ; ties between copies do not matter, since copies tie with each other.
        copies = Dataset("drawn", dataset.class_names, [dataset.records[i] for i in drawn])
        ap = evaluate(copies, [detections[i] for i in drawn], metric).ap
        np.testing.assert_allclose(
            resampling.ap(weights.astype(float)), [ap[name] for name in names], atol=2e-3
        )


@pytest.mark.parametrize("metric", ["voc07", "voc10", "coco"])
def test_equal_weights_are_the_evaluation(metric):
    dataset, detections = scenes(9)
    ap = Resampling(dataset, detections, metric).ap(np.ones(len(dataset)))
    assert np.nanmean(ap) == pytest.approx(evaluate(dataset, detections, metric).map, abs=1e-6)


def test_the_interval_covers_and_shrinks_with_more_pictures():
    few, many = scenes(1, images=30), scenes(1, images=300)
    widths = []
    for dataset, detections in (few, many):
        ends, by_label = intervals(Resampling(dataset, detections, "voc10"), draws=100)
        assert ends.low < evaluate(dataset, detections, "voc10").map < ends.high
        assert len(by_label) == 3
        widths.append(ends.high - ends.low)
    assert widths[1] < 0.6 * widths[0]


def test_a_model_does_not_differ_from_itself():
    dataset, detections = scenes(2)
    resampling = Resampling(dataset, detections)
    ends, _ = intervals(resampling, resampling, draws=20)
    assert ends == (0, 0)
    worse = [{key: value[:1] for key, value in found.items()} for found in detections]
    ends, _ = intervals(resampling, Resampling(dataset, worse), draws=100)
    assert ends.low > 0
