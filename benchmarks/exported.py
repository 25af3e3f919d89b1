"""Every exported form of YOLOv2 and its peers, timed in one run.

    python benchmarks/exported.py DATA OUT [--cfg yolov2-voc.cfg] [--threads 2] [--runs 30]

DATA is the folder of real data that the tests use. The weights are random, so the times count and
the mAP does not; the head's are large enough for detections above the threshold of apps. Darknet's
`[reorg]` is in the network, so that OpenCV can run it. ONNX Runtime and OpenVINO take part where
they are installed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np

from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.reader import build_model

HEAD_SPREAD = 3.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cfg", default="yolov2-voc.cfg")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=30)
    args = parser.parse_args()

    args.out.mkdir(parents=True, exist_ok=True)
    path, table = args.out / "model.keras", args.out / "benchmark.json"
    random_network(args.data / "darknet", args.cfg).save(path)
    command = Path(sys.executable).with_name("yolov2")  # a process whose threads can still be set
    options = {
        "--data": args.data / "voc2007_sample",
        "--calibrate": args.data / "voc2012_animals",
        "--out": args.out,
        "--limit": 8,
        "--runs": args.runs,
        "--threads": args.threads,
        "--json": table,
    }
    words = (str(word) for option in options.items() for word in option)
    subprocess.run([command, "benchmark", path, *words], check=True)
    rows = {row["form"]: row for row in json.loads(table.read_text())}
    int8 = rows["TFLite int8"]["median_ms"]
    for name, row in rows.items():
        print(f"{name}: {row['median_ms'] / int8:.2f} times the time of TFLite int8")


def random_network(folder, cfg):
    keras.utils.set_random_seed(0)
    names = (folder / "voc.names").read_text().split()
    model = build_model(read_network(folder / cfg), class_names=names)
    kernel, bias = model.head.get_weights()
    spread = HEAD_SPREAD / kernel.shape[2] ** 0.5
    random = np.random.default_rng(0)
    model.head.set_weights([random.normal(0, spread, kernel.shape), np.zeros_like(bias)])
    return model


if __name__ == "__main__":
    main()
