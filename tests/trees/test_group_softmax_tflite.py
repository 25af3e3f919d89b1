"""Probabilities on trees in a `.tflite` file of built-in operators, against slow references."""

import functools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from slow_trees import make_tree, slow_absolute, slow_descend, slow_softmax

from yolov2_tf.trees.group_softmax import absolute_probabilities, descend, group_softmax

TREE = make_tree(np.random.default_rng(0), 60, 7)


@functools.cache
def tflite_file():
    module = tf.Module()  # without one the file has no signature

    @tf.function(input_signature=[tf.TensorSpec([1, 20, 60])])
    def graph(logits):
        conditional = group_softmax(logits, TREE)
        node, probability = descend(logits, TREE, 0.3, from_logits=True)
        return {
            "conditional": conditional,
            "absolute": absolute_probabilities(conditional, TREE),
            "node": node,
            "probability": probability,
        }

    module.graph = graph
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [graph.get_concrete_function()], module
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


RUN_TFLITE = """
import importlib, sys
import numpy as np
interpreter = importlib.import_module(sys.argv[1] + ".interpreter").Interpreter(sys.argv[2])
for detail in interpreter.get_tensor_details():
    assert len(detail["shape"]) <= 4, detail["name"]
np.savez(sys.argv[4], **interpreter.get_signature_runner()(logits=np.load(sys.argv[3])))
"""


@pytest.mark.parametrize("runtime", ["ai_edge_litert", "tflite_runtime"])
def test_tflite_built_ins_give_the_same(runtime, tmp_path):
    pytest.importorskip(runtime, reason=f"{runtime} is not installed")
    logits = np.random.default_rng(6).normal(scale=3, size=(1, 20, 60)).astype(np.float32)
    (tmp_path / "graph.tflite").write_bytes(tflite_file())
    np.save(tmp_path / "logits.npy", logits)
    # A process of its own: tflite_runtime cannot share one with TensorFlow.
    files = [tmp_path / name for name in ("graph.tflite", "logits.npy", "found.npz")]
    subprocess.run([sys.executable, "-c", RUN_TFLITE, runtime, *map(str, files)], check=True)
    found = np.load(tmp_path / "found.npz")

    conditional = slow_softmax(logits, TREE)
    np.testing.assert_allclose(found["conditional"], conditional, atol=1e-6)
    np.testing.assert_allclose(found["absolute"], slow_absolute(conditional, TREE), atol=1e-6)
    expected = [slow_descend(row, TREE, 0.3, 1.0) for row in conditional[0]]
    assert found["node"][0].tolist() == [node for node, _ in expected]
    np.testing.assert_allclose(found["probability"][0], [p for _, p in expected], rtol=1e-5)
