"""Label trees: the numbers that follow from the file, faults in files, classes onto nodes."""

import contextlib
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutated_inputs import check_thousands, mutated, open_all

from yolov2_tf.errors import InputError
from yolov2_tf.trees.class_maps import match_classes, read_class_map, read_node_names
from yolov2_tf.trees.wordtree import WordTree, as_tree, read_lines

ANIMALS = "animal -1\nthing -1\ndog 0\ncat 0\nbird 0\ncar 1\nterrier 2\nhound 2\n"


@pytest.fixture
def animals(tmp_path):
    path = tmp_path / "animals.tree"
    path.write_text(ANIMALS)
    return WordTree.read(path)


@pytest.fixture(scope="module")
def tree_9k(shared_data):
    return WordTree.read(shared_data / "darknet" / "9k.tree")


@st.composite
def trees(draw):
    """Trees of 1 to 60 nodes: each node in turn gets children, breadth first."""
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=20))
    parent = [-1] * draw(st.integers(1, 4))
    for node, size in enumerate(sizes):
        if node < len(parent):
            parent.extend([node] * size)
    return WordTree([f"n{i}" for i in range(len(parent))], parent)


# === The tree ===


def test_attributes_of_a_small_tree(animals):
    assert len(animals) == 8
    assert animals.names[2] == "dog"
    assert animals.parent.tolist() == [-1, -1, 0, 0, 0, 1, 2, 2]
    assert animals.depth.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert animals.group.tolist() == [0, 0, 1, 1, 1, 2, 3, 3]
    assert animals.group_offset.tolist() == [0, 2, 5, 6]
    assert animals.group_size.tolist() == [2, 3, 1, 2]
    assert animals.child_group.tolist() == [1, 2, 3, -1, -1, -1, -1, -1]
    assert animals.leaves.tolist() == [3, 4, 5, 6, 7]
    assert animals.paths[7].tolist() == [0, 2, 7]
    assert animals.paths[5].tolist() == [1, 5, -1]
    assert list(animals.children(-1)) == [0, 1]
    assert list(animals.children(0)) == [2, 3, 4]
    assert list(animals.children(7)) == []


@given(trees())
def test_attributes_agree_with_the_parents(tree):
    for node, up in enumerate(tree.parent):
        assert node in tree.children(up)
        chain = [node]
        while tree.parent[chain[0]] >= 0:
            chain.insert(0, tree.parent[chain[0]])
        assert tree.depth[node] == len(chain) - 1
        assert [i for i in tree.paths[node] if i >= 0] == chain
        assert (len(tree.children(node)) == 0) == (node in tree.leaves)
        first = tree.group_offset[tree.group[node]]
        siblings = range(first, first + tree.group_size[tree.group[node]])
        assert [i for i, other in enumerate(tree.parent) if other == up] == list(siblings)


@given(trees())
def test_config_round_trip(tree):
    assert WordTree.from_config(tree.to_config()) == tree


def test_a_path_is_no_tree(animals):
    assert as_tree(None) is None
    assert as_tree(animals) is animals
    for wrong in ("9k.tree", ["animal"], 3):
        with pytest.raises(InputError, match=r"tree is .*WordTree\.read\(path\)"):
            as_tree(wrong)


def test_file_round_trip(animals, tmp_path):
    animals.write(tmp_path / "copy.tree")
    assert (tmp_path / "copy.tree").read_text() == ANIMALS
    assert WordTree.read(tmp_path / "copy.tree") == animals
    assert WordTree(animals.names, [-1] * 8) != animals


def test_a_tree_cannot_be_changed(animals):
    with pytest.raises(ValueError, match="read-only"):
        animals.parent[0] = 3


