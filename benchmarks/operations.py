"""Which operations a training step, or finding boxes, spends its time in.

    python benchmarks/operations.py train --width 0.25 --size 256 --batch-size 32 \
        --precision mixed_bfloat16
    python benchmarks/operations.py predict --width 0.25 --size 320

Prints the milliseconds of a step and a table of operations, summed over all threads: the sum is up
to as many times longer than the step as there are processors.
"""

import argparse
import collections
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.detection.predict import detector
from yolov2_tf.optimizers import FusedAdam
from yolov2_tf.training.detection import BUILDERS
from yolov2_tf.training.weight_mean import WeightMean

BOXES = 14  # an image, as in BCCD
NAMES = ["a", "b", "c"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "predict"))
    parser.add_argument("--model", choices=BUILDERS, default="yolov2")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    keras.mixed_precision.set_global_policy(options.precision)
    network = BUILDERS[options.model](NAMES, width=options.width, input_size=options.size)
    steps = {"train": training, "predict": predicting}[options.what](network, options)
    steps(3)  # warms up
    start = time.perf_counter()
    steps(options.steps)
    seconds = (time.perf_counter() - start) / options.steps
    print(f"{1e3 * seconds:.0f} ms a step, {options.batch_size / seconds:.1f} pictures a second\n")
    print("| operation | ms a step | times |\n|---|--:|--:|")
    for name, (milliseconds, times) in operations(steps, options.steps):
        print(f"| {name} | {milliseconds:.1f} | {times:.0f} |")


def training(network, options):
    """Returns a function that trains so many steps, as `yolov2 train` does."""
    images, truths = batch(options)
    adam = FusedAdam(1e-5, global_clipnorm=10.0)
    network.compile(adam, loss=YOLOv2Loss(network.head.anchors))
    batches = tf.data.Dataset.from_tensors((images, truths)).repeat()
    mean = WeightMean(0.999)
    return lambda steps: network.fit(
        batches, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[mean]
    )


def predicting(network, options):
    """Returns a function that finds boxes so many times."""
    images, _ = batch(options)
    model = detector(network, 0.005)
    images = tf.cast(images, tf.float32)
    return lambda steps: [model.predict_on_batch(images) for _ in range(steps)]


def batch(options):
    """Noise with boxes in it: `(images, truths)`."""
    rng = np.random.default_rng(0)
    shape = (options.batch_size, options.size, options.size, 3)
    corners = rng.uniform(0, 0.8, (options.batch_size, BOXES, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.05, 0.2, corners.shape)], axis=2)
    return tf.constant(rng.integers(0, 256, shape), tf.uint8), {
        "boxes": tf.constant(boxes, tf.float32),
        "labels": tf.constant(rng.integers(0, len(NAMES), boxes.shape[:2]), tf.int32),
    }


def operations(steps, count, most=16):
    """The operations that take longest: `[(name, (milliseconds, times))]` of a step."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            steps(count)
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    taken, times = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                node, _, operation = name.rpartition(":")
                if node and operation.lstrip("_").isalnum() and "::" not in name:
                    taken[operation] += event.duration_ps / 1e9 / count
                    times[operation] += 1 / count
    return [(name, (taken[name], times[name])) for name, _ in taken.most_common(most)]


if __name__ == "__main__":
    main()
