"""What an exported file says about itself: `yolov2.json`, written and read here.

The file is packed into a `.tflite`, lies beside a SavedModel's graph and among the properties of
ONNX and OpenVINO files. `android_demo` (`Layout.java`) and `web_demo` (`layout.js`) read the same
keys; `tests/golden` holds all three readers to them. TensorFlow is not needed.
"""

import dataclasses
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from yolov2_tf._version import __version__
from yolov2_tf.detection.thresholds import DEFAULT, EXPORT, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout_values import VERSION, LayoutError, check_value, shown
from yolov2_tf.trees.wordtree import WordTree

LAYOUT_FILE = "yolov2.json"

DETECTION_OUTPUTS = ("location", "category", "score", "number of detections")
"""Outputs of a file with suppression, named and ordered as MediaPipe does."""

PREDICTION_OUTPUTS = ("boxes", "scores")
"""Outputs of a file without suppression: each box has a score for every class."""

LABELLED_OUTPUTS = ("boxes", "scores", "labels")
"""Likewise of a network with a label tree: each box has one label, and a score for that."""

HEAD_OUTPUTS = ("head",)
"""The raw head tensor alone, for accelerators: decoding is left to the reader, too."""

SERVED_OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "detection_names",
    "num_detections",
)
"""Those of a SavedModel, named as TensorFlow's detectors do; boxes are on the picture itself."""

