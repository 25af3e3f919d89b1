import numpy as np
import pytest

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.labelled_images import ClassificationDataset
from yolov2_tf.data.labels import map_onto_tree
from yolov2_tf.data.nodes import map_boxes_onto_tree
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import WordTree

TREE = WordTree(["n1", "n2", "n3", "n4"], [-1, 0, 0, 1])
NAMES = ("animal", "big dog", "cat", "hound")


def pets(*class_names):
    boxes = np.array([[0.1, 0.1, 0.5, 0.5]] * 3, np.float32)
    labels = np.array([0, 1, 0], np.int32)
    return Dataset("pets", class_names, [Record(None, "1", boxes, labels, np.zeros(3, bool))])


def test_classes_become_nodes_by_their_names():
    mapped = map_boxes_onto_tree(pets("cat", "Big_Dog"), TREE, NAMES)
    assert mapped.class_names == NAMES
    assert mapped.records[0].labels.tolist() == [2, 1, 2]
    assert mapped.records[0].labels.dtype == np.int32
    mapped = map_boxes_onto_tree(pets("n4", "n1"), TREE)
    assert mapped.class_names == TREE.names
    assert mapped.records[0].labels.tolist() == [3, 0, 3]


def test_classes_that_are_the_nodes_stay():
    dataset = pets(*NAMES)
    assert map_boxes_onto_tree(dataset, TREE, NAMES) is dataset


def test_a_map_says_which_node_a_class_is(tmp_path):
    path = tmp_path / "pets.map"
    path.write_text("3\n0\n")
    mapped = map_boxes_onto_tree(pets("what", "ever"), TREE, class_map=path)
    assert mapped.records[0].labels.tolist() == [3, 0, 3]
    path.write_text("3\n")
    with pytest.raises(InputError, match="1 nodes"):
        map_boxes_onto_tree(pets("what", "ever"), TREE, class_map=path)


def test_a_map_is_advised_only_where_it_is_taken():
    with pytest.raises(InputError) as boxes:
        map_boxes_onto_tree(pets("cat", "eel"), TREE, NAMES)
    with pytest.raises(InputError) as labels:
        map_onto_tree(ClassificationDataset("pets", ("eel",), []), TREE, NAMES)
    assert "--map FILE" in boxes.value.hint
    assert labels.value.hint == "the names that the tree file has"


def test_a_class_without_a_node_is_named():
    with pytest.raises(InputError, match="no single node for 1 of the classes: fish"):
        map_boxes_onto_tree(pets("cat", "fish"), TREE, NAMES)
