"""Opens an exported detector by its form."""

from pathlib import Path

from yolov2_tf.errors import InputError

FORMS = "a .tflite, .onnx or OpenVINO .xml file, or a SavedModel folder"


def open_exported(path, score_threshold=None, threads=None):
    """Opens an exported detector.

    Args:
        path: A `.tflite`, `.onnx` or OpenVINO `.xml` file, or the folder of a SavedModel.
        score_threshold: Detections score above this, 0..1; default: see `TFLiteDetector`.
        threads: How many threads it may use, where the form allows to say; default: its choice.

    Returns:
        Object with `class_names` and `detect(image)`, see `TFLiteDetector.detect`.

    Raises:
        InputError: If it is none of these or cannot be used.
    """
    path = Path(path)
    if path.suffix == ".tflite":
        from yolov2_tf.export.runtime import TFLiteDetector

        return TFLiteDetector(path, threads, score_threshold)
    if path.suffix in (".onnx", ".xml"):
        from yolov2_tf.export.onnx import OnnxDetector

        return OnnxDetector(path, threads, score_threshold)
    if path.is_dir():
        from yolov2_tf.export.saved_model import SavedModelDetector

        return SavedModelDetector(path, score_threshold)
    raise InputError("not an exported detector", where=path, expected=FORMS)


class KerasDetector:
    """Runs a `.keras` file.

    Args:
        path: The file.
        thresholds: `Thresholds`.
        size: Side of the input in pixels, or None for the model's own.
        batch_size: Pictures at once.
    """

    def __init__(self, path, thresholds, *, size=None, batch_size=8):
        from yolov2_tf.detection.decoding import TREE_THRESHOLD
        from yolov2_tf.detection.predict import detector
        from yolov2_tf.models.loading import load_model

        tree = TREE_THRESHOLD if thresholds.tree is None else thresholds.tree
        self._model = detector(
            load_model(path), thresholds.score, thresholds.iou, thresholds.detections, tree
        )
        self._size = size
        self._batch_size = batch_size

    @property
    def class_names(self):
        """Names that the labels index."""
        from yolov2_tf.models.heads import find_head

        return find_head(self._model).class_names

    @property
    def tree(self):
        """The `WordTree` whose nodes the labels are, or None."""
        from yolov2_tf.models.heads import find_head

        return find_head(self._model).tree

    def detect(self, pictures):
        """Yields the detections of each picture, see `yolov2_tf.detection.predict.detect`."""
        from yolov2_tf.detection.predict import detect

        return detect(self._model, pictures, size=self._size, batch_size=self._batch_size)


class _Exported:
    """Runs an exported form picture by picture."""

    def __init__(self, path, thresholds):
        from yolov2_tf.export.detectors import open_exported
        from yolov2_tf.trees.wordtree import as_tree

        self._detector = open_exported(path, thresholds.score)
        self.class_names = self._detector.class_names
        self.tree = as_tree(self._detector.layout.get("tree"))

    def detect(self, pictures):
        return map(self._detector.detect, pictures)


def open_model(path, thresholds, *, size=None, batch_size=8):
    """Opens a detector by the form of its file.

    Args:
        path: `.keras` or `.tflite` file, SavedModel folder, or another form that
            `yolov2_tf.export.detectors.open_exported` knows.
        thresholds: `Thresholds`; exported forms keep all but that of the score as they were
            exported.
        size: Side of the input in pixels, or None for the model's own; exported forms have one.
        batch_size: Pictures at once, where the form allows more than one.

    Returns:
        Object with `class_names`, `tree` and `detect(pictures)`, which takes an iterable of
        `(H, W, 3)` uint8 arrays and yields dicts of `boxes` `(n, 4)`, `labels` `(n,)` and
        `scores` `(n,)`.

    Raises:
        InputError: If there is no such file, its form is not known, or a size or a threshold of
            the tree is given that it cannot take.
    """
    path = Path(path)
    if path.suffix == ".keras":
        opened = KerasDetector(path, thresholds, size=size, batch_size=batch_size)
        if opened.tree is None and thresholds.tree is not None:
            raise InputError("has no label tree", where=path, expected="no --tree-threshold")
        return opened
    for option, value in (("--size", size), ("--tree-threshold", thresholds.tree)):
        if value is not None:
            raise InputError(f"{option} is fixed in an exported model", where=path)
    return _Exported(path, thresholds)