_LARGEST = 1 << 24  # bytes of a description; that of yolo9000, with its tree, has half a million


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a network is to be used. The attributes are the keys of `yolov2.json`.

    Attributes:
        class_names: What the labels index; with a tree, one name per node.
        anchors: `(k, 2)` `[width, height]` in grid cells.
        input_size: Side of the square input in pixels.
        resize: How pictures are brought to that size: `stretch` or `letterbox`.
        nms: Whether the file suppresses doubles itself; if not, its reader has to.
        score_threshold: What the suppression in the file has dropped scores up to, 0..1; without
            suppression nothing was dropped.
        iou_threshold: Boxes (of one class) overlapping more than this are one detection, 0..1.
        max_detections: The most detections of one picture.
        per_class: Whether boxes of different classes leave one another alone in suppression.
        tree: `WordTree` whose nodes the labels are, or None.
        tree_threshold: Pr(node | object) of the labels of a tree is above this, 0..1; None in old
            files of networks without one.
        quantization: One of `yolov2_tf.export.layout_values.QUANTIZATIONS`.
        outputs: Names of the outputs, in their order: `DETECTION_OUTPUTS` or `SERVED_OUTPUTS` with
            suppression, else `PREDICTION_OUTPUTS`, with a tree `LABELLED_OUTPUTS`, or
            `HEAD_OUTPUTS`.
        writer: What wrote the file.
        version: Version of the description.

    Raises:
        LayoutError: If a value is of another type or out of its range, or two do not agree.
    """

    class_names: tuple[str, ...]
    anchors: tuple[tuple[float, float], ...]
    input_size: int
    resize: str
    nms: bool
    score_threshold: float
    iou_threshold: float
    max_detections: int
    per_class: bool = True
    tree: WordTree | None = None
    tree_threshold: float | None = None
    quantization: str = "none"
    outputs: tuple[str, ...] | None = None
    writer: str = ""
    version: int = VERSION

    def __post_init__(self):
        if self.outputs is None:
            object.__setattr__(self, "outputs", _outputs(self.nms, self.tree))
        for field in dataclasses.fields(self):
            check_value(field.name, getattr(self, field.name))
        if self.tree is not None and len(self.tree) != len(self.class_names):
            raise LayoutError(
                f"{len(self.class_names)} class_names for a tree of {len(self.tree)} nodes"
            )
        expected = _outputs(self.nms, self.tree)
        if self.outputs not in (expected, SERVED_OUTPUTS if self.nms else HEAD_OUTPUTS):
            raise LayoutError(f"outputs are {self.outputs}, expected {expected}")

    @property
    def labelled(self):
        """Whether the outputs hold one label per box, in place of a score for every class."""
        return self.nms or self.tree is not None

    @property
    def thresholds(self):
        """What the file was exported with, as `Thresholds`; no score without suppression."""
        score = self.score_threshold if self.nms else None
        return Thresholds(score, self.iou_threshold, self.max_detections, self.tree_threshold)

    @property
    def least_overlap(self):
        """The least overlap above `iou_threshold` that float32 has, which makes one detection.

        The kernels of TFLite and OpenVINO suppress from the overlap on that they are given, all
        others above it, which tells for 0, of boxes that do not touch, and for 1, of equal ones.
        """
        above = np.nextafter(np.float32(self.iou_threshold), np.float32(2))
        return max(above, np.finfo(np.float32).tiny)  # some kernels take less than that for 0

    def limits(self, wanted):
        """`Thresholds` without None: those wanted, else the file's own, but for the score.

        The score is `SCORE`, unless suppression in the file has dropped more.
        """
        if wanted.score is None:
            score = max(DEFAULT.score, self.score_threshold if self.nms else 0.0)
            wanted = dataclasses.replace(wanted, score=score)
        return wanted.over(self.thresholds).over(DEFAULT)

    def check_network(self, image, outputs, where):
        """Refuses a network that is not the one described.

        Args:
            image: Shape of its input; None for a side that the file does not tell.
            outputs: Dict of the shapes of its outputs by name.
            where: The file, for messages.

        Raises:
            InputError: If an output is missing, or sizes are not those of the description.
        """
        if missing := [name for name in self.outputs if name not in outputs]:
            raise InputError(
                f"has no output {', '.join(missing)}",
                where=where,
                expected=", ".join(self.outputs),
            )
        size, most, classes = self.input_size, self.max_detections, len(self.class_names)
        many = tuple(outputs[self.outputs[0]][1:2])  # as many boxes as there are
        batch = image[0] if len(image) else 1  # as many pictures as there may be
        depth = len(self.anchors) * (5 + classes)
        shapes = {
            "location": ((batch, most, 4), f"max_detections {most}"),
            "category": ((batch, most), f"max_detections {most}"),
            "score": ((batch, most), f"max_detections {most}"),
            "number of detections": ((batch,), "its batch"),
            "boxes": ((batch, *many, 4), "its batch"),
            "scores": ((batch, *many), "a tree")
            if self.labelled
            else ((batch, *many, classes), f"{classes} class_names"),
            "labels": ((batch, *many), "a tree"),
            "head": ((batch, *many, *many, depth), f"{classes} class_names"),
            "detection_boxes": ((batch, most, 4), f"max_detections {most}"),
            "detection_scores": ((batch, most), f"max_detections {most}"),
            "detection_classes": ((batch, most), f"max_detections {most}"),
            "detection_names": ((batch, most), f"max_detections {most}"),
            "num_detections": ((batch,), "its batch"),
        }
        found = {"its input": (image, (batch, size, size, 3), f"input_size {size}")}
        found |= {f"its output {name}": (outputs[name], *shapes[name]) for name in self.outputs}
        for what, (shape, expected, reason) in found.items():
            sides = zip(shape, expected, strict=False)
            if len(shape) != len(expected) or any(a not in (None, b) for a, b in sides):
                raise InputError(
                    f"{what} is ({', '.join(map(str, shape))}); for {reason} in its {LAYOUT_FILE} "
                    f"it would be ({', '.join(map(str, expected))})",
                    where=where,
                    hint="export it again: the file is damaged",
                )

    def to_json(self):
        """The content of `yolov2.json`: a dict of JSON's types."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {
            **values,
            "class_names": list(self.class_names),
            "anchors": [list(anchor) for anchor in self.anchors],
            "tree": None if self.tree is None else self.tree.to_config(),
            "outputs": list(self.outputs),
        }

    @classmethod
    def from_json(cls, values):
        """The layout of a dict made by `to_json`; keys that are not known are left alone.

        Raises:
            LayoutError: If a key is missing or its value cannot be.
        """
        if not isinstance(values, dict):
            raise LayoutError(f"it is {shown(values)}, expected an object")
        version = values.get("version", 1)
        if type(version) is int and version > VERSION:
            raise LayoutError(f"its version is {version}, readable are versions up to {VERSION}")
        known = {f.name: f for f in dataclasses.fields(cls)}
        given = {"version": 1, **{name: values[name] for name in known if name in values}}
        missing = [
            name
            for name, field in known.items()
            if field.default is dataclasses.MISSING and name not in given
        ]
        if missing:
            raise LayoutError(f"it has no {', '.join(missing)}")
        for name in ("class_names", "anchors", "outputs"):
            given[name] = _as_tuples(given.get(name))
        try:
            if given.get("tree") is not None:
                given["tree"] = WordTree.from_config(given["tree"])
        except (AttributeError, InputError, KeyError, TypeError, ValueError) as error:
            raise LayoutError(f"its tree is none: {error}") from error
        return cls(**given)


