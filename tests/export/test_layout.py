"""`yolov2.json`: what is written is what is read, and nothing else is."""

import dataclasses
import json
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import (
    DETECTION_OUTPUTS,
    LABELLED_OUTPUTS,
    PREDICTION_OUTPUTS,
    SERVED_OUTPUTS,
    Layout,
    describe,
    parse_layout,
)
from yolov2_tf.export.layout_values import QUANTIZATIONS, VERSION, LayoutError
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["animal", "dog", "cat"], [-1, 0, 0])
OLD = {
    "class_names": ["cat", "dog", "bird"],
    "anchors": [[0.4, 0.5], [0.7, 1.0]],
    "input_size": 64,
    "resize": "letterbox",
    "per_class": True,
    "tree": None,
    "nms": True,
    "score_threshold": 0.005,
    "iou_threshold": 0.45,
    "max_detections": 100,
    "tree_threshold": 0.5,
    "writer": "yolov2_tf 0.1.0",
    "quantization": "none",
}
"""As yolov2_tf 0.1 wrote it."""

fractions = st.floats(0, 1)
layouts = st.builds(
    Layout,
    class_names=st.tuples(st.text(), st.text(), st.text()),
    anchors=st.lists(st.tuples(*[st.floats(0.1, 20)] * 2), min_size=1).map(tuple),
    input_size=st.integers(1, 2000),
    resize=st.sampled_from(["stretch", "letterbox"]),
    nms=st.booleans(),
    score_threshold=fractions,
    iou_threshold=fractions,
    max_detections=st.integers(1, 2000),
    per_class=st.booleans(),
    tree=st.sampled_from([None, TREE]),
    tree_threshold=st.none() | fractions,
    quantization=st.sampled_from(QUANTIZATIONS),
    writer=st.text(),
)


@given(layouts)
def test_what_is_written_is_what_is_read(layout):
    assert parse_layout(json.dumps(layout.to_json()), "here") == layout


def test_old_descriptions_are_read_with_what_they_do_not_say():
    layout = parse_layout(json.dumps(OLD), "here")
    assert (layout.version, layout.outputs) == (1, DETECTION_OUTPUTS)
    assert {k: v for k, v in layout.to_json().items() if k in OLD} == OLD
    for key in ("tree", "tree_threshold", "per_class", "writer", "quantization"):
        shorter = {k: v for k, v in OLD.items() if k != key}
        assert parse_layout(json.dumps(shorter), "here").nms


def test_a_description_names_its_outputs():
    def outputs(**changes):
        return Layout.from_json({**OLD, **changes}).outputs

    tree = {"class_names": list(TREE.names), "tree": TREE.to_config()}
    assert outputs(nms=False) == PREDICTION_OUTPUTS
    assert outputs(nms=False, **tree) == LABELLED_OUTPUTS
    assert outputs(nms=True, **tree) == DETECTION_OUTPUTS
    assert outputs(outputs=list(SERVED_OUTPUTS)) == SERVED_OUTPUTS
    assert not Layout.from_json({**OLD, "nms": False}).labelled
    assert Layout.from_json({**OLD, "nms": False, **tree}).labelled


def test_keys_of_later_writers_are_left_alone():
    assert parse_layout(json.dumps({**OLD, "colour": "blue"}), "here").nms
    with pytest.raises(InputError, match=f"version is {VERSION + 1}, readable.*up to {VERSION}"):
        parse_layout(json.dumps({**OLD, "version": VERSION + 1}), "here")


