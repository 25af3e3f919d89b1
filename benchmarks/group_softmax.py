"""Times the operations on a label tree beside a plain softmax of the same size, in one run.

    python benchmarks/group_softmax.py ../shared/data/darknet/9k.tree

Prints milliseconds per call (median and smallest of `--repeats`, the operations taking turns, so
that a busy machine slows all of them) and how many plain softmaxes each one costs.
"""

import argparse
import time

import numpy as np
import tensorflow as tf

from yolov2_tf.trees.group_softmax import (
    absolute_probabilities,
    descend,
    group_softmax,
    path_cross_entropy,
)
from yolov2_tf.trees.wordtree import WordTree


def operations(tree, rows, truths):
    """`{name: graph}` of what is timed, all on logits `(rows, nodes)`."""
    rng = np.random.default_rng(0)
    upstream = tf.constant(rng.normal(size=(rows, len(tree))).astype(np.float32))
    labels = tf.constant(rng.integers(len(tree), size=truths).astype(np.int32))

    def with_gradient(function):
        def graph(logits):
            with tf.GradientTape() as tape:
                tape.watch(logits)
                result = function(logits)
            return tape.gradient(result, logits, upstream)

        return graph

    def loss_with_gradient(logits):
        logits = logits[:truths]
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = path_cross_entropy(logits, labels, tree)
        return tape.gradient(loss, logits)

    def softmax_over_groups(logits):
        return group_softmax(logits, tree)

    graphs = {
        "plain softmax": tf.nn.softmax,
        "group softmax": softmax_over_groups,
        "plain softmax, forward and backward": with_gradient(tf.nn.softmax),
        "group softmax, forward and backward": with_gradient(softmax_over_groups),
        "absolute probabilities": lambda logits: absolute_probabilities(logits, tree),
        "descent from logits": lambda logits: descend(logits, tree, from_logits=True),
        f"class loss of {truths} boxes, forward and backward": loss_with_gradient,
    }
    return {name: tf.function(graph) for name, graph in graphs.items()}


def time_in_turns(graphs, logits, repeats):
    """`{name: (repeats,) ms}`; two more rounds first, for tracing and warm caches."""
    times = {name: [] for name in graphs}
    for _ in range(repeats + 2):
        for name, graph in graphs.items():
            start = time.perf_counter()
            result = graph(logits)
            times[name].append(1e3 * (time.perf_counter() - start))
            del result  # gives its memory back outside the clock
    return {name: np.array(taken[2:]) for name, taken in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tree", help="tree file, e.g. 9k.tree")
    parser.add_argument("--rows", type=int, default=845, help="predictions; 13 · 13 · 5")
    parser.add_argument("--truths", type=int, default=200, help="boxes in the class loss")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args()

    tree = WordTree.read(options.tree)
    logits = np.random.default_rng(1).normal(scale=3, size=(options.rows, len(tree)))
    graphs = operations(tree, options.rows, options.truths)
    times = time_in_turns(graphs, tf.constant(logits, tf.float32), options.repeats)

    threads = tf.config.threading.get_intra_op_parallelism_threads() or "all"
    print(f"{tree!r} × {options.rows} predictions, float32, {threads} threads")
    print(f"{'':52}{'median ms':>11}{'smallest ms':>13}{'× plain':>9}")
    plain = np.median(times["plain softmax"])
    for name, taken in times.items():
        median = np.median(taken)
        print(f"{name:52}{median:11.1f}{taken.min():13.1f}{median / plain:9.2f}")


if __name__ == "__main__":
    main()
