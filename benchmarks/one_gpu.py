"""Steps and detections of one GPU, in float32 and in bfloat16: pictures a second.

    python benchmarks/one_gpu.py [--size 416] [--batches 8 64] [--width 1]

Steps of YOLOv2 and of Darknet-19 on pictures that are in memory already, each waited for, and
YOLOv2's detections with decoding and suppression. Reading pictures is not in it.
"""

import argparse
import time

import keras
import numpy as np
import tensorflow as tf

from yolov2_tf.classification.objectives import PathCrossEntropy
from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.detection.predict import detector
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.gradients import take_step
from yolov2_tf.models.heads import find_classification_head
from yolov2_tf.models.yolov2 import YOLOv2
from yolov2_tf.training.loop import prepare
from yolov2_tf.training.precision import fastest

CLASSES = [str(number) for number in range(20)]
BOXES = 14  # a picture


def pictures(rng, batch, size):
    return tf.constant(rng.integers(0, 256, (batch, size, size, 3)), tf.uint8)


def boxes(rng, batch):
    low = rng.uniform(0, 0.8, (batch, BOXES, 2))
    corners = np.concatenate([low, low + rng.uniform(0.05, 0.2, low.shape)], axis=2)
    labels = rng.integers(0, len(CLASSES), corners.shape[:2])
    return {"boxes": tf.constant(corners, tf.float32), "labels": tf.constant(labels, tf.int32)}


def seconds(work, rounds):
    """Mean time of a call once it is warm; `work` returns tensors, which are waited for."""

    def call():
        tf.nest.map_structure(lambda tensor: tensor.numpy(), work())

    for _ in range(3):
        call()
    start = time.perf_counter()
    for _ in range(rounds):
        call()
    return (time.perf_counter() - start) / rounds


def training_step(model, loss, x, y):
    """Function that takes one step of SGD and returns its loss."""
    optimizer = keras.optimizers.SGD(1e-5, momentum=0.9)
    model.compile(optimizer, loss=loss, jit_compile=False)
    prepare(model, tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), y))
    return tf.function(lambda: take_step(model, x, y)[0], autograph=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    size, width = options.size, options.width
    print(f"{tf.config.list_physical_devices('GPU') or 'no GPU'}; auto is {fastest()}")

    def tell(what, batch, taken):
        print(f"{what:<34}{batch:>5} {1000 * taken:9.1f} ms {batch / taken:9.0f} pictures/s")

    for policy in ("float32", "mixed_bfloat16"):
        keras.mixed_precision.set_global_policy(policy)
        for batch in options.batches:
            rng = np.random.default_rng(0)
            x = pictures(rng, batch, size)
            model = YOLOv2(CLASSES, width=width, input_size=size)
            step = training_step(model, YOLOv2Loss(model.head.anchors), x, boxes(rng, batch))
            tell(f"YOLOv2, a step, {policy}", batch, seconds(step, options.rounds))
            finds = detector(model)
            find = tf.function(lambda x=x, finds=finds: finds(x, training=False), autograph=False)
            tell(f"YOLOv2, detections, {policy}", batch, seconds(find, options.rounds))
            model = Darknet19(CLASSES, width=width, input_size=size)
            loss = PathCrossEntropy(find_classification_head(model).hierarchy)
            labels = tf.constant(rng.integers(0, len(CLASSES), batch), tf.int32)
            step = training_step(model, loss, x, labels)
            tell(f"Darknet-19, a step, {policy}", batch, seconds(step, options.rounds))


if __name__ == "__main__":
    main()