def test_windows_files_are_read(tmp_path):
    path = tmp_path / "windows.tree"
    path.write_bytes(b"\xef\xbb\xbf" + ANIMALS.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    assert WordTree.read(path).names[0] == "animal"


def test_9k_tree(tree_9k, shared_data):
    assert len(tree_9k) == 9418
    assert len(tree_9k.group_size) == 1846
    assert len(tree_9k.children(-1)) == 4
    assert tree_9k.group_size.max() == 149
    assert tree_9k.names == read_node_names(shared_data / "darknet" / "9k.labels", tree_9k)


def test_the_tree_needs_no_tensorflow():
    code = "import sys, yolov2_tf.trees.wordtree, yolov2_tf.trees.wordnet;"
    code += "print('tensorflow' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False"


# === Faults ===


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a -1\nb\n", 2, "not a node of a tree: 'b'"),
        ("a -1\nb 0 0\n", 2, "not a node"),
        ("a -1\n\nb 0\n", 2, "not a node"),
        ("a -1\nb zero\n", 2, "not a node"),
        ("a -1\nb 0.0\n", 2, "not a node"),
        ("a -1\nb 99999999999999999999\n", 2, "not a node"),
        ("a -1\nb 2\n", 2, "parent 2 of b is out of range"),
        ("a -1\nb -2\n", 2, "parent -2 of b is out of range"),
        ("a -1\nb 2\nc 0\n", 2, "b stands before its parent c"),
        ("a 0\n", 1, "a circle of parents: a -> a"),
        ("a -1\nb 3\nc 1\nd 2\n", 2, "a circle of parents: b -> d -> c -> b"),
        ("a -1\nb 2\nc 3\nd 2\n", 3, "a circle of parents: c -> d -> c"),
        ("a -1\nb 0\na 0\n", 3, "a is there twice"),
        ("a -1\nb -1\nc 0\nd 1\ne 0\n", 5, "e stands apart from the other children of a"),
        ("a -1\nb 0\nc -1\n", 3, "c stands apart from the other children of the root"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, content, line, message):
    path = tmp_path / "bad.tree"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        WordTree.read(path)
    assert caught.value.where == f"{path}:{line}"
    assert message in caught.value.what


def test_unreadable_files(tmp_path):
    path = tmp_path / "bad.tree"
    with pytest.raises(InputError, match="No such file"):
        WordTree.read(path)
    with pytest.raises(InputError, match="directory"):
        WordTree.read(tmp_path)
    path.write_bytes(b"a -1\nb\xff 0\n")
    with pytest.raises(InputError, match=r"bad\.tree:2: not UTF-8"):
        WordTree.read(path)
    path.write_bytes(b" \n\n")
    with pytest.raises(InputError, match="empty"):
        WordTree.read(path)


@given(st.binary(max_size=60) | st.text("ab01-\n \t", max_size=60).map(str.encode))
def test_any_file_is_a_tree_or_an_input_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("tree") / "any.tree"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        tree = WordTree.read(path)
        assert (tree.parent < np.arange(len(tree))).all()


@pytest.mark.parametrize("name", ["", "two words", "a\n"])
def test_names_that_a_file_cannot_hold(name):
    with pytest.raises(InputError, match="node 0"):
        WordTree([name], [-1])


def test_a_long_wrong_chain_is_refused_quickly(tmp_path):
    path = tmp_path / "chain.tree"
    path.write_text("".join(f"n{i} {i + 1}\n" for i in range(100_000)) + "last -1\n")
    with pytest.raises(InputError, match=r"chain\.tree:1: n0 stands before its parent n1"):
        WordTree.read(path)


# === Classes onto nodes ===


def test_names_of_the_nodes(animals, tmp_path):
    path = tmp_path / "animals.names"
    path.write_text("an animal\na thing\n")
    with pytest.raises(InputError, match=r"2 names .*expected 8"):
        read_node_names(path, animals)


def test_class_map_file(animals, tmp_path):
    path = tmp_path / "classes.map"
    path.write_text("5\n2\n2\n")
    assert read_class_map(path, animals).tolist() == [5, 2, 2]
    with pytest.raises(InputError, match=r"3 nodes .*expected 2"):
        read_class_map(path, animals, ["car", "dog"])
    for line in ("8", "-1", "dog", ""):
        path.write_text(f"5\n{line}\n1\n")
        with pytest.raises(InputError, match=r"classes.map:2: .*expected 0 to 7"):
            read_class_map(path, animals)


def test_published_maps(tree_9k, shared_data):
    folder = shared_data / "darknet"
    labels = read_node_names(folder / "9k.names", tree_9k)
    coco = read_lines(folder / "coco.names")
    nodes = read_class_map(folder / "coco9k.map", tree_9k, coco)
    assert [labels[node] for node in nodes[:3]] == ["person", "bicycle", "car"]
    assert len(read_class_map(folder / "inet9k.map", tree_9k)) == 200
    same = [i for i, name in enumerate(coco) if labels[nodes[i]] == name]
    unique = [i for i in same if labels.count(coco[i]) == 1]
    assert len(unique) > 30
    found = match_classes([coco[i] for i in unique], tree_9k, labels)
    np.testing.assert_array_equal(found, nodes[unique])


def test_match_by_the_trees_or_other_names(animals):
    labels = ["Animal", "Thing", "domestic dog", "cat", "bird", "car", "same", "same"]
    found = match_classes(["car", "Domestic_Dog", "terrier"], animals, labels)
    assert found.tolist() == [5, 2, 6]
    assert found.dtype == np.int32
    with pytest.raises(InputError, match=r"2 of the classes: ship, same \(could be terrier and h"):
        match_classes(["car", "ship", "same"], animals, labels)


def test_a_chain_is_refused_before_it_takes_memory(tmp_path):
    """Paths take nodes × levels: a chain of 34,000 nodes, 237 kB, would take 4.6 GB."""
    path = tmp_path / "chain.tree"
    path.write_text("".join(f"n{i} {i - 1}\n" for i in range(34_000)))
    with pytest.raises(InputError, match=r"chain\.tree:101: n100 lies 101 levels deep"):
        WordTree.read(path)
    allowed = WordTree([f"n{i}" for i in range(100)], range(-1, 99))
    assert allowed.paths.shape == (100, 100)


def mutate(folder, times):
    source, path = random.Random("tree"), folder / "a.tree"
    nodes = "".join(f"n{i:08d} {max(i // 3 - 1, -1)}\n" for i in range(60)).encode()

    def opening():
        tree = WordTree.read(path)
        assert tree.paths.shape[0] == len(tree)

    return open_all(lambda _: path.write_bytes(mutated(nodes, source)), opening, times)


def test_a_few_mutated_trees(tmp_path):
    assert 0 < mutate(tmp_path, 100).opened < 100


@pytest.mark.slow
def test_ten_thousand_mutated_trees(tmp_path):
    check_thousands("trees", mutate(tmp_path, 10_000))
