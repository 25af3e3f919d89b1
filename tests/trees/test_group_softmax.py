"""Probabilities on trees against slow references in NumPy."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_trees import make_tree, slow_absolute, slow_descend, slow_gradient, slow_softmax

from yolov2_tf.trees import group_softmax as module
from yolov2_tf.trees.group_softmax import (
    absolute_probabilities,
    descend,
    group_softmax,
    path_cross_entropy,
)
from yolov2_tf.trees.wordtree import WordTree

FRACTIONS = st.floats(0, 1, width=32)
TREE = make_tree(np.random.default_rng(0), 60, 7)


# === Group softmax ===


@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_group_softmax_equals_the_reference(seed, nodes, widest):
    rng = np.random.default_rng(seed)
    tree = make_tree(rng, nodes, widest)
    logits = rng.normal(scale=rng.choice([1, 30, 1000]), size=(3, nodes)).astype(np.float32)
    found = group_softmax(tf.constant(logits), tree).numpy()
    np.testing.assert_allclose(found, slow_softmax(logits, tree), atol=2e-6)
    sums = np.add.reduceat(found, tree.group_offset, axis=-1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_a_group_far_below_the_others_keeps_its_softmax():
    logits = np.zeros((1, 60), np.float32)
    logits[:, TREE.group == 3] = -1e30
    found = group_softmax(tf.constant(logits), TREE).numpy()
    np.testing.assert_allclose(found[0], 1 / TREE.group_size[TREE.group], rtol=1e-6)


@pytest.mark.parametrize("shift", [-1e4, -90, -42, -40, 0, 60, 90, 1e4])
def test_shifting_a_group_changes_nothing(shift):
    logits = np.random.default_rng(8).normal(size=(3, 60)).astype(np.float32)
    reference = slow_softmax(logits, TREE)
    logits[1, TREE.group == 2] += np.float32(shift)
    found = group_softmax(tf.constant(logits), TREE).numpy()
    np.testing.assert_allclose(found, reference, rtol=1e-3 if abs(shift) > 100 else 2e-5)


def test_a_logit_that_is_no_number_spoils_its_group_alone():
    logits = np.random.default_rng(9).normal(size=(3, 60)).astype(np.float32)
    expected = slow_softmax(logits, TREE)
    own = TREE.group == TREE.group[20]
    for bad in (np.nan, np.inf):
        logits[1, 20] = bad
        found = group_softmax(tf.constant(logits), TREE).numpy()
        assert np.isnan(found[1, 20])
        np.testing.assert_allclose(found[1, ~own], expected[1, ~own], atol=1e-6)
        np.testing.assert_allclose(found[[0, 2]], expected[[0, 2]], atol=1e-6)
    logits[1, own] = np.where(np.flatnonzero(own) == 20, 5, -np.inf)
    found = group_softmax(tf.constant(logits), TREE).numpy()
    np.testing.assert_array_equal(found[1, own], np.flatnonzero(own) == 20)


@pytest.mark.parametrize("numbers", [1, 180, 10**6])
@pytest.mark.parametrize("scale", [1, 1000])
def test_chunks_of_any_size_make_no_difference(monkeypatch, numbers, scale):
    """Chunks of one row, of three, and one for all; scale 1000 cannot do without the maximum."""
    monkeypatch.setattr(module, "CHUNK", numbers)

    @tf.function(input_signature=[tf.TensorSpec([None, 60]), tf.TensorSpec([None, 60])])
    def graph(logits, upstream):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            found = group_softmax(logits, TREE)
        return found, tape.gradient(found, logits, upstream)

    for rows in (0, 1, 2, 3, 4, 7, 9):
        rng = np.random.default_rng(rows)
        logits = rng.normal(scale=scale, size=(rows, 60)).astype(np.float32)
        logits[rows // 2 :] /= scale  # some chunks are tame
        upstream = rng.normal(size=(rows, 60)).astype(np.float32)
        found, gradient = graph(logits, upstream)
        p = slow_softmax(logits, TREE)
        np.testing.assert_allclose(found, p, atol=2e-6)
        np.testing.assert_allclose(gradient, slow_gradient(p, upstream, TREE), atol=1e-5)
        np.testing.assert_allclose(group_softmax(tf.constant(logits), TREE), p, atol=2e-6)


def test_one_group_is_the_plain_softmax():
    logits = tf.random.stateless_normal([4, 9], seed=(0, 1))
    flat = WordTree([f"c{i}" for i in range(9)], [-1] * 9)
    np.testing.assert_allclose(group_softmax(logits, flat), tf.nn.softmax(logits), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_types(dtype):
    rng = np.random.default_rng(1)
    wide = make_tree(rng, 400, 149)
    logits = tf.cast(rng.normal(size=(5, 400)), dtype)
    found = group_softmax(logits, wide)
    assert found.dtype == dtype
    reference = slow_softmax(tf.cast(logits, tf.float64).numpy(), wide)
    # One rounding at the end, none in the sums: half a unit in the last place.
    relative = {"bfloat16": 2**-8, "float16": 2**-10, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(tf.cast(found, tf.float64), reference, rtol=relative)


def test_gradient_equals_the_formula():
    rng = np.random.default_rng(2)
    logits, upstream = rng.normal(size=(2, 4, 60))
    with tf.GradientTape() as tape:
        inputs = tf.constant(logits)
        tape.watch(inputs)
        loss = tf.reduce_sum(group_softmax(inputs, TREE) * upstream)
    expected = slow_gradient(slow_softmax(logits, TREE), upstream, TREE)
    np.testing.assert_allclose(tape.gradient(loss, inputs), expected, atol=1e-12)


def test_second_derivatives():
    """Of a sum that every group takes part in, along one direction, against a difference."""
    tree = make_tree(np.random.default_rng(10), 8, 3)
    logits, direction = np.random.default_rng(11).normal(size=(2, 2, 8))

    def slope(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            total = tf.reduce_sum(group_softmax(logits, tree) ** 2)
        return tape.gradient(total, logits)

    inputs = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        first = slope(inputs)
    step = 1e-5 * direction
    difference = slope(tf.constant(logits + step)) - slope(tf.constant(logits - step))
    np.testing.assert_allclose(
        tape.gradient(first, inputs, direction), difference / 2e-5, atol=1e-8
    )


def test_one_graph_serves_any_number_of_rows():
    @tf.function(input_signature=[tf.TensorSpec([None, None, 3, 60])])
    def graph(logits):
        conditional = group_softmax(logits, TREE)
        assert conditional.shape.as_list() == [None, None, 3, 60]
        node, _ = descend(conditional, TREE)
        assert node.shape.rank == 3
        return absolute_probabilities(conditional, TREE)

    for shape in [(1, 2, 3, 60), (4, 1, 3, 60), (0, 5, 3, 60)]:
        logits = np.random.default_rng(3).normal(size=shape).astype(np.float32)
        expected = slow_absolute(slow_softmax(logits, TREE), TREE)
        np.testing.assert_allclose(graph(logits), expected, atol=1e-6)


def test_xla_compiles_it():
    tree = make_tree(np.random.default_rng(4), 12, 3)
    logits = tf.random.stateless_normal([3, 12], seed=(0, 4))

    @tf.function(jit_compile=True)
    def graph(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            conditional = group_softmax(logits, tree)
        gradient = tape.gradient(conditional, logits, logits)
        absolute = absolute_probabilities(conditional, tree)
        return absolute, descend(conditional, tree)[0], gradient

    conditional = group_softmax(logits, tree)
    absolute, node, gradient = graph(logits)
    expected = slow_gradient(conditional.numpy(), logits.numpy(), tree)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)
    np.testing.assert_allclose(absolute, absolute_probabilities(conditional, tree), atol=1e-6)
    np.testing.assert_array_equal(node, descend(conditional, tree)[0])


# === Absolute probabilities ===


@given(st.integers(0, 10**6), st.integers(1, 80))
@settings(max_examples=25, deadline=None)
def test_absolute_probabilities(seed, nodes):
    rng = np.random.default_rng(seed)
    tree = make_tree(rng, nodes, 5)
    conditional = slow_softmax(rng.normal(size=(2, nodes)), tree)
    found = absolute_probabilities(tf.constant(conditional), tree).numpy()
    np.testing.assert_allclose(found, slow_absolute(conditional, tree), rtol=1e-12)
    np.testing.assert_allclose(found[:, tree.leaves].sum(axis=-1), 1, rtol=1e-9)


# === Descent ===


@given(st.integers(0, 10**6), st.integers(1, 80), FRACTIONS, FRACTIONS)
@settings(max_examples=15, deadline=None)
def test_descent(seed, nodes, threshold, root):
    rng = np.random.default_rng(seed)
    tree = make_tree(rng, nodes, 5)
    logits = tf.constant(rng.normal(scale=3, size=(2, 3, nodes)))
    conditional = group_softmax(logits, tree).numpy()
    node, probability = descend(conditional, tree, threshold, root=root)
    again, _ = descend(logits, tree, threshold, root=root, from_logits=True)
    np.testing.assert_array_equal(node, again)
    for place in np.ndindex(2, 3):
        expected = slow_descend(conditional[place], tree, threshold, root)
        assert node[place] == expected[0]
        assert probability[place].numpy() == pytest.approx(expected[1], rel=1e-9)


def test_descent_stops_where_the_probability_falls_to_the_threshold():
    tree = WordTree(["animal", "thing", "dog", "cat", "hound"], [-1, -1, 0, 0, 2])
    conditional = tf.constant([0.8, 0.2, 0.75, 0.25, 1.0])
    for threshold, expected in [(0.5, (4, 0.6)), (0.7, (0, 0.8)), (0.9, (-1, 1.0))]:
        node, probability = descend(conditional, tree, threshold)
        assert (int(node), float(probability)) == (expected[0], pytest.approx(expected[1]))
    objectness = tf.constant([0.5, 1.0])
    node, probability = descend(tf.stack([conditional] * 2), tree, 0.5, root=objectness)
    assert node.numpy().tolist() == [-1, 4]
    np.testing.assert_allclose(probability, [0.5, 0.6])


# === Loss ===


@given(st.integers(0, 10**6), st.integers(1, 80))
@settings(max_examples=25, deadline=None)
def test_loss_is_minus_the_log_of_the_absolute_probability(seed, nodes):
    rng = np.random.default_rng(seed)
    tree = make_tree(rng, nodes, 9)
    logits = rng.normal(scale=3, size=(2, 5, nodes))
    labels = rng.integers(-1, nodes, (2, 5))
    absolute = slow_absolute(slow_softmax(logits, tree), tree)
    expected = -np.log(np.take_along_axis(absolute, np.maximum(labels, 0)[..., None], -1))[..., 0]
    found = path_cross_entropy(tf.constant(logits), tf.constant(labels), tree)
    np.testing.assert_allclose(found, np.where(labels < 0, 0, expected), rtol=1e-9, atol=1e-12)


def test_gradient_of_the_loss_touches_the_groups_on_the_path_alone():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(4, 60)).astype(np.float32)
    deepest = int(TREE.depth.argmax())
    labels = tf.constant([deepest, 0, int(TREE.leaves[0]), -1])
    with tf.GradientTape() as tape:
        inputs = tf.constant(logits)
        tape.watch(inputs)
        loss = path_cross_entropy(inputs, labels, TREE)
    gradient = tape.gradient(loss, inputs).numpy()
    # As in Darknet's delta_region_class: probability minus target in each group on the path.
    expected = np.zeros((4, 60))
    p = slow_softmax(logits, TREE)
    for row, label in enumerate(labels.numpy()):
        for node in TREE.paths[label][TREE.paths[label] >= 0] if label >= 0 else ():
            group = TREE.group == TREE.group[node]
            expected[row, group] = p[row, group] - (np.flatnonzero(group) == node)
    np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_half_types_keep_the_loss_exact():
    logits = tf.cast(tf.random.stateless_normal([6, 60], seed=(1, 2)), tf.bfloat16)
    labels = tf.range(6) * 10
    found = path_cross_entropy(logits, labels, TREE)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, path_cross_entropy(tf.cast(logits, tf.float32), labels, TREE))


def test_loss_under_mixed_graph_shapes():
    @tf.function(
        input_signature=[tf.TensorSpec([None, None, 60]), tf.TensorSpec([None, None], tf.int32)]
    )
    def graph(logits, labels):
        return path_cross_entropy(logits, labels, TREE)

    assert graph(np.zeros((2, 3, 60), np.float32), np.zeros((2, 3), np.int32)).shape == (2, 3)
    assert graph(np.zeros((2, 0, 60), np.float32), np.zeros((2, 0), np.int32)).shape == (2, 0)


# === 9k.tree ===


def test_9k_tree(shared_data):
    tree = WordTree.read(shared_data / "darknet" / "9k.tree")
    logits = np.random.default_rng(7).normal(scale=3, size=(2, len(tree))).astype(np.float32)
    conditional = group_softmax(tf.constant(logits), tree)
    reference = slow_softmax(logits, tree)
    np.testing.assert_allclose(conditional, reference, atol=1e-6)
    absolute = absolute_probabilities(conditional, tree)
    np.testing.assert_allclose(absolute, slow_absolute(reference, tree), atol=1e-6)
    node, probability = descend(logits, tree, 0.05, from_logits=True)
    for row in range(2):
        expected = slow_descend(reference[row], tree, 0.05, 1.0)
        assert (int(node[row]), float(probability[row])) == (
            expected[0],
            pytest.approx(expected[1], rel=1e-4),
        )