def describe(head, *, nms, thresholds=EXPORT, quantization="none", outputs=None):
    """The layout of an export.

    Args:
        head: The network's `DetectionHead`.
        nms: Whether suppression is part of the file.
        thresholds: `Thresholds`; None in them means that of `EXPORT`.
        quantization: One of `yolov2_tf.export.layout_values.QUANTIZATIONS`.
        outputs: See `Layout`.

    Returns:
        `Layout`.

    Raises:
        LayoutError: If it cannot be.
    """
    thresholds = thresholds.over(EXPORT)
    return Layout(
        class_names=head.class_names,
        anchors=tuple(map(tuple, head.anchors.tolist())),
        input_size=head.input_size,
        resize=head.resize,
        nms=nms,
        score_threshold=float(thresholds.score),
        iou_threshold=float(thresholds.iou),
        max_detections=int(thresholds.detections),
        tree=head.tree,
        tree_threshold=float(thresholds.tree),
        quantization=quantization,
        outputs=outputs,
        writer=f"yolov2_tf {__version__}",
    )


def parse_layout(text, where):
    """The layout of the text of a `yolov2.json`, a str or bytes.

    Raises:
        InputError: If it is damaged, of a later version, or was not written by this package.
    """
    try:
        return Layout.from_json(json.loads(text))
    except (LayoutError, ValueError, RecursionError) as error:
        raise InputError(
            f"its {LAYOUT_FILE} cannot be used: {error}",
            where=where,
            hint="export it again: yolov2 export MODEL.keras, with this version of yolov2_tf",
        ) from error


def read_layout(path):
    """What a `.tflite` file of this package says about itself.

    Args:
        path: The file.

    Returns:
        `Layout`.

    Raises:
        InputError: If the file is missing, damaged, or was not written by this package.
    """
    if not Path(path).is_file():
        what = "is a folder" if Path(path).is_dir() else "no such file"
        raise InputError(what, where=path, expected="a .tflite file")
    try:
        with zipfile.ZipFile(path) as packed:
            if packed.getinfo(LAYOUT_FILE).file_size > _LARGEST:
                raise ValueError
            text = packed.read(LAYOUT_FILE)
    # What a damaged archive makes zipfile raise; RuntimeError: it asks for a password.
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, RuntimeError):
        raise InputError(
            f"holds no {LAYOUT_FILE}: damaged, or not written by this package",
            where=path,
            hint="yolov2 export MODEL.keras --format tflite",
        ) from None
    return parse_layout(text, path)


def _outputs(nms, tree):
    if nms:
        return DETECTION_OUTPUTS
    return PREDICTION_OUTPUTS if tree is None else LABELLED_OUTPUTS


def _as_tuples(value):
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
