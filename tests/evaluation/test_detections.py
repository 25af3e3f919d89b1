"""Properties that AP must have, single cases, and what evaluations say of themselves."""

import dataclasses
import io
import json
import math
import re
import time
from html import unescape

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pixel_scenes import dataset, detection, random_scene, record
from rich.console import Console
from whole_page import check_page

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.trees.wordtree import WordTree

# === Properties ===

METRICS = ["voc07", "voc10", "coco"]


@st.composite
def scenes(draw):
    return random_scene(draw(st.integers(0, 2**20)), images=draw(st.integers(1, 6)))


def values(evaluation):
    return np.array(list(evaluation.ap.values()))


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=15, deadline=None)
@given(scene=scenes())
def test_perfect_detections_score_one_and_none_score_zero(metric, scene):
    data, _ = scene
    assume(any((~r.ignore).any() for r in data.records))
    perfect = [
        {"boxes": r.boxes, "labels": r.labels, "scores": np.linspace(1, 0.5, len(r.labels))}
        for r in data.records
    ]
    none = [detection(np.empty((0, 4)), [], []) for _ in data.records]
    assert evaluate(data, perfect, metric).map == pytest.approx(1)
    assert evaluate(data, none, metric).map == 0


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=15, deadline=None)
@given(scene=scenes(), seed=st.integers(0, 99))
def test_only_the_order_of_the_scores_counts(metric, scene, seed):
    data, detections = scene
    rng = np.random.default_rng(seed)
    other = []
    for d in detections:
        order = rng.permutation(len(d["scores"]))
        d = {key: column[order] for key, column in d.items()}
        other.append({**d, "scores": np.exp(3 * d["scores"]) - 7})
    np.testing.assert_allclose(
        values(evaluate(data, detections, metric)), values(evaluate(data, other, metric)), atol=1e-9
    )


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=15, deadline=None)
@given(scene=scenes(), label=st.integers(0, 3))
def test_a_false_positive_never_helps(metric, scene, label):
    data, detections = scene
    before = values(evaluate(data, detections, metric))
    for score in (-1.0, 0.5, 2.0):
        first = detections[0]
        worse = {
            "boxes": np.concatenate([first["boxes"], [[0.96, 0.96, 0.97, 0.97]]]),  # nothing there
            "labels": np.append(first["labels"], label),
            "scores": np.append(first["scores"], score),
        }
        after = values(evaluate(data, [worse, *detections[1:]], metric))
        assert np.all((after <= before + 1e-9) | np.isnan(before))


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=15, deadline=None)
@given(scene=scenes(), label=st.integers(0, 3))
def test_ignored_truths_are_neutral(metric, scene, label):
    """A truth to ignore, found or not, changes nothing."""
    data, detections = scene
    before = values(evaluate(data, detections, metric))
    first, alone = data.records[0], np.array([[0.95, 0.95, 0.99, 0.99]], np.float32)
    more = Record(
        None, "image 0", np.concatenate([first.boxes, alone]), np.append(first.labels, label),
        np.append(first.ignore, True), 640, 480,
    )  # fmt: skip
    data = dataset([more, *data.records[1:]], 4)
    np.testing.assert_allclose(values(evaluate(data, detections, metric)), before, atol=1e-9)
    hit = {
        "boxes": np.concatenate([detections[0]["boxes"], alone, alone]),
        "labels": np.append(detections[0]["labels"], [label, label]),
        "scores": np.append(detections[0]["scores"], [0.7, 0.3]),
    }
    found = evaluate(data, [hit, *detections[1:]], metric)
    np.testing.assert_allclose(values(found), before, atol=1e-9)


# === Single cases ===

TRUTH = [101, 101, 200, 200]


def test_a_duplicate_is_a_false_positive():
    data = dataset([record(0, [TRUTH, [301, 301, 400, 400]], [0, 0], [False, False])], 1)
    found = [detection([TRUTH, TRUTH], [0, 0], [0.9, 0.8])]
    result = evaluate(data, found, "voc10")
    np.testing.assert_allclose(result.curves["class 0"].precision, [1, 0.5])
    np.testing.assert_allclose(result.curves["class 0"].recall, [0.5, 0.5])
    np.testing.assert_allclose(result.curves["class 0"].scores, [0.9, 0.8])
    assert result.map == 0.5


