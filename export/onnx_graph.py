"""An ONNX graph of a detector: its names, its batch, suppression behind it, half precision."""

import onnx
from onnx import helper, parser

from yolov2_tf.detection.thresholds import CANDIDATES_PER_DETECTION, LEAST_SIDE
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import DETECTION_OUTPUTS

BOARD = 128
"""As `COLUMNS` of `yolov2_tf.detection.non_max_suppression`, which loads TensorFlow."""


def rename(model, names, batch):
    """Names the input `image` and the outputs, and says what the batch is, in place.

    Args:
        model: `onnx.ModelProto` with one input.
        names: Names of the outputs, in their order.
        batch: Number of pictures, or None for any number.

    Raises:
        InputError: If it has more inputs: what a layer computes with and does not keep in weights.
    """
    graph = model.graph
    if len(graph.input) > 1:
        raise InputError(
            f"{graph.input[1].name} is a tensor of a layer that is no weight of it",
            expected="layers that keep their numbers as weights or NumPy arrays",
            hint="--format tflite or saved_model",
        )
    new = dict(zip((output.name for output in graph.output), names, strict=True))
    new[graph.input[0].name] = "image"
    for value in (*graph.input, *graph.output):
        value.name = new[value.name]
        first = value.type.tensor_type.shape.dim[0]
        if batch is None:
            first.dim_param = "batch"
        else:
            first.dim_value = batch
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]


def nodes_behind_the_network(model):
    """Names of the head, which is the last convolution, and of all nodes behind it.

    They stay in float32: one scale, or half precision, over coordinates and scores costs accuracy.
    """
    nodes = list(model.graph.node)
    head = max(i for i, node in enumerate(nodes) if node.op_type == "Conv")
    return [node.name for node in nodes[head:]]


def halve(model):
    """A copy that computes in float16 up to the head; input and outputs stay float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    halved = convert_float_to_float16(
        model, keep_io_types=True, node_block_list=nodes_behind_the_network(model)
    )
    # The converter puts its casts behind the nodes that read them, which the checker refuses.
    OnnxModel.graph_topological_sort(halved.graph)
    return halved


def append_suppression(model, layout):
    """The model with non-maximum suppression behind it, as `NonMaxSuppression` of this package.

    The best pairs of box and class are moved apart by class, so that ONNX's own
    `NonMaxSuppression` sees one class; what it keeps becomes tensors of fixed size.

    Args:
        model: `onnx.ModelProto` with the outputs `boxes` and `scores`, and `labels` if there is a
            tree.
        layout: `Layout` with the thresholds.

    Returns:
        `onnx.ModelProto` with the outputs `DETECTION_OUTPUTS`.
    """
    suppression = _suppression(model, layout)
    names = [output.name for output in model.graph.output]
    joined = onnx.compose.merge_models(
        onnx.compose.add_prefix(model, "network/", rename_inputs=False, rename_outputs=False),
        suppression,
        io_map=[(name, name) for name in names],
    )
    # merge_models lists the operator sets of both, so the common one twice.
    versions = {entry.domain: entry.version for entry in joined.opset_import}
    del joined.opset_import[:]
    joined.opset_import.extend(helper.make_opsetid(*entry) for entry in versions.items())
    onnx.checker.check_model(joined)
    return joined


def _suppression(model, layout):
    """What stands behind the network, as a model of its own."""
    (batch, count, _), *others = (_sides(output) for output in model.graph.output)
    classes = 1 if layout.tree is not None else others[0][2]
    candidates = min(CANDIDATES_PER_DETECTION * layout.max_detections, count * classes)
    kept = min(candidates, layout.max_detections)
    values = {
        "batch": batch,
        "count": count,
        "classes": classes,
        "pairs": count * classes,
        "candidates": candidates,
        "kept": kept,
        "wanted": layout.max_detections,
        "missing": layout.max_detections - kept,
        "iou": f"{layout.iou_threshold:.9f}",
        "score": f"{layout.score_threshold:.9f}",
        "least": f"{LEAST_SIDE:.9f}",
        "board": BOARD,
        "inputs": f"float[{batch},{count}] scores, int32[{batch},{count}] labels"
        if layout.tree is not None
        else f"float[{batch},{count},{classes}] scores",
        "pick": _LABELLED if layout.tree is not None else _EACH_CLASS,
        "move": _APART if layout.per_class else "  apart = Identity(wide)",
    }
    graph = parser.parse_graph(_SUPPRESSION % values)
    read = {name for node in graph.node for name in node.input}
    for value in [value for value in graph.initializer if value.name not in read]:
        graph.initializer.remove(value)  # ONNX Runtime warns of it whenever it opens the file
    names = {name.replace(" ", "_"): name for name in DETECTION_OUTPUTS}
    for value in graph.output:
        value.name = names[value.name]
    for node in graph.node:
        node.output[:] = [names.get(name, name) for name in node.output]
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=model.ir_version
    )


def _sides(value):
    return [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]


_EACH_CLASS = """
  box_place = Div(place, classes)
  label = Mod(place, classes)"""

_LABELLED = """
  box_place = Identity(place)
  label_of_box = Cast<to = 7>(labels)
  label = GatherElements<axis = 1>(label_of_box, place)"""

_APART = """
  row = Div(label, board)
  column = Mod(label, board)
  row_axis = Unsqueeze(row, last)
  column_axis = Unsqueeze(column, last)
  squares = Concat<axis = 2>(row_axis, column_axis, row_axis, column_axis)
  squares_float = Cast<to = 1>(squares)
  moved = Mul(squares_float, two)
  apart = Add(wide, moved)"""

_SUPPRESSION = """suppression (float[%(batch)s,%(count)d,4] boxes, %(inputs)s) => (
  float[%(batch)s,%(wanted)d,4] location, float[%(batch)s,%(wanted)d] category,
  float[%(batch)s,%(wanted)d] score, float[%(batch)s] number_of_detections)
