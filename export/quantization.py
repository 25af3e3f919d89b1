"""Makes a float `.tflite` smaller and faster: float16 weights, int8 weights, int8 arithmetic.

With int8 arithmetic the convolutions run in integers; the head, decoding and suppression stay in
float. What keeps the accuracy, beyond what the TFLite converter and `litert-quantizer` do:

- Ranges of activations are those of the least error *after* the leaky ReLU (`best_range`).
- Weights are rounded so that each kernel keeps the sum of its taps. Neighbouring pixels are much
  alike, so what a kernel does to a constant matters most, and there plain rounding adds up.
- The mean shift that is left goes into the biases.
- The head, less than 1 % of the work, stays in float: its channels have very different ranges.

What keeps the speed: a leaky ReLU is one integer operator, not one in float between two
conversions, and tensors that are pooled, reorganised or concatenated share one scale.

Integers follow TFLite's quantisation specification: activations int8 with a zero point, weights
int8, symmetric, per output channel, biases int32 with the scale input × weight.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from yolov2_tf.errors import InputError
from yolov2_tf.export.calibration import best_range, observe
from yolov2_tf.export.flatbuffer import (
    constant,
    convolutions,
    operator_code,
    operator_name,
    pack,
    replace_constant,
)

OWN_SCALE = ("CONV_2D", "LEAKY_RELU", "RELU")
"""Operators whose output has a range of its own."""

SHARED_SCALE = (
    *("MAX_POOL_2D", "SPACE_TO_DEPTH", "CONCATENATION", "RESHAPE", "TRANSPOSE"),
    *("PAD", "STRIDED_SLICE"),
)
"""Operators that only move values about: inputs and output share one scale."""

MAX_BIAS = 2**30
"""Most steps of a bias; sums of products, which are added as int32, need the rest of its range."""

# Versions from which on operators know int8, where it is not 2.
_VERSIONS = {"CONV_2D": 5, "RESHAPE": 1}  # 5: float in, int8 weights per channel


def quantize_int8(model, pictures, *, whole=False):
    """Quantises a detector in place; its input becomes uint8.

    Args:
        model: `schema.ModelT` as converted, with a float32 input 0..255.
        pictures: Iterable of `(S, S, 3)` pictures of the kind that the network will see, values
            0..255. A hundred are enough.
        whole: Whether the head becomes int8 too, the input int8, and all outputs: what
            accelerators ask for. The file ends in the raw head tensor then.

    Raises:
        InputError: If the network does something to its input that int8 cannot do.
    """
    _fold_rescaling(model)
    _Quantizer(model, pictures, whole).run()


def halve_weights(model):
    """Makes the weights float16 in place; they become float32 again when the file is loaded.

    Args:
        model: `schema.ModelT` as converted.
    """
    expanding = []
    for op in convolutions(model):
        half = _constant_input(model, op, 1).astype(np.float16)
        replace_constant(model, op, 1, half)
        expand = _conversion(
            model, "DEQUANTIZE", op.inputs[1], schema.TensorType.FLOAT32, version=3
        )
        op.inputs = [op.inputs[0], *expand.outputs, *op.inputs[2:]]
        expanding.append(expand)
    graph = model.subgraphs[0]
    graph.operators = [*expanding, *graph.operators]


def quantize_weights(model):
    """Makes the weights int8 in place; activations stay float and are quantised as they come.

    Args:
        model: `schema.ModelT` as converted.
    """
    *body, _ = convolutions(model)
    for op in body:
        exact, scale = _steps(_constant_input(model, op, 1))
        _set_kernel(model, op, round_keeping_sums(exact), scale)
        _require_version(model, op)


class _Quantizer:
    def __init__(self, model, pictures, whole):
        self.model = model
        self.whole = whole
        self.graph = model.subgraphs[0]
        self.image = self.graph.inputs[0]
        self.integer = _backbone(model, whole)
        self.tensors = list(
            dict.fromkeys(i for op in self.integer for i in (*self._data(op), *op.outputs))
        )
        if whole and self.image not in self.tensors:
            begins = ", ".join(operator_name(model, op) for op in self.graph.operators[:3])
            what = f"an int8 input of a network that begins with {begins}"
            raise InputError(what, expected="1/255 and a convolution")
        self.statistics = observe(pack(model), self.tensors, (np.rint(p) for p in pictures))
        self.scales = self._scales()

    def run(self):
        for op in self.integer:
            _require_version(self.model, op)
            if operator_name(self.model, op) == "CONV_2D":
                self._quantize_convolution(op)
        self._convert_graph()

    # === Scales ===

    def _data(self, op):
        """The inputs of an operator that are activations."""
        return op.inputs if operator_name(self.model, op) == "CONCATENATION" else op.inputs[:1]

    def _scales(self):
        """Scale and zero point of each tensor, by its index."""
        moves = [op for op in self.integer if operator_name(self.model, op) in SHARED_SCALE]
        group = {index: {index} for index in self.tensors}
        for op in moves:
            joined = set.union(*(group[index] for index in (*self._data(op), *op.outputs)))
            group.update(dict.fromkeys(joined, joined))
        moved = {index for op in moves for index in op.outputs}
        ranges = {index: self._range(index) for index in self.tensors if index not in moved}
        scales = {}
        for index in self.tensors:
            lows, highs = zip(*(ranges[i] for i in group[index] if i in ranges), strict=True)
            scale = max(max(highs) - min(lows), 1e-30) / 255
            scales[index] = scale, int(np.rint(-128 - min(lows) / scale))
        return scales

    def _range(self, index):
        if index == self.image:
            return 0.0, 255.0
        return best_range(self.statistics[index].samples, self._activation(index))

    def _activation(self, index):
        """The activation function that alone reads a tensor, if there is one."""
        readers = _readers(self.graph, index)
        match [operator_name(self.model, op) for op in readers]:
            case ["LEAKY_RELU"]:
                slope = readers[0].builtinOptions.alpha
                return lambda x: np.where(x < 0, slope * x, x)
            case ["RELU"]:
                return lambda x: np.maximum(x, 0)
        return None

    # === Weights ===

    def _quantize_convolution(self, op):
        bias, step = _constant_input(self.model, op, 2), self.scales[op.inputs[0]][0]
        exact, scale = _steps(_constant_input(self.model, op, 1), np.abs(bias) / step / MAX_BIAS)
        rounded = round_keeping_sums(exact)
        # What the rounding does to the mean input is a constant, which the bias takes back.
        shift = ((rounded - exact).sum(axis=1) * self.statistics[op.inputs[0]].means).sum(axis=1)
        unit = step * scale
        biases = np.rint((bias - shift * scale) / unit)
        _set_kernel(self.model, op, rounded, scale)
        bias = replace_constant(self.model, op, 2, biases.astype(np.int32))
        bias.quantization = _parameters(unit, np.zeros_like(unit))

    # === Graph ===

    def _convert_graph(self):
        """Makes tensors int8 and puts conversions where float and integer operators meet."""
        image = self.graph.tensors[self.image]
        image.type, image.quantization = schema.TensorType.UINT8, _parameters([1.0], [0])
        if self.whole:
            image.type = schema.TensorType.INT8
            image.quantization = self._int8_parameters(self.image)
        integer = {index for op in self.integer for index in op.outputs}
        for index in integer:
            tensor = self.graph.tensors[index]
            tensor.type = schema.TensorType.INT8
            tensor.quantization = self._int8_parameters(index)
        operators = []
        quantized = {index: index for index in integer}
        if self.whole:
            quantized[self.image] = self.image
        floats = {}
        for op in self.graph.operators:
            if any(op is one for one in self.integer):
                reads, known, convert = self._data(op), quantized, self._quantize
            else:
                reads, known, convert = {*integer, self.image} & {*op.inputs}, floats, self._float
            for index in reads:
                if index not in known:
                    conversion = convert(index)
                    operators.append(conversion)
                    known[index] = conversion.outputs[0]
            op.inputs = [known[i] if i in reads else i for i in op.inputs]
            operators.append(op)
        self.graph.operators = operators

    def _quantize(self, index):
        kind, parameters = schema.TensorType.INT8, self._int8_parameters(index)
        return _conversion(self.model, "QUANTIZE", index, kind, parameters)

    def _float(self, index):
        return _conversion(self.model, "DEQUANTIZE", index, schema.TensorType.FLOAT32)

    def _int8_parameters(self, index):
        scale, zero_point = self.scales[index]
        return _parameters([scale], [zero_point])


def round_keeping_sums(values):
    """Rounds to integers in −127..127 so that sums over the middle axis change by less than one.

    Where plain rounding changes a sum by half or more, the values that were nearest to being
    rounded the other way are.

    Args:
        values: `(O, T, I)`: output channels, taps, input channels.

    Returns:
        `(O, T, I)` array of whole numbers.
    """
    rounded = np.rint(values)
    residual = values - rounded
    missing = np.rint(residual.sum(axis=1, keepdims=True))
    rank = residual.argsort(axis=1).argsort(axis=1)
    up = rank >= values.shape[1] - missing
    down = rank < -missing
    return np.clip(rounded + up - down, -127, 127)


def _fold_rescaling(model):
    """Moves what the first layers do to a pixel into the first convolutions, which read it as is.

    That is 1/255, and in grey networks the share of each colour. Zeros may be put around it.
    """
    graph, image = model.subgraphs[0], model.subgraphs[0].inputs[0]
    *folded, colours = _first_factors(model)
    through = [op for op in folded[-1:] for op in _readers(graph, op.outputs[0])]
    pads = [op for op in through if operator_name(model, op) == "PAD"]
    readers = [op for op in through if op not in pads]
    readers += [op for pad in pads for op in _readers(graph, pad.outputs[0])]
    if not readers or any(operator_name(model, op) != "CONV_2D" for op in readers):
        return
    for op in readers:
        kernel = _constant_input(model, op, 1) * colours  # to (O, h, w, 3), if it was of grey
        replace_constant(model, op, 1, kernel).shape = list(kernel.shape)
    for op in through:
        op.inputs = [image, *op.inputs[1:]]
    for op in pads:
        tensor = graph.tensors[op.outputs[0]]
        tensor.shape = [*tensor.shape[:-1], len(colours)]
    graph.operators = [op for op in graph.operators if not any(op is one for one in folded)]


def _first_factors(model):
    """The first operators that only weigh the colours of a pixel, and at last `(3,)` factors."""
    graph, image = model.subgraphs[0], model.subgraphs[0].inputs[0]
    factor = _factor(model, graph.operators[0], image)
    if factor is None or np.size(factor) != 1:
        return [np.ones(3, np.float32)]
    folded, factor = graph.operators[:1], np.full(3, factor, np.float32)
    match _readers(graph, folded[0].outputs[0]):
        case [weighing] if np.shape(_factor(model, weighing, folded[0].outputs[0])) == (3,):
            match _readers(graph, weighing.outputs[0]):
                case [adding] if operator_name(model, adding) == "SUM":
                    factor = factor * _factor(model, weighing, folded[0].outputs[0])
                    folded = [*folded, weighing, adding]
    return [*folded, factor]


def _factor(model, op, read):
    """The constant that an operator multiplies a tensor by, or None."""
    if operator_name(model, op) != "MUL":
        return None
    others = [index for index in op.inputs if index != read]
    return constant(model, model.subgraphs[0].tensors[others[0]]) if others else None


def _backbone(model, whole):
    """The operators before the head, the last convolution, that int8 can do, in their order.

    Of the whole network it is all operators: the file ends in the head tensor.
    """
    *_, head = convolutions(model)
    needed = set(model.subgraphs[0].outputs) if whole else {head.inputs[0]}
    found = []
    for op in reversed(model.subgraphs[0].operators):
        if needed & set(op.outputs):
            needed |= set(op.inputs)
            found.insert(0, op)
    return [op for op in found if operator_name(model, op) in (*OWN_SCALE, *SHARED_SCALE)]


def _constant_input(model, op, position):
    return constant(model, model.subgraphs[0].tensors[op.inputs[position]])


def _steps(weights, least=0.0):
    """Kernels `(O, h, w, I)` as multiples `(O, h · w, I)` of their scales `(O,)`.

    No scale is below `least`, a number or `(O,)`: a filter that training has left without weights
    still has a bias, which is a multiple of the scale and must be an int32.
    """
    scale = np.maximum(np.abs(weights).max(axis=(1, 2, 3)) / 127, np.maximum(least, 1e-30))
    return (weights / scale[:, None, None, None]).reshape(len(weights), -1, weights.shape[3]), scale


def _set_kernel(model, op, steps, scale):
    shape = model.subgraphs[0].tensors[op.inputs[1]].shape
    kernel = replace_constant(model, op, 1, steps.reshape(shape).astype(np.int8))
    kernel.quantization = _parameters(scale, np.zeros_like(scale))


def _require_version(model, op):
    code = model.operatorCodes[op.opcodeIndex]
    code.version = max(code.version, _VERSIONS.get(operator_name(model, op), 2))


def _conversion(model, name, index, kind, parameters=None, version=2):
    """A new operator that converts a tensor to a new one of another type."""
    graph = model.subgraphs[0]
    source, target = graph.tensors[index], schema.TensorT()
    target.name = source.name + b"_" + name.lower().encode()
    target.shape, target.type, target.quantization = source.shape, kind, parameters
    graph.tensors.append(target)
    operator = schema.OperatorT()
    operator.opcodeIndex = operator_code(model, name, version)
    operator.inputs, operator.outputs = [index], [len(graph.tensors) - 1]
    return operator


def _readers(graph, index):
    return [op for op in graph.operators if index in op.inputs]


def _parameters(scale, zero_point):
    parameters = schema.QuantizationParametersT()
    parameters.scale = np.asarray(scale, np.float32)
    parameters.zeroPoint = np.asarray(zero_point, np.int64)
    return parameters
