"""The report on a detector: its figures are those of the parts, and its page stands alone."""

import dataclasses
import io
import json

import numpy as np
import pytest
from PIL import Image
from random_scenes import scenes
from whole_page import check_page

from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.evaluation.error_kinds import error_kinds
from yolov2_tf.report.score_page import score_page
from yolov2_tf.report.score_report import measure


def with_pictures(dataset):
    """The same with gray pictures."""
    encoded = io.BytesIO()
    Image.new("RGB", (64, 48), "gray").save(encoded, "PNG")
    records = [dataclasses.replace(r, image=encoded.getvalue()) for r in dataset.records]
    return dataclasses.replace(dataset, records=records)


@pytest.fixture(scope="module", params=["voc07", "coco"])
def measured(request):
    dataset, detections = scenes(4)
    dataset = with_pictures(dataset)
    evaluation = evaluate(dataset, detections, request.param)
    worse = [{key: value[::2] for key, value in found.items()} for found in detections]
    against = "other.keras", worse, evaluate(dataset, worse, request.param)
    return dataset, detections, measure(dataset, detections, evaluation, 2.5, against)


def test_figures_are_those_of_the_parts(measured):
    dataset, detections, report = measured
    value = report.as_json(dataset)
    assert json.loads(json.dumps(value)) == value
    evaluation = evaluate(dataset, detections, report.evaluation.metric)
    assert {**value, **evaluation.to_json()} == value
    assert value["error_kinds"]["costs"] == error_kinds(dataset, detections).costs
    assert value["interval"][0] < value["map"] < value["interval"][1]
    other = value["difference"]
    assert other["difference"] == pytest.approx(value["map"] - other["map"])
    assert sum(map(sum, value["confusion"]["matrix"])) >= report.overall.truths


def test_best_thresholds_are_no_worse_than_others(measured):
    report = measured[2]
    for name, curve in report.curves.items():
        best = curve.at(report.thresholds["classes"][name])[2]
        assert all(curve.at(threshold)[2] <= best + 1e-9 for threshold in np.linspace(0, 1, 101))


def test_the_page_stands_alone_and_says_the_figures(measured):
    dataset, detections, report = measured
    text = score_page(dataset, detections, report, model="<model>", device="<device>")
    page = check_page(text.replace('href="https://arxiv.org/abs/2008.08115"', ""))
    assert page.alts
    assert f"{100 * report.evaluation.map:.1f} %" in text
    for name in dataset.class_names:
        assert f'<th scope="row">{name}</th>' in text


@pytest.mark.parametrize("metric", ["voc07", "coco"])
@pytest.mark.parametrize("missing", ["detections", "truths", "both"])
def test_where_there_is_nothing_to_measure_there_is_a_page(metric, missing):
    dataset, detections = scenes(5)
    if missing != "truths":
        detections = [{key: value[:0] for key, value in found.items()} for found in detections]
    if missing != "detections":
        none = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "ignore": np.zeros(0, bool)}
        records = [dataclasses.replace(record, **none) for record in dataset.records]
        dataset = dataclasses.replace(with_pictures(dataset), records=records)
    report = measure(dataset, detections, evaluate(dataset, detections, metric), 1.0)
    assert report.thresholds["all"] is None
    check_page(
        score_page(dataset, detections, report, model="m").replace(
            'href="https://arxiv.org/abs/2008.08115"', ""
        )
    )
    json.dumps(report.as_json(dataset), allow_nan=False)


def test_a_class_called_all_leaves_the_figures_of_all_alone(measured):
    dataset, detections, report = measured
    first, *others = dataset.class_names
    called = dataclasses.replace(dataset, class_names=("all", *others))
    value = measure(called, detections, evaluate(called, detections), 1.0).as_json(called)
    expected = report.as_json(dataset)["at_best_threshold"]
    assert value["at_best_threshold"]["all"] == expected["all"]
    assert value["at_best_threshold"]["classes"]["all"] == expected["classes"][first]
