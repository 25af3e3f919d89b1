"""Files whose operators TFLite's GPU delegate takes."""

import pytest
import tensorflow as tf

from gpu_slices import assert_slices_keep_their_axes
from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

# What TFLite's GPU delegate takes (tensorflow/lite/delegates/gpu/common/model_builder.cc), as far
# as detectors use it.
GPU_OPERATORS = {
    "ADD",
    "CONCATENATION",
    "CONV_2D",
    "EXP",
    "LEAKY_RELU",
    "LOGISTIC",
    "MAXIMUM",
    "MAX_POOL_2D",
    "MINIMUM",
    "MUL",
    "RELU",
    "RESHAPE",
    "SOFTMAX",
    "SPACE_TO_DEPTH",
    "STRIDED_SLICE",
    "SUB",
}


# What walks down a label tree behind the decoding; a delegate may leave it to the CPU.
TREE_OPERATORS = {
    "ARG_MAX",
    "GATHER",
    "GREATER",
    "GREATER_EQUAL",
    "LOGICAL_AND",
    "REDUCE_MAX",
    "SELECT",
    "SELECT_V2",
}


@pytest.mark.parametrize("form", ["none_raw", "int8_raw"])
def test_files_without_suppression_suit_gpu_delegates(form, files):
    names = set(operator_names(files[form]))
    assert names - GPU_OPERATORS == ({"QUANTIZE", "DEQUANTIZE"} if form == "int8_raw" else set())


def test_no_slice_drops_an_axis_which_gpu_delegates_refuse(files):
    for file in files.values():
        assert_slices_keep_their_axes(file)


@pytest.mark.parametrize("tree", [False, True])
@pytest.mark.parametrize("settings", [{"nms": False}, {"nms": False, "raw_head": True}, {}])
def test_trees_raw_heads_and_batches_suit_gpu_delegates_too(tree, settings, tmp_path):
    names = ("animal", "thing", "dog", "cup")
    nodes = WordTree(names, (-1, -1, 0, 1)) if tree else None
    model = TinyYOLOv2(names, input_size=64, width=0.02, resize="letterbox", tree=nodes)
    path = tmp_path / "model.tflite"
    Conversion(model, batch=2, **settings).write(path)
    file = unpack(path.read_bytes())
    assert_slices_keep_their_axes(file)
    if settings:
        walk = TREE_OPERATORS if tree and "raw_head" not in settings else set()
        assert set(operator_names(file)) - GPU_OPERATORS == walk


def test_a_slice_that_drops_an_axis_is_found():
    """TensorFlow's own analyzer (2.21) calls such a file, and every other, compatible."""
    drops = tf.function(lambda x: x[..., 1] * 2)
    spec = tf.TensorSpec((1, 4, 4, 3))
    concrete = drops.get_concrete_function(spec)
    content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
    with pytest.raises(AssertionError, match="shrinkAxisMask"):
        assert_slices_keep_their_axes(unpack(content))