def test_a_detection_belongs_to_the_truth_it_overlaps_most_even_if_taken():
    near = [101, 101, 200, 210]
    data = dataset([record(0, [TRUTH, near], [0, 0], [False, False])], 1)
    found = [detection([TRUTH, [101, 101, 200, 201]], [0, 0], [0.9, 0.8])]
    assert evaluate(data, found, "voc10").map == 0.5  # the second is no hit on `near`, as in VOC


def test_tiny_boxes_match_as_well_as_large_ones():
    box = np.float32([[0.5, 0.5, 0.5 + 2e-5, 0.5 + 2e-5]])
    data = dataset([Record(None, "tiny", box, np.zeros(1, int), np.zeros(1, bool))], 1)
    found = [{"boxes": box, "labels": np.zeros(1, int), "scores": np.ones(1)}]
    assert evaluate(data, found, iou=0.999).map == 1


@pytest.mark.parametrize("metric", METRICS)
def test_a_class_without_truths_is_left_out_and_said(metric):
    data = dataset([record(0, [TRUTH, TRUTH], [0, 2], [False, True])], 4)
    found = [detection([TRUTH, TRUTH], [0, 1], [0.9, 0.8])]
    result = evaluate(data, found, metric)
    assert result.map == pytest.approx(1)
    assert [math.isnan(ap) for ap in result.ap.values()] == [False, True, True, True]
    assert result.without_truths == ["class 1", "class 2", "class 3"]
    assert result.counts["class 1"] == (0, 0, 1)
    assert result.counts["class 2"] == (0, 1, 0)
    assert set(result.curves) == {"class 0"}
    assert "3 classes without truths are left out of the mean: class 1" in text_of(result)


@pytest.mark.parametrize("metric", METRICS)
def test_no_truths_at_all_is_nan_and_json_null(metric):
    result = evaluate(dataset([record(0, [], [], [])], 1), [detection([], [], [])], metric)
    assert math.isnan(result.map)
    assert json.loads(json.dumps(result.to_json(), allow_nan=False)) == {
        "metric": metric, "map": None, "ap": {"class 0": None}, "images": 1,
    }  # fmt: skip
    text_of(result)


def test_json_has_the_promised_keys_and_fractions():
    data, detections = random_scene(1)
    result = evaluate(data, detections)
    answer = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(answer) == ["metric", "map", "ap", "images"]
    assert answer["images"] == 12
    assert answer["map"] == pytest.approx(result.map)
    assert list(answer["ap"]) == list(data.class_names)
    assert all(0 <= ap <= 1 for ap in answer["ap"].values())


def text_of(result):
    console = Console(file=io.StringIO(), width=100)
    console.print(result.table())
    return " ".join(console.file.getvalue().split())  # however the lines were broken


def test_table_shows_the_figures_and_takes_names_literally():
    records = [record(0, [TRUTH], [0], [False])]
    data = Dataset("one", ("[bold]odd[/bold] 名",), records)
    text = text_of(evaluate(data, [detection([TRUTH], [0], [0.9])], "coco"))
    assert "[bold]odd[/bold] 名" in text
    assert "100.0" in text
    assert "AP50 │ 100.0" in text
    assert "AP_small │ –" in text


def test_names_that_repeat_keep_their_own_ap():
    data = Dataset("cranes", ("crane", "crane"), [record(0, [TRUTH, TRUTH], [0, 1], [False] * 2)])
    result = evaluate(data, [detection([TRUTH], [1], [0.9])])
    assert result.ap == {"crane (0)": 0, "crane (1)": 1}


BOX = np.array([[0.1, 0.1, 0.2, 0.2]])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"boxes": BOX, "labels": [4], "scores": [0.5]}, "labels 0 to 3"),
        ({"boxes": BOX, "labels": [-1], "scores": [0.5]}, "label -1"),
        ({"boxes": BOX, "labels": [0], "scores": [math.nan]}, "score nan"),
        ({"boxes": BOX * math.nan, "labels": [0], "scores": [0.5]}, "finite"),
        ({"boxes": BOX, "labels": [0, 1], "scores": [0.5]}, r"expected \(n, 4\)"),
        ({"boxes": BOX[0, :3], "labels": [0], "scores": [0.5]}, r"expected \(n, 4\)"),
        ({"boxes": BOX.T, "labels": [0], "scores": [0.5]}, r"expected \(n, 4\)"),
        ({"boxes": BOX, "labels": [0.7], "scores": [0.5]}, "label 0.7"),
        ({"boxes": BOX * 300, "labels": [0], "scores": [0.5]}, "fractions of the picture"),
    ],
)
def test_detections_that_do_not_fit_name_the_image(entry, said):
    data = dataset([record(0, [TRUTH], [0], [False])], 4)
    with pytest.raises(InputError, match=said) as error:
        evaluate(data, [entry])
    assert error.value.where == "image 0"


