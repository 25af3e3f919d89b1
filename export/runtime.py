"""Runs an exported `.tflite` file: picture in, detections out.

Made for small computers. It needs NumPy, Pillow and one TFLite runtime (`ai-edge-litert` or
`tflite-runtime`), and neither TensorFlow nor Keras. What it has to know about the network it
reads from the file.
"""

import importlib
import json
import zipfile
from pathlib import Path

import numpy as np

from yolov2_tf.boxes import clip, iou
from yolov2_tf.data.images import load_image
from yolov2_tf.errors import InputError

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""TFLite runtimes that can be used, the better one first."""

DETECTION_OUTPUTS = ("location", "category", "score", "number of detections")
"""Output tensors of a file with suppression, named and ordered as MediaPipe does."""

PREDICTION_OUTPUTS = ("boxes", "scores")
"""Output tensors of a file without suppression."""

LABELLED_OUTPUTS = ("boxes", "scores", "labels")
"""Those of a network with a label tree: each box has one label, and a score for that."""

LAYOUT_FILE = "yolov2.json"
"""Name of the file, packed into the `.tflite`, that says how the network is to be used."""

DEFAULT_THRESHOLD = 0.25
"""What counts as a detection unless somebody says otherwise."""

PADDING = 127.5
CANDIDATES_PER_DETECTION = 4
# The last two as in yolov2_tf.resize and yolov2_tf.detection.non_max_suppression, which load
# TensorFlow.


class ExportedDetector:
    """What detectors over exported files share: they resize, run, and suppress if need be.

    Args:
        layout: What the file says about itself, see `read_layout`.
        score_threshold: Detections score above this, 0..1; default: `DEFAULT_THRESHOLD`, or the
            file's own if that is higher. A file with suppression cannot go below its own.
        where: The file, for messages.

    Attributes:
        class_names: What the labels index.
        input_size: Side of the network's input in pixels.
        layout: Everything the file says about itself: `anchors`, `resize`, `quantization`, ...
        score_threshold: The threshold in use.
    """

    def __init__(self, layout, score_threshold, where):
        self.layout = layout
        self.class_names = tuple(layout["class_names"])
        self.input_size = layout["input_size"]
        self.score_threshold = usable_threshold(layout, score_threshold, where)

    def run(self, resized):
        """Runs the network.

        Args:
            resized: `(S, S, 3)` float32, values 0..255.

        Returns:
            Dict of the outputs by name, each with a batch dimension of 1.
        """
        raise NotImplementedError

    def detect(self, image):
        """Finds the objects in one picture.

        Args:
            image: `(H, W, 3)` uint8 RGB array such as a camera frame, or a path or the bytes of
                a picture.

        Returns:
            Dict of `boxes` `(n, 4)` float32 `[y_min, x_min, y_max, x_max]` as fractions of the
            picture, `labels` `(n,)` int32 and `scores` `(n,)` float32, sorted by score.

        Raises:
            InputError: If the picture cannot be read, or the array is not one of RGB pixels.
        """
        image = image if isinstance(image, np.ndarray) else load_image(image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise InputError(
                f"an array of shape {image.shape} and type {image.dtype}",
                expected="(height, width, 3) uint8",
            )
        resized, scale, offset = resize(image, self.input_size, self.layout["resize"])
        outputs = self.run(resized)
        detections = _used(outputs) if self.layout["nms"] else self._suppress(outputs)
        keep = detections["scores"] > self.score_threshold
        boxes = clip((detections["boxes"] - offset) / scale)
        return {
            "boxes": boxes[keep],
            "labels": detections["labels"][keep],
            "scores": detections["scores"][keep],
        }

    def _suppress(self, outputs):
        return non_max_suppression(
            outputs["boxes"][0],
            outputs["scores"][0],
            outputs["labels"][0] if "labels" in outputs else None,
            score_threshold=self.score_threshold,
            iou_threshold=self.layout["iou_threshold"],
            max_detections=self.layout["max_detections"],
            per_class=self.layout["per_class"],
        )


class TFLiteDetector(ExportedDetector):
    """Detector over a `.tflite` file that `yolov2 export` wrote.

    Args:
        path: The file.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: See `ExportedDetector`, as for the other attributes.

    Attributes:
        runtime: The TFLite runtime that was found, with its version.

    Raises:
        InputError: If the file is missing, damaged, or was not written by this package; if no
            TFLite runtime is installed; if the threshold is out of range.

    Example:
        ```python
        detector = TFLiteDetector("model.tflite", threads=2)
        for box, label, score in zip(*detector.detect("street.jpg").values()):
            print(detector.class_names[label], score, box)
        ```
    """

    def __init__(self, path, threads=None, score_threshold=None):
        super().__init__(read_layout(path), score_threshold, path)
        interpreter, self.runtime = load_interpreter()
        try:
            self._interpreter = interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{self.runtime} cannot run it: {error}", where=path) from error
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = {
            detail["name"]: detail["index"] for detail in self._interpreter.get_output_details()
        }
        wanted = output_names(self.layout)
        if missing := set(wanted) - set(self._outputs):
            raise InputError(
                f"has no output {', '.join(sorted(missing))}",
                where=path,
                expected=", ".join(wanted),
            )

    def run(self, resized):
        """Runs the network, see `ExportedDetector.run`."""
        if self._input["dtype"] == np.uint8:
            resized = np.rint(resized)
        self._interpreter.set_tensor(
            self._input["index"], resized[None].astype(self._input["dtype"], copy=False)
        )
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(index) for name, index in self._outputs.items()}


def read_layout(path):
    """What a `.tflite` file of this package says about itself.

    Args:
        path: The file.

    Returns:
        Dict of `class_names`, `anchors`, `input_size`, `resize`, `nms`, `score_threshold`,
        `iou_threshold`, `max_detections`, `per_class`, `quantization`.

    Raises:
        InputError: If the file is missing, damaged, or was not written by this package.
    """
    if not Path(path).is_file():
        raise InputError("no such file", where=path, expected="a .tflite file")
    try:
        with zipfile.ZipFile(path) as packed:
            return json.loads(packed.read(LAYOUT_FILE))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError):
        raise InputError(
            f"holds no {LAYOUT_FILE}: damaged, or not written by this package",
            where=path,
            hint="yolov2 export MODEL.keras --format tflite",
        ) from None


def output_names(layout):
    """The output tensors of a `.tflite` file, in their order, from what it says about itself."""
    if layout["nms"]:
        return DETECTION_OUTPUTS
    return LABELLED_OUTPUTS if layout["tree"] else PREDICTION_OUTPUTS


def load_interpreter():
    """The `Interpreter` class of the best TFLite runtime here, and that runtime's name.

    Raises:
        InputError: If none is installed.
    """
    for name in RUNTIMES:
        try:
            interpreter = importlib.import_module(f"{name}.interpreter").Interpreter
        except ImportError:
            continue
        return interpreter, f"{name} {importlib.import_module(name).__version__}"
    raise InputError("no TFLite runtime is installed", hint="pip install ai-edge-litert")


# === The same definitions as in the TensorFlow part, in NumPy ===


def resize(image, size, mode):
    """Resizes a picture as `yolov2_tf.resize.resize_image` does.

    Args:
        image: `(H, W, 3)`, values 0..255.
        size: Side of the square in pixels.
        mode: `stretch` or `letterbox`.

    Returns:
        `(resized, scale, offset)`: `(size, size, 3)` float32, and two `(4,)` float32 that say
        where boxes of the picture are in it: `box * scale + offset`.
    """
    height, width = image.shape[:2]
    if mode == "stretch":
        return _bilinear(image, size, size), np.ones(4, np.float32), np.zeros(4, np.float32)
    longest = max(height, width)
    # Integers round the same way everywhere: (2·a·size + b) // 2b is a·size/b to the nearest.
    inner = [max((2 * side * size + longest) // (2 * longest), 1) for side in (height, width)]
    top, left = ((size - side) // 2 for side in inner)
    canvas = np.full((size, size, 3), PADDING, np.float32)
    canvas[top : top + inner[0], left : left + inner[1]] = _bilinear(image, *inner)
    scale = np.array(inner * 2, np.float32) / np.float32(size)
    return canvas, scale, np.array([top, left] * 2, np.float32) / np.float32(size)


def _bilinear(image, height, width):
    """Bilinear, half-pixel centres, no antialiasing; bit for bit what `tf.image.resize` gives."""
    top, bottom, down = _neighbours(image.shape[0], height)
    left, right, across = _neighbours(image.shape[1], width)
    down, across = down[:, None, None], across[None, :, None]

    def row(index):
        pixels = image[index]  # only the rows that are needed: a camera frame has many more
        low = pixels[:, left].astype(np.float32)
        return low + (pixels[:, right].astype(np.float32) - low) * across

    upper = row(top)
    return upper + (row(bottom) - upper) * down


def _neighbours(old, new):
    """For each new pixel the two old ones it lies between, and how far from the first."""
    scale = np.float32(old) / np.float32(new)
    position = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    low = np.floor(position)
    first = np.maximum(low, 0).astype(np.intp)
    second = np.minimum(np.ceil(position), old - 1).astype(np.intp)
    return first, second, position - low


def non_max_suppression(
    boxes, scores, labels=None, *, score_threshold, iou_threshold, max_detections, per_class=True
):
    """Boxes and scores to detections, as `yolov2_tf.detection.non_max_suppression` does.

    Args:
        boxes: `(M, 4)` float32, as fractions of the input.
        scores: `(M, C)` float32 in 0..1, or `(M,)` with `labels`.
        labels: `(M,)`, where each box has one class already, else None.
        score_threshold: Scores must be above this.
        iou_threshold: Boxes (of one class) overlapping more than this are one detection.
        max_detections: The most detections.
        per_class: Whether boxes of different classes leave one another alone.

    Returns:
        Dict of `boxes` `(n, 4)`, `labels` `(n,)` int32 and `scores` `(n,)`, sorted by score.
    """
    if labels is None:
        index, labels = np.nonzero(scores > score_threshold)
        found = scores[index, labels]
    else:
        (index,) = np.nonzero(scores > score_threshold)
        labels, found = labels[index], scores[index]
    best = np.argsort(-found, kind="stable")[: CANDIDATES_PER_DETECTION * max_detections]
    boxes, labels, found = clip(boxes[index[best]]), labels[best].astype(np.int32), found[best]
    rivals = iou(boxes[:, None], boxes[None]) > iou_threshold
    if per_class:
        rivals &= labels[:, None] == labels[None]
    alive = np.ones(len(boxes), bool)
    for i in range(len(boxes)):
        if alive[i]:
            alive[i + 1 :] &= ~rivals[i, i + 1 :]
    kept = np.flatnonzero(alive)[:max_detections]
    return {"boxes": boxes[kept], "labels": labels[kept], "scores": found[kept]}


def _used(outputs):
    """The detections of a file with suppression, without the unused places."""
    count = int(outputs["number of detections"][0])
    return {
        "boxes": outputs["location"][0, :count],
        "labels": outputs["category"][0, :count].astype(np.int32),
        "scores": outputs["score"][0, :count],
    }


def usable_threshold(layout, wanted, where):
    """The score threshold to use with an exported form.

    Args:
        layout: What the form says about itself.
        wanted: The threshold asked for, or None.
        where: The file, for the message.

    Raises:
        InputError: If it is out of range, or below that of the suppression in the file.
    """
    own = layout["score_threshold"] if layout["nms"] else 0.0
    if wanted is None:
        return max(DEFAULT_THRESHOLD, own)
    if not 0 <= wanted <= 1:
        raise InputError(f"score threshold {wanted}", expected="0 to 1")
    if wanted < own:
        raise InputError(
            f"the suppression in it drops scores up to {own}: {wanted} cannot be had",
            where=where,
            hint="export it with a lower threshold, or without suppression (--no-nms)",
        )
    return wanted
