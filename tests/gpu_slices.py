"""What TFLite's GPU delegate asks of slices, beyond their name."""

from yolov2_tf.export.flatbuffer import operator_name

MASKS = ("ellipsisMask", "newAxisMask", "shrinkAxisMask")
"""Masks of STRIDED_SLICE that it refuses (delegates/gpu/common/model_builder.cc)."""


def assert_slices_keep_their_axes(file):
    """Looks at every STRIDED_SLICE of an unpacked file."""
    for op in file.subgraphs[0].operators:
        if operator_name(file, op) == "STRIDED_SLICE":
            options = op.builtinOptions
            masks = {} if options is None else {mask: getattr(options, mask) for mask in MASKS}
            assert not any(masks.values()), (masks, op.inputs)
