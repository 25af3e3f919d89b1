"""Where the time of a training step goes: network, loss, and waiting for data.

    python benchmarks/training.py [--model tiny] [--width 0.5] [--size 416] [--batch-size 8]

Prints seconds of a step with YOLOv2's loss and of the same network with a mean square in its
place; their difference is what the loss and its metrics cost.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.training.detection import BUILDERS
from yolov2_tf.training.recipes import DetectionRecipe

BOXES = 14  # an image, as in BCCD


def step_seconds(model, images, truths, steps):
    batches = tf.data.Dataset.from_tensors((images, truths)).repeat()
    model.fit(batches, steps_per_epoch=2, verbose=0, shuffle=False)
    start = time.perf_counter()
    model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)
    return (time.perf_counter() - start) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=BUILDERS, default="tiny")
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    recipe = DetectionRecipe(model=options.model, width=options.width, size=options.size)

    rng = np.random.default_rng(0)
    shape = (options.batch_size, options.size, options.size, 3)
    images = tf.constant(rng.integers(0, 256, shape), tf.uint8)
    corners = rng.uniform(0, 0.8, (options.batch_size, BOXES, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(0.05, 0.2, corners.shape)], axis=2)
    truths = {
        "boxes": tf.constant(boxes, tf.float32),
        "labels": tf.constant(rng.integers(0, 3, boxes.shape[:2]), tf.int32),
    }
    detection = BUILDERS[recipe.model](["a", "b", "c"], width=recipe.width, input_size=recipe.size)
    plain = keras.Model(detection.input, detection.output)
    detection.compile(
        keras.optimizers.SGD(1e-5, momentum=0.9), loss=YOLOv2Loss(detection.head.anchors)
    )
    plain.compile(keras.optimizers.SGD(1e-5, momentum=0.9), loss="mse")
    target = tf.zeros_like(plain(images[:1]))
    target = tf.repeat(target, options.batch_size, axis=0)
    rows = {
        "network and YOLOv2Loss with metrics": step_seconds(
            detection, images, truths, options.steps
        ),
        "network and mean square": step_seconds(plain, images, target, options.steps),
    }
    for name, seconds in rows.items():
        rate = options.batch_size / seconds
        print(f"{name:<40} {1000 * seconds:8.1f} ms/step {rate:7.2f} images/s")


if __name__ == "__main__":
    main()