<
  float zero = {0.0}, float one = {1.0}, float two = {2.0}, float least = {%(least)s},
  int64[2] flat = {0, %(pairs)d}, int64[1] candidates = {%(candidates)d},
  int64[1] kept = {%(kept)d}, int64 wanted = {%(wanted)d}, int64 classes = {%(classes)d},
  int64 board = {%(board)d}, int64[1] last = {-1}, int64[1] first_axis = {0},
  int64[1] second_axis = {1}, int64[1] start = {0}, int64[1] middle = {2}, int64[1] end = {4},
  int64[2] picture_and_place = {0, 2}, int64[6] to_boxes = {0, 0, 0, 0, %(missing)d, 0},
  int64[4] to_places = {0, 0, 0, %(missing)d},
  float iou = {%(iou)s}, float threshold = {%(score)s}
>
{
  clipped = Clip(boxes, zero, one)
  pairs = Reshape(scores, flat)
  best, place = TopK<axis = 1>(pairs, candidates)
  %(pick)s
  box_index = Unsqueeze(box_place, last)
  box = GatherND<batch_dims = 1>(clipped, box_index)
  near = Slice(box, start, middle, last)
  far = Slice(box, middle, end, last)
  least_far = Add(near, least)
  far_enough = Max(far, least_far)
  wide = Concat<axis = 2>(near, far_enough)
  %(move)s
  one_class = Unsqueeze(best, second_axis)
  selected = NonMaxSuppression(apart, one_class, wanted, iou, threshold)
  alive = Gather<axis = 1>(selected, picture_and_place)
  alive_shape = Shape(alive)
  alive_count = Slice(alive_shape, first_axis, second_axis, first_axis)
  ones = Expand(one, alive_count)
  nothing = Mul(best, zero)
  mask = ScatterND(nothing, alive, ones)
  alive_score = Mul(best, mask)
  top_score, order = TopK<axis = 1>(alive_score, kept)
  used_bool = Greater(top_score, zero)
  used = Cast<to = 1>(used_bool)
  top_label = GatherElements<axis = 1>(label, order)
  label_float = Cast<to = 1>(top_label)
  category_used = Mul(label_float, used)
  order_index = Unsqueeze(order, last)
  top_box = GatherND<batch_dims = 1>(box, order_index)
  used_axis = Unsqueeze(used, last)
  box_used = Mul(top_box, used_axis)
  location = Pad(box_used, to_boxes)
  category = Pad(category_used, to_places)
  score = Pad(top_score, to_places)
  number_of_detections = ReduceSum<keepdims = 0>(used, second_axis)
}
"""
