"""The int8 files of `benchmarks/exported.py` and bfloat16, each in a process of its own, in turns.

    python benchmarks/apart.py OUT [--threads 2] [--runs 30]

OUT is the folder of `benchmarks/exported.py`.
"""

import argparse
import functools
from pathlib import Path

import numpy as np

from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.export.onnx import OnnxDetector
from yolov2_tf.export.openvino import OpenVinoDetector
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.timing import OwnProcess

FORMS = {
    "TFLite int8": (TFLiteDetector, "tflite/int8.tflite", {}),
    "OpenVINO int8": (OpenVinoDetector, "openvino_int8/model.xml", {}),
    "OpenVINO int8 bf16": (OpenVinoDetector, "openvino_int8/model.xml", {"precision": "bf16"}),
    "OpenVINO bf16": (OpenVinoDetector, "openvino/model.xml", {"precision": "bf16"}),
    "ONNX int8": (OnnxDetector, "onnx_int8/model.onnx", {}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=30)
    args = parser.parse_args()

    timers = {
        name: OwnProcess(
            functools.partial(kind, args.out / file, args.threads, thresholds=EVALUATION, **more)
        )
        for name, (kind, file, more) in FORMS.items()
    }
    size = TFLiteDetector(args.out / FORMS["TFLite int8"][1]).input_size
    random = np.random.default_rng(0)
    pictures = random.uniform(0, 255, (args.runs + 1, size, size, 3)).astype(np.float32)
    taken = {name: [] for name in timers}
    for picture in pictures:
        for name, timer in timers.items():
            taken[name].append(timer.milliseconds(picture))
    for timer in timers.values():
        timer.close()
    medians = {name: np.median(times[1:]) for name, times in taken.items()}  # the first warms up
    for name, median in medians.items():
        print(f"{name}: {median:.1f} ms, {median / medians['TFLite int8']:.2f} times TFLite int8")


if __name__ == "__main__":
    main()
