"""What a detection that is deeper or less deep than the truth counts for."""

import math

import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.evaluation.hierarchy import by_supervision, of_classes
from yolov2_tf.trees.class_maps import read_class_map
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["animal", "thing", "dog", "cat", "hound", "poodle"], [-1, -1, 0, 0, 2, 2])
ANIMAL, THING, DOG, CAT, HOUND, POODLE = range(6)
BOX = [0.1, 0.1, 0.5, 0.5]
OTHER = [0.6, 0.6, 0.9, 0.9]


def images(*truths, ignore=False):
    """One image per truth, `(label, …)` each with the same box."""
    records = [
        Record(
            image=None,
            image_id=str(i),
            boxes=np.array([BOX] * len(labels), np.float32),
            labels=np.array(labels, np.int32),
            ignore=np.full(len(labels), ignore),
        )
        for i, labels in enumerate(truths)
    ]
    return Dataset("made up", TREE.names, records)


def found(*labels):
    """One image per label, or None for nothing."""
    return [
        {
            "boxes": np.array([BOX] * (label is not None), np.float32).reshape(-1, 4),
            "labels": np.array([label] if label is not None else [], np.int32),
            "scores": np.array([0.9] * (label is not None), np.float32),
        }
        for label in labels
    ]


def average_precisions(dataset, detections):
    return evaluate(dataset, detections, "voc10", tree=TREE).ap


def test_a_deeper_detection_hits_the_truth():
    ap = average_precisions(images([DOG]), found(HOUND))
    assert ap["dog"] == 1
    assert all(math.isnan(ap[name]) for name in ("animal", "hound", "poodle", "cat"))
    assert average_precisions(images([DOG]), found(CAT))["dog"] == 0


def test_a_less_deep_detection_misses_the_truth_and_is_no_error_elsewhere():
    ap = average_precisions(images([HOUND], [HOUND]), found(DOG, HOUND))
    assert ap["hound"] == pytest.approx(0.5)
    assert math.isnan(ap["dog"])


def test_it_hits_the_ancestor_where_that_counts():
    ap = average_precisions(images([HOUND], [DOG]), found(DOG, DOG))
    assert ap["dog"] == 1  # a hound is a dog
    assert ap["hound"] == 0
    assert average_precisions(images([HOUND], [DOG]), found(POODLE, None))["dog"] == 0.5


def test_a_deeper_detection_is_a_false_one_of_its_own_class_where_that_counts():
    both = average_precisions(images([HOUND], [DOG]), found(HOUND, HOUND))
    assert both["dog"] == 1
    assert both["hound"] == 1  # its true one ranks first; the second costs no recall
    only = average_precisions(images([DOG], [HOUND]), found(HOUND, None))
    assert (only["dog"], only["hound"]) == (0.5, 0)


def test_ignored_truths_label_nothing():
    ap = average_precisions(images([DOG], ignore=True), found(DOG))
    assert all(math.isnan(value) for value in ap.values())


def test_leaves_alone_are_scored_as_without_a_tree():
    rng = np.random.default_rng(0)
    leaves = TREE.leaves
    dataset = images(*([leaves[rng.integers(4)]] for _ in range(30)))
    detections = found(*(leaves[rng.integers(4)] for _ in range(30)))
    for one in detections:
        one["scores"] = rng.uniform(0, 1, 1)
    with_tree = evaluate(dataset, detections, "voc07", tree=TREE)
    without = evaluate(dataset, detections, "voc07")
    assert with_tree.map == without.map
    assert 0 < with_tree.map < 1


# === Scores of every node, and means apart ===


def test_scored_as_every_node_a_detection_stands_for_its_own_alone():
    """What is called a hound is no dog unless it was scored as one; truths have their ancestors."""
    dataset = images([HOUND], [DOG])
    hounds = found(HOUND, HOUND)
    by_label = evaluate(dataset, hounds, "voc10", tree=TREE).ap
    alone = evaluate(dataset, hounds, "voc10", tree=TREE, every_node=True).ap
    assert (by_label["dog"], alone["dog"]) == (1, 0)
    assert by_label["hound"] == alone["hound"] > 0
    both = [
        {key: np.concatenate([a[key], b[key]]) for key in a}
        for a, b in zip(found(HOUND, HOUND), found(DOG, DOG), strict=True)
    ]
    assert evaluate(dataset, both, "voc10", tree=TREE, every_node=True).ap["dog"] == 1


def test_means_are_told_apart_by_how_classes_were_taught():
    ap = [0.5, math.nan, 0.9, 0.1, 0.7, 0.3]
    groups = by_supervision(ap, TREE, [DOG])
    assert groups == {
        "boxes": (0.9, 1),
        "below one with boxes": (pytest.approx(0.5), 2),
        "never a box": (pytest.approx(0.3), 2),
    }
    assert by_supervision(ap, TREE, []) == {"never a box": (pytest.approx(0.5), 5)}


def test_the_papers_classes_of_imagenet_detection(shared_data):
    """200 classes, 38 of them with a node of COCO's and 18 below one: the paper says 44 and 156."""
    folder = shared_data / "darknet"
    tree = WordTree.read(folder / "9k.tree")
    classes = read_class_map(folder / "inet9k.map", tree)
    ap = np.full(len(tree), math.nan)
    ap[classes] = 1.0
    groups = by_supervision(ap, tree, read_class_map(folder / "coco9k.map", tree))
    assert [count for _, count in groups.values()] == [38, 18, 144]


def test_nodes_become_the_classes_of_who_knows_no_tree():
    """Every detection counts as a node, and as the class of a node above; two share the cat."""
    classes = {"pet": DOG, "cat": CAT, "tabby": CAT, "object": THING}
    detections = found(HOUND, CAT, ANIMAL, None)
    dataset, named = of_classes(images([DOG]), detections, TREE, classes)
    assert dataset.class_names == ("pet", "cat", "tabby", "object")
    assert [one["labels"].tolist() for one in named] == [[0], [1, 2], [], []]
    assert named[1]["boxes"].tolist() == [detections[1]["boxes"][0].tolist()] * 2
    assert named[0]["scores"].tolist() == detections[0]["scores"].tolist()
    _, named = of_classes(images([DOG]), detections, TREE, classes, every_node=True)
    assert [one["labels"].tolist() for one in named] == [[], [1, 2], [], []]
