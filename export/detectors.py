"""One interface for everything that finds boxes in pictures, and what opens it."""

import itertools
from pathlib import Path

import numpy as np

from yolov2_tf.data.pixels import is_picture, pixels_of
from yolov2_tf.detection.thresholds import either
from yolov2_tf.errors import InputError
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.postprocessing import detections_of
from yolov2_tf.export.serving.connection import PROTOCOLS
from yolov2_tf.zoo.names import ONE_FILE, model_path

FORMS = "a .keras, .tflite, .onnx or OpenVINO .xml file, or a SavedModel folder"


class Detector:
    """Finds boxes in pictures. Every form of a detector is one of these.

    Several threads may share a detector: each gets the answers that it would get alone.

    Args:
        layout: `Layout`: what the form says about itself.
        thresholds: `Thresholds` asked for, or None.
        where: The file, for messages.

    Attributes:
        batch: How many pictures the network takes at once.
        layout: The `Layout`; None of a server, which does not tell.
        thresholds: `Thresholds` in use.
        runtime: What runs it, with its version.

    Raises:
        InputError: If a threshold cannot be had of this form, see `usable`.
    """

    runtime = ""
    batch = 1

    def __init__(self, layout, thresholds=None, where=None):
        self.layout = layout
        self.thresholds = usable(layout, either(None, thresholds), where)

    @property
    def class_names(self):
        """What the labels index."""
        return self.layout.class_names

    @property
    def tree(self):
        """The `WordTree` whose nodes the labels are, or None."""
        return self.layout.tree

    @property
    def input_size(self):
        """Side of the network's input in pixels."""
        return self.layout.input_size

    @property
    def score_threshold(self):
        """Detections score above this."""
        return self.thresholds.score

    def detect(self, pictures):
        """Finds the objects in one picture, or in each of several.

        Args:
            pictures: One picture, or an iterable of pictures, which is read as the answers are
                asked for. A picture is a `(H, W, 3)` uint8 RGB array such as a camera frame, a
                path, the bytes of a file, or a picture that Pillow has opened; sizes may differ.

        Returns:
            For one picture a dict of `boxes` `(n, 4)` float32 `[y_min, x_min, y_max, x_max]` as
            fractions of the picture, `labels` `(n,)` int32 and `scores` `(n,)` float32, sorted by
            score. For several an iterator of such dicts.

        Raises:
            InputError: If a picture cannot be read, or an array is not one of RGB pixels 0..255.
        """
        if is_picture(pictures):
            (found,) = self._detect_each([pictures])
            return found
        return self._detect_each(pictures)

    def run(self, resized):
        """Runs the network alone on one picture; places for more stay empty.

        Args:
            resized: `(S, S, 3)` float32 picture of the input's size, values 0..255.

        Returns:
            Dict of the outputs by name, see `Layout.outputs`, each with a batch dimension of 1.
        """
        (outputs,) = self._run_each([resized])
        return outputs

    def run_batch(self, images):
        """Runs the network alone.

        Args:
            images: `(batch, S, S, 3)` float32 pictures of the input's size, values 0..255.

        Returns:
            Dict of the outputs by name, see `Layout.outputs`.
        """
        raise NotImplementedError

    def _run_each(self, images):
        """The outputs of up to `batch` pictures, each with a batch dimension of 1."""
        batch = np.zeros((self.batch, *images[0].shape), np.float32)
        batch[: len(images)] = images
        outputs = self.run_batch(batch)
        return [
            {name: values[i : i + 1] for name, values in outputs.items()}
            for i in range(len(images))
        ]

    def _detect_each(self, pictures):
        """Yields the detections of each picture."""
        pictures = iter(pictures)
        while group := [pixels_of(p) for p in itertools.islice(pictures, self.batch)]:
            resized = [resize(p, self.input_size, self.layout.resize)[0] for p in group]
            for pixels, outputs in zip(group, self._run_each(resized), strict=True):
                yield detections_of(self.layout, outputs, pixels.shape[:2], self.thresholds)


def usable(layout, wanted, where):
    """The thresholds to use with an exported form.

    Args:
        layout: `Layout` of the form.
        wanted: `Thresholds` asked for.
        where: The file, for messages.

    Returns:
        `Thresholds` without None, see `Layout.limits`.

    Raises:
        InputError: If the form was exported in a way that the thresholds cannot be had.
    """
    own = layout.thresholds
    if layout.nms:
        _refuse(wanted.iou, own.iou, "the overlap threshold", where, "--no-nms")
        if wanted.score is not None and wanted.score < own.score:
            raise InputError(
                f"the suppression in it drops scores up to {own.score}: {wanted.score} cannot be "
                "had",
                where=where,
                hint="export it with a lower threshold, or without suppression (--no-nms)",
            )
    if layout.tree is not None:
        _refuse(wanted.tree, own.tree, "the tree threshold", where, "--tree-threshold")
    return layout.limits(wanted)


