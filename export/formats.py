"""The forms of a detector: their files, and the options that each of them has.

Commands ask here before TensorFlow loads, so that a slip costs no waiting.
"""

import dataclasses
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.export.layout_values import QUANTIZATIONS
from yolov2_tf.models.input_sides import check_side

_COMPARED = ("calibrate", "split")
_SUPPRESSION = ("threshold", "iou", "max_detections", "tree_threshold")
_FILE = ("quantize", *_COMPARED, "nms", *_SUPPRESSION, "batch_size", "size")


@dataclasses.dataclass(frozen=True)
class Format:
    """A form that a detector can have.

    Attributes:
        name: Its name, as `yolov2 export --format` takes it.
        suffix: How its file ends; empty if it is a folder.
        exporting: Options of its export.
        running: Options that it takes where it is opened; the others were fixed by the export.
    """

    name: str
    suffix: str
    exporting: tuple[str, ...] = ()
    running: tuple[str, ...] = ()


KERAS = Format(
    "keras", ".keras", (), ("size", "batch_size", "iou", "tree_threshold", "tree_scores", "sizes")
)
"""What training writes; all others are made of it."""

SERVER = Format("server", "")
"""A SavedModel that a server holds."""

FORMATS = (
    Format("saved_model", "", (*_COMPARED, *_SUPPRESSION, "size")),
    Format(
        "tflite",
        ".tflite",
        (*_FILE, "head", "name", "description", "author", "license"),
        ("iou",),  # of files without suppression
    ),
    Format("onnx", ".onnx", (*_FILE, "opset"), ("iou", "batch_size", "provider")),
    Format("openvino", ".xml", (*_FILE, "opset"), ("iou", "batch_size")),
    Format("darknet", "", ("size",)),
)
"""What `yolov2 export` writes."""

_BY_SUFFIX = {format.suffix: format for format in (KERAS, *FORMATS) if format.suffix}


def format_to_write(out, name, given):
    """The format of an export.

    Args:
        out: What is to be written.
        name: Name of the format, or None: the one whose files end as `out` does.
        given: Dict from the names of options to their values, None for those not given.

    Returns:
        `Format`.

    Raises:
        InputError: If the name is not known, says something else than the suffix, or there is
            neither; if the format does not have an option that is given; or if a folder is where
            the file would be.
    """
    names = ", ".join(format.name for format in FORMATS)
    ends = _BY_SUFFIX.get(Path(out).suffix)
    format = ends if name is None else next((f for f in FORMATS if f.name == name), None)
    if name is not None and format is None:
        raise InputError(f"unknown format {name!r}", expected=names)
    if format not in FORMATS:
        endings = ", ".join(format.suffix for format in FORMATS if format.suffix)
        raise InputError(
            "the name of the file tells no format",
            where=out,
            expected=f"one that ends in {endings}, or --format ({names})",
        )
    _check_options(format, given)
    if ends not in (None, format) or (format.suffix and ends is None):
        kind = f"of {ends.name}" if ends else "of no format"
        raise InputError(
            f"--format {name}, but the name of the file is that {kind}",
            where=out,
            expected=f"a name that ends in {format.suffix}" if format.suffix else "a folder",
        )
    if format.suffix and Path(out).is_dir():
        raise InputError("is a folder", where=out, expected="the name of a file")
    return format


def _check_options(format, given):
    for name, value in given.items():
        if value is not None and name not in format.exporting:
            having = [other.name for other in FORMATS if name in other.exporting]
            raise InputError(f"{_flag(name, value)} is for {_and(having)}, not for {format.name}")


def format_to_run(path):
    """The format of a detector that is to be opened, by its name alone."""
    return _BY_SUFFIX.get(Path(path).suffix, FORMATS[0])


def check_running_options(format, given, where):
    """Refuses options that a form does not take where it is opened.

    Args:
        format: `Format`.
        given: Dict from the names of options to their values, None for those not given.
        where: The file, for the message.

    Raises:
        InputError: If there is one, with the forms that have it; or if a size cannot be had.
    """
    if given.get("size") is not None and "size" in format.running:
        check_side(given["size"])
    for name, value in given.items():
        if value is not None and name not in format.running:
            having = [other.suffix for other in (KERAS, *FORMATS) if name in other.running]
            raise InputError(
                f"{_flag(name, value)} is fixed in an exported model",
                where=where,
                expected=f"a {_and(having, 'or')} file, which takes it",
            )


def check_tree_options(tree, given, where):
    """Refuses options of label trees for a network without one.

    Args:
        tree: The network's `WordTree`, or None.
        given: Dict from the names of options to their values, None for those not given.
        where: The file, for the message.

    Raises:
        InputError: If there is one.
    """
    for name, value in given.items():
        if tree is None and value is not None:
            raise InputError("has no label tree", where=where, expected=f"no {_flag(name, value)}")


def check_quantization(quantization, calibration, format="tflite"):
    """Refuses a quantisation that cannot be had.

    Args:
        quantization: What is asked for.
        calibration: Pictures to calibrate with, or where they are, or None.
        format: Name of the format.

    Raises:
        InputError: If it is none of `QUANTIZATIONS`, or pictures are missing.
    """
    if quantization == "int16x8":
        raise InputError(
            "int16x8 is not offered: TFLite's SPACE_TO_DEPTH, the passthrough, has no 16-bit "
            "kernel, and no phone runs 16-bit convolutions faster than float",
            hint="int8, or fp16 for more accuracy",
        )
    known = [q for q in QUANTIZATIONS if q != "dynamic" or format == "tflite"]
    if quantization not in known:
        raise InputError(
            f"unknown quantisation {quantization!r} of {format}", expected=", ".join(known)
        )
    if quantization == "int8" and not calibration:
        raise InputError(
            "int8 needs pictures to find the ranges of its integers", hint="--calibrate DATA"
        )


def _flag(name, value):
    return f"--{'no-' if value is False else ''}{name.replace('_', '-')}"


def _and(names, word="and"):
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last
