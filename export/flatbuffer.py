"""A `.tflite` file as an object: reading, packing, and what a file for phones must not contain."""

import copy

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from yolov2_tf.errors import InputError

OPERATORS = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
"""Names of TFLite's built-in operators by their code."""

_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
}


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns byte vectors to 16, as the schema demands of weights (the Python code forgets it)."""

    def CreateNumpyVector(self, x):
        if x.dtype != np.uint8:
            return super().CreateNumpyVector(x)
        self.StartVector(1, x.size, 16)
        self.head -= x.size
        self.Bytes[self.head : self.head + x.size] = x.tobytes()
        return self.EndVector()


def unpack(content):
    """The bytes of a `.tflite` file as a `schema.ModelT`; weights stay views of the bytes."""
    model = flatbuffer_utils.read_model_from_bytearray(content)
    for buffer in model.buffers:
        if isinstance(buffer.data, bytes):  # the converter's way to write very large weights
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    return model


def pack(model):
    """A `schema.ModelT` as the bytes of a `.tflite` file; drops constants that nobody reads."""
    used = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in model.metadata or []}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None
    size = sum(len(buffer.data) for buffer in model.buffers if buffer.data is not None)
    builder = _AlignedBuilder(size + (1 << 20))
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def operator_name(model, operator):
    """Name of an operator, e.g. `"CONV_2D"`."""
    code = model.operatorCodes[operator.opcodeIndex]
    return OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]


def operator_names(model):
    """Names of the operators of the main graph, in the order they run."""
    return [operator_name(model, operator) for operator in model.subgraphs[0].operators]


def convolutions(model):
    """The operators that are convolutions, in the order they run; a detector's last is its head."""
    return [op for op in model.subgraphs[0].operators if operator_name(model, op) == "CONV_2D"]


def operator_code(model, name, version):
    """Index of a built-in operator in the model's list of operator codes; adds it if missing."""
    builtin = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
            code.version = max(code.version, version)
            return index
    code = schema.OperatorCodeT()
    # Old runtimes read the deprecated field, which holds codes below 127.
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def constant(model, tensor):
    """The values of a constant tensor as an array, or None if it is computed."""
    data = model.buffers[tensor.buffer].data
    if data is None or not len(data):
        return None
    shape = () if tensor.shape is None else tuple(tensor.shape)
    return np.frombuffer(bytes(data), _TYPES[tensor.type]).reshape(shape)


def replace_constant(model, operator, position, values):
    """Gives one operator new values for a constant input; others that read it keep the old ones.

    Args:
        model: `schema.ModelT`, changed in place.
        operator: The operator.
        position: Which of its inputs.
        values: The array, of one of the types that TFLite has.

    Returns:
        The `schema.TensorT` of the new values.
    """
    graph = model.subgraphs[0]
    index = operator.inputs[position]
    tensor = graph.tensors[index]
    if sum(index in other.inputs for other in graph.operators) > 1:
        tensor = copy.copy(tensor)
        graph.tensors.append(tensor)
        operator.inputs = list(operator.inputs)
        operator.inputs[position] = len(graph.tensors) - 1
    (tensor.type,) = (code for code, dtype in _TYPES.items() if dtype == values.dtype)
    model.buffers.append(schema.BufferT(np.frombuffer(values.tobytes(), np.uint8)))
    tensor.buffer = len(model.buffers) - 1
    return tensor


def name_outputs(model, names):
    """Names and orders the outputs of a converted model.

    The converter orders them as it likes. Afterwards tensors, signature and subgraph say the same.

    Args:
        model: `schema.ModelT` with one signature.
        names: The names in their order; the signature calls them `output_0`, `output_1`, ...
    """
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    by_name = {output.name.decode(): output for output in signature.outputs}
    signature.outputs = [by_name[f"output_{place}"] for place in range(len(names))]
    for output, name in zip(signature.outputs, names, strict=True):
        output.name = name.encode()
        graph.tensors[output.tensorIndex].name = name.encode()
    graph.outputs = [output.tensorIndex for output in signature.outputs]
    (signature.inputs[0].name, graph.tensors[graph.inputs[0]].name) = (b"image", b"image")


def check_deployable(model, where):
    """Refuses what phones cannot run.

    Args:
        model: `schema.ModelT`.
        where: The file, for the message.

    Raises:
        InputError: If there are operators that no runtime has built in, more than one subgraph
            (control flow), tensors of unknown size, or ones with more than four dimensions.
    """
    foreign = {"CUSTOM", "DELEGATE"} & set(operator_names(model))
    custom = [code.customCode for code in model.operatorCodes if code.customCode]
    if foreign or custom:
        raise InputError(f"needs operators that are not built in: {custom or foreign}", where=where)
    if len(model.subgraphs) != 1:
        raise InputError("has control flow, which GPU delegates refuse", where=where)
    for tensor in model.subgraphs[0].tensors:
        shape = [] if tensor.shape is None else list(tensor.shape)
        signature = [] if tensor.shapeSignature is None else list(tensor.shapeSignature)
        name = tensor.name.decode()
        if min([1, *shape, *signature]) < 0:
            raise InputError(f"tensor {name!r} has no fixed size: {signature}", where=where)
        if len(shape) > 4:
            raise InputError(f"tensor {name!r} has {len(shape)} dimensions", where=where)