def _refuse(wanted, own, what, where, option):
    if wanted is not None and own is not None and wanted != own:
        raise InputError(
            f"{what} is fixed at {own} in it: {wanted} cannot be had",
            where=where,
            hint=f"export it again ({option}), or use the .keras file",
        )


def open_model(
    path, thresholds=None, *, size=None, batch_size=None, threads=None, providers=None
) -> Detector:
    """Opens a detector in whatever form it is.

    Args:
        path: `.keras`, `.tflite`, `.onnx` or OpenVINO `.xml` file, the folder of a SavedModel, a
            name that `yolov2 models` lists, or the address of a served model, see
            `yolov2_tf.export.serving.client.open_served`.
        thresholds: `Thresholds`; what is None is as the file was exported, or the default. Exported
            forms refuse those that the export has fixed otherwise.
        size: Side of the input in pixels, of a `.keras` file; default: the model's own.
        batch_size: How many pictures go through the network at once, of `.keras` files (default:
            8) and of `.onnx` and `.xml` files with a batch of any size (default: 1).
        threads: How many threads a `.tflite`, `.onnx` or `.xml` file may use; default: the
            runtime's choice.
        providers: Of `.onnx` files: ONNX Runtime's execution providers in the order of preference,
            e.g. `["CUDAExecutionProvider", "CPUExecutionProvider"]`; default: the CPU.

    Returns:
        `Detector`.

    Raises:
        InputError: If there is no such file, its form is not known, what runs it is missing, or
            something is asked for that it does not have.
    """
    if batch_size is not None and not (isinstance(batch_size, int | np.integer) and batch_size > 0):
        raise InputError(f"batch size {batch_size}", expected="a whole number, 1 or more")
    address, served = str(path), is_served(path)
    path = Path(path) if served else model_path(path)
    if path.suffix != ".onnx":
        _refuse_setting("execution provider", providers, path, "a .onnx file")
    if path.suffix == ".keras":
        from yolov2_tf.export.keras_detector import KerasDetector

        _refuse_setting("number of threads", threads, path, "a .tflite, .onnx or .xml file")
        return KerasDetector(path, thresholds, size=size, batch_size=batch_size or 8)
    _refuse_setting("input size", size, path, "a .keras file")
    if path.suffix not in (".onnx", ".xml"):
        _refuse_setting("batch size", batch_size, path, "a .keras, .onnx or .xml file")
    match path.suffix:
        case ".tflite":
            from yolov2_tf.export.runtime import TFLiteDetector

            return TFLiteDetector(path, threads, thresholds=thresholds)
        case ".onnx":
            from yolov2_tf.export.onnx import OnnxDetector

            return OnnxDetector(
                path, threads, thresholds=thresholds, batch_size=batch_size, providers=providers
            )
        case ".xml":
            from yolov2_tf.export.openvino import OpenVinoDetector

            return OpenVinoDetector(path, threads, thresholds=thresholds, batch_size=batch_size)
    _refuse_setting("number of threads", threads, path, "a .tflite, .onnx or .xml file")
    if served:
        from yolov2_tf.export.serving.client import open_served

        return open_served(address, thresholds)
    if path.is_dir():
        from yolov2_tf.export.saved_model import SavedModelDetector

        return SavedModelDetector(path, thresholds=thresholds)
    raise InputError("not an exported detector", where=path, expected=FORMS)


def is_served(path):
    """Whether it is the address of a served model, and not of a file that can be fetched."""
    address = str(path)
    scheme, found, _ = address.partition("://")
    return bool(found) and scheme in PROTOCOLS and not address.endswith(ONE_FILE)


def batch_of(shape, wanted, where):
    """How many pictures a file is given at once.

    Args:
        shape: Shape of its input; None for a side that is not fixed.
        wanted: How many are asked for, or None.
        where: The file, for the message.

    Raises:
        InputError: If the file has another number, fixed.
    """
    fixed = shape[0]
    if fixed is not None and wanted not in (None, fixed):
        raise InputError(
            f"the batch is fixed at {fixed} in it: {wanted} cannot be had",
            where=where,
            hint="export it with --batch-size dynamic, or use the .keras file",
        )
    return fixed or wanted or 1


def _refuse_setting(what, value, path, having):
    if value is not None:
        kind = "a Keras model" if path.suffix == ".keras" else "an exported model"
        raise InputError(f"the {what} is fixed in {kind}", where=path, expected=having)
