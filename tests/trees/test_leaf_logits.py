"""Logits of a tree's nodes from those of its leaves against sums of one softmax."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_trees import make_tree

from yolov2_tf.trees.group_softmax import (
    absolute_probabilities,
    descend,
    group_softmax,
    path_cross_entropy,
)
from yolov2_tf.trees.leaf_logits import node_logits
from yolov2_tf.trees.wordtree import WordTree


def sums_of_leaves(logits, tree):
    """Pr(node) by one softmax over the leaves, `(rows, nodes)`, in plain loops."""
    leaves = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float64)
    leaves /= leaves.sum(axis=-1, keepdims=True)
    result = np.zeros((len(logits), len(tree)))
    for place, node in enumerate(tree.leaves):
        while node >= 0:
            result[:, node] += leaves[:, place]
            node = tree.parent[node]
    return result


@given(st.integers(0, 10**6), st.integers(1, 80), st.integers(1, 30), st.sampled_from([1, 8]))
@settings(max_examples=40, deadline=None)
def test_probabilities_are_sums_over_the_leaves_below(seed, nodes, widest, scale):
    rng = np.random.default_rng(seed)
    tree = make_tree(rng, nodes, widest)
    logits = rng.normal(scale=scale, size=(3, len(tree.leaves))).astype(np.float32)
    found = node_logits(tf.constant(logits), tree)
    assert found.shape == (3, len(tree))
    np.testing.assert_array_equal(tf.gather(found, tree.leaves, axis=1), logits)
    probabilities = absolute_probabilities(group_softmax(found, tree), tree)
    np.testing.assert_allclose(probabilities, sums_of_leaves(logits, tree), atol=1e-5)


def test_the_loss_of_any_node_is_that_of_the_leaves_below_it():
    rng = np.random.default_rng(0)
    tree = make_tree(rng, 60, 7)
    logits = rng.normal(scale=3, size=(60, len(tree.leaves))).astype(np.float32)
    labels = np.arange(60)
    found = path_cross_entropy(node_logits(logits, tree), labels, tree)
    expected = -np.log(sums_of_leaves(logits, tree)[labels, labels])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_what_is_far_below_the_likeliest_leaf_stays_finite():
    tree = WordTree(["a", "b", "c", "d"], [-1, -1, 0, 0])
    logits = tf.Variable([[500.0, -500.0, -501.0]])  # b, c, d
    with tf.GradientTape() as tape:
        loss = path_cross_entropy(node_logits(logits, tree), [2], tree)
    assert np.isfinite(loss)
    assert np.isfinite(tape.gradient(loss, logits)).all()


def test_a_tree_of_one_group_keeps_its_logits():
    tree = WordTree(["a", "b"], [-1, -1])
    logits = tf.constant([[1.0, 2.0]])
    np.testing.assert_array_equal(node_logits(logits, tree), logits)


@pytest.mark.parametrize("leading", [(), (2,), (2, 3, 4)])
def test_axes_before_the_leaves_stay(leading):
    tree = WordTree(["a", "b", "c", "d"], [-1, -1, 0, 0])
    logits = np.random.default_rng(0).normal(size=(*leading, 3)).astype(np.float32)
    found = node_logits(tf.constant(logits), tree)
    assert found.shape == (*leading, 4)
    flat = node_logits(tf.constant(logits.reshape(-1, 3)), tree)
    np.testing.assert_array_equal(tf.reshape(found, [-1, 4]), flat)


def test_walking_down_reaches_the_likeliest_child():
    tree = WordTree(["animal", "thing", "dog", "cat"], [-1, -1, 0, 0])
    # One thing is likelier than each animal, but not than both: the answer is an animal.
    logits = np.log([[0.4, 0.35, 0.25]]).astype(np.float32)  # thing, dog, cat
    node, probability = descend(node_logits(logits, tree), tree, 0.5, from_logits=True)
    assert tree.names[int(node[0])] == "animal"
    np.testing.assert_allclose(probability, 0.6, rtol=1e-5)
