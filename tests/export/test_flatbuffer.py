"""Files of `.tflite` as trees of Python objects, and which of them phones can run."""

import pytest
from ai_edge_litert import schema_py_generated as schema

from yolov2_tf.errors import InputError
from yolov2_tf.export.flatbuffer import check_deployable, operator_names, pack, unpack


def small_file(**changes):
    """A file with one operator that adds a tensor to itself."""
    tensor = schema.TensorT(
        **{"shape": [1, 2], "type": schema.TensorType.FLOAT32, "name": b"x", **changes}
    )
    operator = schema.OperatorT(opcodeIndex=0, inputs=[0, 0], outputs=[0])
    code = schema.OperatorCodeT(builtinCode=schema.BuiltinOperator.ADD, version=1)
    graph = schema.SubGraphT(tensors=[tensor], inputs=[0], outputs=[0], operators=[operator])
    return schema.ModelT(version=3, operatorCodes=[code], subgraphs=[graph], buffers=[])


def test_files_that_phones_cannot_run_are_refused():
    check_deployable(small_file(), "here")
    with pytest.raises(InputError, match="no fixed size"):
        check_deployable(small_file(shapeSignature=[-1, 2]), "here")
    with pytest.raises(InputError, match="5 dimensions"):
        check_deployable(small_file(shape=[1, 1, 1, 1, 2]), "here")
    custom = small_file()
    custom.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    custom.operatorCodes[0].customCode = b"FlexCombinedNonMaxSuppression"
    with pytest.raises(InputError, match="FlexCombined"):
        check_deployable(custom, "here")
    looping = small_file()
    looping.subgraphs.append(looping.subgraphs[0])
    with pytest.raises(InputError, match="control flow"):
        check_deployable(looping, "here")


def test_packing_keeps_what_was_unpacked(exported):
    content = exported["none"][0].read_bytes()
    again = unpack(pack(unpack(content)))
    assert operator_names(again) == operator_names(unpack(content))
    for one, other in zip(
        again.subgraphs[0].tensors, unpack(content).subgraphs[0].tensors, strict=True
    ):
        assert (one.name, list(one.shape)) == (other.name, list(other.shape))
