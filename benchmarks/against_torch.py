"""A training step of YOLOv2 here and in PyTorch by lightnet, in turn.

    python benchmarks/against_torch.py --torch OTHER/bin/python [--size 416] [--batch-size 8]

OTHER is a virtual environment with `torch` and `lightnet`. Every figure is a process of its own:
network, YOLOv2's loss and SGD on the same noise, without reading pictures; two warming steps, then
the median. lightnet runs channels last.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

CLASSES = 20

SIDES = (
    ("lightnet, float32", "torch", "float32"),
    ("lightnet, bfloat16 (autocast)", "torch", "bfloat16"),
    ("here, float32", "here", "float32"),
    ("here, --precision auto", "here", "auto"),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", metavar="PYTHON", help="interpreter that has PyTorch")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs=2, metavar=("SIDE", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        side, precision = options.only
        print(json.dumps({"torch": torch_steps, "here": own_steps}[side](precision, options)))
        return
    if not options.torch:
        parser.error("--torch PYTHON: an interpreter that has PyTorch")
    taken = {name: [] for name, *_ in SIDES}
    for _ in range(options.rounds):
        for name, side, precision in SIDES:
            python = options.torch if side == "torch" else sys.executable
            line = [python, __file__, "--only", side, precision, "--size", str(options.size)]
            line += ["--batch-size", str(options.batch_size), "--steps", str(options.steps)]
            done = subprocess.run(line, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{name}: {done.stderr[-2000:]}")
            taken[name] += json.loads(done.stdout.splitlines()[-1])
    base = statistics.median(taken[SIDES[0][0]])
    print(f"load {os.getloadavg()[0]:.1f}\n\n| network | s a step | pictures a second | times |")
    print("|---|--:|--:|--:|")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        rate, times = options.batch_size / median, base / median
        print(f"| {name} | {median:.2f} | {rate:.2f} | {times:.2f} |")


def torch_steps(precision, options):
    """Seconds of each step in PyTorch."""
    import lightnet
    import torch

    network = lightnet.models.YoloV2(CLASSES).to(memory_format=torch.channels_last).train()
    loss = lightnet.network.loss.RegionLoss(CLASSES, network.anchors, network.stride)
    optimizer = torch.optim.SGD(network.parameters(), 1e-5, momentum=0.9)
    images, corners, labels = batch(options)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    images = images.contiguous(memory_format=torch.channels_last)
    boxes = np.concatenate([labels[..., None], corners + 0.1, np.full_like(corners, 0.2)], axis=2)
    truths = torch.from_numpy(boxes).float()

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            outputs = network(images)
        loss(outputs.float().contiguous(), truths).backward()
        optimizer.step()

    return timed(step, options.steps)


def own_steps(precision, options):
    """Seconds of each step here, with YOLOv2's loss."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    import tensorflow as tf

    from yolov2_tf.detection.loss import YOLOv2Loss
    from yolov2_tf.models.yolov2 import YOLOv2
    from yolov2_tf.training.precision import fastest

    keras.mixed_precision.set_global_policy(fastest() if precision == "auto" else precision)
    network = YOLOv2([str(label) for label in range(CLASSES)], input_size=options.size)
    network.compile(keras.optimizers.SGD(1e-5, momentum=0.9), loss=YOLOv2Loss(network.head.anchors))
    images, corners, labels = batch(options)
    truths = {
        "boxes": tf.constant(np.concatenate([corners, corners + 0.2], axis=2), tf.float32),
        "labels": tf.constant(labels, tf.int32),
    }
    images = tf.constant(images)
    return timed(lambda: network.train_on_batch(images, truths), options.steps)


def batch(options):
    """Noise with three boxes each: images uint8, upper left corners, labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (options.batch_size, options.size, options.size, 3), np.uint8)
    labels = rng.integers(0, CLASSES, (options.batch_size, 3))
    return images, rng.uniform(0, 0.8, (options.batch_size, 3, 2)), labels


def timed(step, steps):
    """Seconds of each of so many steps, after two that warm up."""
    step(), step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
