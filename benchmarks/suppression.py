"""Whether suppression inside an ONNX file or an OpenVINO model finds what ours finds.

    python benchmarks/suppression.py MODEL DATA [--split test] [--score 0.005] [--form .xml]

Says in how many pictures all boxes agree (IoU above .99, scores to 1e-4, the same classes). Where
one does not, it says how near a decision was: how far the box's score is from the threshold, and
how far its overlap with a better box of its class is from the limit of suppression.
"""

import argparse
import dataclasses
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from yolov2_tf.boxes import iou
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.export.onnx import OnnxDetector, export_onnx
from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino
from yolov2_tf.zoo.names import load_model

FORMS = {".onnx": (export_onnx, OnnxDetector), ".xml": (export_openvino, OpenVinoDetector)}


def unmatched(found, others):
    """Indices of the detections `found` that `others` lack."""
    if not len(others["scores"]):
        return range(len(found["scores"]))
    same = found["labels"][:, None] == others["labels"]
    same &= np.abs(found["scores"][:, None] - others["scores"]) <= 1e-4
    same &= np.asarray(iou(found["boxes"][:, None], others["boxes"][None])) > 0.99
    return np.flatnonzero(~same.any(axis=1))


def margins(found, index, limits):
    """How far a detection is from the threshold of scores, and from being suppressed."""
    score = found["scores"][index] - limits.score
    better = (found["labels"] == found["labels"][index]) & (np.arange(len(found["labels"])) < index)
    overlaps = np.asarray(iou(found["boxes"][index][None], found["boxes"][better]))
    return float(score), float(np.abs(overlaps - limits.iou).min(initial=np.inf))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--split", default=None)
    parser.add_argument("--score", type=float, default=EVALUATION.score)
    parser.add_argument("--form", choices=FORMS, default=".onnx")
    args = parser.parse_args()

    limits = dataclasses.replace(EVALUATION, score=args.score)
    model = load_model(args.model)
    ours = KerasDetector(model, limits)
    export, detector = FORMS[args.form]
    records = list(open_dataset(args.data, split=args.split).records)
    paths = [record.image for record in records]
    equal = boxes = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{args.form}"
        export(model, path, thresholds=limits, nms=True)
        theirs = detector(path, thresholds=limits)
        for name, wanted, found in zip(
            paths, ours.detect(paths), theirs.detect(paths), strict=True
        ):
            boxes += len(wanted["scores"])
            differing = [(wanted, i, "ours") for i in unmatched(wanted, found)]
            differing += [(found, i, theirs.runtime) for i in unmatched(found, wanted)]
            equal += not differing
            for side, index, who in differing:
                score, overlap = margins(side, index, limits)
                print(
                    f"{Path(name).name}: only {who}: {side['labels'][index]} at "
                    f"{side['scores'][index]:.6f}, {score:.1e} above the threshold, "
                    f"{overlap:.1e} from the limit of overlap"
                )
    print(f"{theirs.runtime}: equal in {equal} of {len(paths)} pictures, {boxes:,} boxes")


if __name__ == "__main__":
    main()