WRONG = [
    ("class_names", []),
    ("class_names", [1, 2]),
    ("anchors", [[1, 0]]),
    ("anchors", [1, 2]),
    ("input_size", 64.0),
    ("input_size", 0),
    ("input_size", True),
    ("resize", "crop"),
    ("nms", 1),
    ("score_threshold", 1.5),
    ("score_threshold", "0.5"),
    ("iou_threshold", float("nan")),
    ("max_detections", 0),
    ("max_detections", None),
    ("per_class", "yes"),
    ("tree", {"names": ["a"]}),
    ("tree", {"names": [1], "parent": [-1]}),
    ("tree_threshold", 7),
    ("quantization", "int4"),
    ("outputs", ["boxes"]),
    ("writer", 3),
    ("version", 0),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_damage_in_a_user_s_file_is_told_by_its_key(key, value):
    with pytest.raises(InputError, match=rf"^model\.tflite: its yolov2\.json .*{key}"):
        parse_layout(json.dumps({**OLD, key: value}), "model.tflite")


@pytest.mark.parametrize("key", ["class_names", "anchors", "input_size", "resize", "nms"])
def test_a_missing_key_is_told(key):
    with pytest.raises(InputError, match=f"it has no {key}"):
        parse_layout(json.dumps({k: v for k, v in OLD.items() if k != key}), "model.tflite")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff", "[" * 100_000])
def test_what_is_no_description_is_told(text):
    with pytest.raises(InputError, match=r"its yolov2\.json cannot be used"):
        parse_layout(text, "model.tflite")


def test_a_fault_of_ours_is_no_input_error():
    layout = Layout.from_json(OLD)
    for key, value in (("input_size", -1), ("outputs", PREDICTION_OUTPUTS), ("tree", TREE)):
        changed = {"class_names": ("a", "b"), key: value} if key == "tree" else {key: value}
        with pytest.raises(LayoutError, match=key) as caught:
            dataclasses.replace(layout, **changed)
        assert not isinstance(caught.value, InputError)


def test_a_head_is_described():
    head = types.SimpleNamespace(
        class_names=TREE.names,
        anchors=np.float32([[1, 2]]),
        input_size=96,
        resize="stretch",
        tree=TREE,
    )
    layout = describe(head, nms=False, thresholds=Thresholds(iou=0.6), quantization="fp16")
    written = layout.to_json()
    assert written.pop("writer").startswith("yolov2_tf ")
    assert written == {
        "class_names": ["animal", "dog", "cat"],
        "anchors": [[1.0, 2.0]],
        "input_size": 96,
        "resize": "stretch",
        "nms": False,
        "score_threshold": 0.005,
        "iou_threshold": 0.6,
        "max_detections": 100,
        "per_class": True,
        "tree": {"names": ["animal", "dog", "cat"], "parent": [-1, 0, 0]},
        "tree_threshold": 0.5,
        "quantization": "fp16",
        "outputs": ["boxes", "scores", "labels"],
        "version": VERSION,
    }


@pytest.mark.parametrize(
    ("changes", "wanted", "limits"),
    [
        ({}, (), (0.25, 0.45, 100, 0.5)),
        ({"score_threshold": 0.4}, (), (0.4, 0.45, 100, 0.5)),
        ({"score_threshold": 0.4, "nms": False}, (), (0.25, 0.45, 100, 0.5)),
        ({"iou_threshold": 0.6, "max_detections": 9}, (0.1, None, 5), (0.1, 0.6, 5, 0.5)),
        ({"tree_threshold": None}, (None, 0.3), (0.25, 0.3, 100, 0.5)),
    ],
)
def test_limits_are_those_wanted_or_the_file_s_own(changes, wanted, limits):
    layout = Layout.from_json({**OLD, **changes})
    assert layout.limits(Thresholds(*wanted)) == Thresholds(*limits)


@pytest.mark.parametrize(
    ("image", "changed", "message"),
    [
        ((1, 32, 32, 3), {}, r"its input is \(1, 32, 32, 3\); for input_size 64"),
        ((1, 64, 64, 3), {"location": (1, 9, 4)}, "its output location .*max_detections 100"),
        ((1, 64, 64, 3), {"score": None}, r"has no output score \(expected location, category"),
    ],
)
def test_another_network_than_described_is_refused(image, changed, message):
    layout = Layout.from_json(OLD)
    outputs = {
        "location": (1, 100, 4),
        "category": (1, 100),
        "score": (1, 100),
        "number of detections": (1,),
    }
    layout.check_network((1, 64, 64, 3), outputs, "here")
    outputs = {k: v for k, v in {**outputs, **changed}.items() if v is not None}
    with pytest.raises(InputError, match=message):
        layout.check_network(image, outputs, "here")