@pytest.mark.parametrize(
    ("detections", "said"),
    [
        ([{"boxes": BOX, "labels": ["dog"], "scores": [0.5]}], "picture 0 .*not numbers"),
        ([{"boxes": BOX, "labels": [0], "scores": None}], "score nan"),
        ([{"boxes": BOX, "classes": [0], "scores": [0.5]}], "picture 0 .*'labels'"),
        ([(BOX, [0], [0.5])], 'picture 0 .*a dict of "boxes"'),
        ({"boxes": BOX[None], "labels": [[0]], "scores": [[0.5]]}, "one entry for each picture"),
        (None, "one entry for each picture"),
    ],
)
def test_what_are_no_detections_is_told(detections, said):
    data = dataset([record(0, [TRUTH], [0], [False])], 4)
    with pytest.raises(InputError, match=said):
        evaluate(data, detections)


def test_a_tree_an_overlap_and_a_data_set_that_are_none_are_refused():
    data, detections = random_scene(0)
    for iou in (50, -0.1, math.nan, "0.5"):
        with pytest.raises(InputError, match="iou is"):
            evaluate(data, detections, iou=iou)
    with pytest.raises(InputError, match="a tree of 1 nodes"):
        evaluate(data, detections, tree=WordTree(["thing"], [-1]))
    with pytest.raises(InputError, match="a str is no data set"):
        evaluate("digits", detections)
    tree = WordTree("abcd", [-1] * 4)
    wrong = [{"boxes": [[0, 0, 1, 1]], "labels": [-1], "scores": [1]} for _ in data.records]
    with pytest.raises(InputError, match="label -1"):
        evaluate(data, wrong, tree=tree)


def test_wrong_number_of_images_and_unknown_metric():
    data, detections = random_scene(0)
    with pytest.raises(InputError, match="one entry for each of the 12"):
        evaluate(data, detections[:-1])
    with pytest.raises(InputError, match="voc07, voc10, coco"):
        evaluate(data, detections, "map50")


def test_accepts_a_generator_and_does_not_change_its_input():
    data, detections = random_scene(3)
    copies = [{k: v.copy() for k, v in d.items()} for d in detections]
    assert evaluate(data, iter(detections)).map == evaluate(data, detections).map
    for d, copy in zip(detections, copies, strict=True):
        assert all(np.array_equal(d[k], copy[k]) for k in d)


def test_a_full_voc_sample_takes_well_under_two_seconds():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 0.5, (413, 303, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.05, 0.4, corners.shape)], axis=-1)
    labels = rng.integers(0, 20, (413, 303))
    records = [
        Record(None, str(i), boxes[i, :3], labels[i, :3], np.zeros(3, bool), 500, 375)
        for i in range(413)
    ]
    found = [
        {"boxes": boxes[i, 3:], "labels": labels[i, 3:], "scores": rng.random(300)}
        for i in range(413)
    ]
    start = time.process_time()
    result = evaluate(dataset(records, 20), found)
    assert time.process_time() - start < 2
    assert sum(c.detections for c in result.counts.values()) == 413 * 300


def cells(html):
    """Texts of the rows of a table."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(c) for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


@pytest.mark.parametrize("metric", ["voc07", "coco"])
def test_a_notebook_shows_the_figures_of_the_table(metric):
    dataset, detections = random_scene(3)
    dataset = dataclasses.replace(dataset, class_names=("<b>", "b", "c", "d", "nothing & none"))
    scores = evaluate(dataset, detections, metric)
    html = scores._repr_html_()
    check_page(html)
    header, *rows = cells(html)
    assert header == ["Class", "AP %", "Truths", "Detections"]
    shown = {name: figures for name, *figures in rows}
    for name in ("<b>", "b", "c", "d"):
        counts = scores.counts[name]
        percent = f"{100 * scores.ap[name]:.1f}"
        assert shown[name] == [percent, str(counts.truths), str(counts.detections)]
    assert shown["mean of 4"][0] == f"{100 * scores.map:.1f}"
    assert set(scores.extra) <= set(shown)
    assert "nothing & none" not in shown
    assert "nothing &amp; none" in html
