"""What the threads of another runtime in the same process cost a `.tflite` file.

    python benchmarks/beside.py OUT [--threads 2] [--runs 30]

OUT is the folder that `benchmarks/exported.py` writes, which times each form in a process of its
own. Here the int8 `.tflite` file and its neighbour take turns in one process: a picture through the
neighbour, then, timed, the same through the file. ONNX Runtime comes twice: as it is, and with
threads that sleep instead of spinning.
"""

import argparse
import functools
import multiprocessing
import time
from pathlib import Path

import numpy as np

from yolov2_tf.export.openvino import OpenVinoDetector
from yolov2_tf.export.optional import import_optional
from yolov2_tf.export.runtime import TFLiteDetector


def onnx_runtime(path, threads, spinning):
    """A function that runs a picture in ONNX Runtime."""
    runtime = import_optional("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    if not spinning:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda picture: session.run(None, {"image": picture[None]})


def openvino(path, threads):
    """A function that runs a picture in OpenVINO."""
    return OpenVinoDetector(path, threads).run


def nobody():
    """A neighbour that does nothing."""
    return lambda picture: None


def milliseconds(path, neighbour, threads, runs):
    """Median milliseconds of the file and of its neighbour."""
    file, other = TFLiteDetector(path, threads), neighbour()
    pictures = np.random.default_rng(0).uniform(0, 255, (4, file.input_size, file.input_size, 3))
    taken = []
    for run in range(runs + 3):  # three warm up
        picture = pictures[run % len(pictures)].astype(np.float32)
        times = []
        for ask in (other, file.run):
            start = time.perf_counter()
            ask(picture)
            times.append(1e3 * (time.perf_counter() - start))
        taken.append(times)
    theirs, ours = np.median(taken[3:], axis=0)
    return ours, theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=30)
    args = parser.parse_args()

    file = args.out / "onnx_int8" / "model.onnx"
    neighbours = {
        "alone": nobody,
        "ONNX Runtime": functools.partial(onnx_runtime, file, args.threads, True),
        "ONNX Runtime, allow_spinning 0": functools.partial(
            onnx_runtime, file, args.threads, False
        ),
        "OpenVINO": functools.partial(
            openvino, args.out / "openvino_int8" / "model.xml", args.threads
        ),
    }
    context = multiprocessing.get_context("spawn")
    for name, neighbour in neighbours.items():
        with context.Pool(1) as pool:
            words = (args.out / "tflite" / "int8.tflite", neighbour, args.threads, args.runs)
            ours, theirs = pool.apply(milliseconds, words)
        print(f"{name}: .tflite int8 {ours:.1f} ms, the neighbour {theirs:.1f} ms")


if __name__ == "__main__":
    main()
