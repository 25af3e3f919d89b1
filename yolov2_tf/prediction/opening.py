"""Opens a detector as `yolov2 predict` is asked to, in whatever process."""

from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.export.detectors import open_model
from yolov2_tf.export.formats import check_tree_options


def open_detector(
    model, score, *, iou=None, tree_threshold=None, size=None, batch_size=None, provider=None
):
    """Opens a detector.

    Args:
        model: As for `open_model`.
        score: Detections score above this.
        iou: Overlap of one object's boxes, or None.
        tree_threshold: Least Pr(node | object), or None.
        size: As for `open_model`.
        batch_size: As for `open_model`.
        provider: Names of ONNX Runtime's execution providers by preference, or None.

    Raises:
        InputError: As `open_model`, or if it has no tree that there could be a threshold of.
    """
    thresholds = Thresholds(score, iou, tree=tree_threshold)
    detector = open_model(model, thresholds, size=size, batch_size=batch_size, providers=provider)
    check_tree_options(detector.tree, {"tree_threshold": tree_threshold}, model)
    return detector
