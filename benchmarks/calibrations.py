"""How far int8 files of a detector are from it, and what of that is due to the calibration.

    python benchmarks/calibrations.py trial3.keras ../shared/data/voc2007_sample \
        ../shared/data/voc2012_animals

Calibrates on some pictures drawn at random, again and again, and scores each file and the model on
the same pictures. The last column is a paired bootstrap over these: a difference whose interval
holds 0 may be that of the pictures. Where the files differ from one another by as much as from the
model, it is chance; where they lie on one side of it, it is not.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.evaluation.intervals import Resampling, intervals
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.zoo.names import load_model


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a .keras file, or a name of `yolov2 models`")
    parser.add_argument("data", help="pictures to score on, none of CALIBRATION")
    parser.add_argument("calibration", help="a data set; its labels are not looked at")
    parser.add_argument("--split", default="test", help="image set of DATA")
    parser.add_argument("--pictures", type=int, default=100, help="of each calibration")
    parser.add_argument("--draws", type=int, default=4, help="calibrations")
    parser.add_argument("--files", type=Path, help="folder to keep the files in, or to take from")
    options = parser.parse_args()

    model = load_model(options.model)
    dataset = open_dataset(options.data, split=options.split, class_names=model.head.class_names)
    found = detections(KerasDetector(model, EVALUATION), dataset)
    own, theirs = evaluate(dataset, found).map, Resampling(dataset, found)
    print(f"| {len(dataset):,} pictures | mAP % | less the model's | with other pictures |")
    print(f"|---|--:|--:|--:|\n| Keras | {100 * own:.2f} | | |", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        files = int8_files(model, options, options.files or Path(scratch))
        for name, path in files:
            found = detections(TFLiteDetector(path, thresholds=EVALUATION), dataset)
            less = evaluate(dataset, found).map - own
            (low, high), _ = intervals(Resampling(dataset, found), theirs)
            points = f"{100 * less:+.2f} | {100 * low:+.2f} to {100 * high:+.2f}"
            print(f"| {name} | {100 * (own + less):.2f} | {points} |", flush=True)


def int8_files(model, options, folder):
    """Yields `(name, path)` of a file for each drawing of calibration pictures."""
    conversion = None
    for seed in range(options.draws):
        path = folder / f"int8_{seed}.tflite"
        if not path.exists():
            conversion = conversion or Conversion(model, thresholds=EVALUATION)
            pictures = drawn(options.calibration, options.pictures, seed)
            conversion.write(path, quantization="int8", calibration=pictures)
        yield f"int8, calibration {seed}", path


def drawn(data, count, seed):
    """So many pictures of a data set, drawn at random."""
    records = open_dataset(data).records
    chosen = np.random.default_rng(seed).choice(len(records), count, replace=False)
    return [load_image(records[i].image) for i in chosen.tolist()]


def detections(detector, dataset):
    """What a detector finds in each picture of a data set."""
    return list(detector.detect(record.image for record in dataset.records))


if __name__ == "__main__":
    main()
