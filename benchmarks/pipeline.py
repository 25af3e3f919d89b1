"""Images per second of the training input pipeline, beside a plain one, in the same run.

    python benchmarks/pipeline.py DATA [--size 416] [--seconds 10]

The peer does the least that a training needs: decode, resize, batch, with tf.data and nothing
random. CPU milliseconds an image are the steadier figure on a machine that others use.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf

from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.picture_reader import reader
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.pixel_memory import PixelMemory
from yolov2_tf.data.source import open_dataset


def plain_batches(dataset, batch_size, size):
    read = reader(dataset.records)
    stream = tf.data.Dataset.range(len(dataset)).repeat()
    stream = stream.map(
        lambda index: tf.image.resize(read(index), [size, size]),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return stream.batch(batch_size, drop_remainder=True).prefetch(2)


def measure(name, batches, batch_size, seconds):
    stream = iter(batches)
    for _ in range(3):  # buffers fill, AUTOTUNE finds its feet
        next(stream)
    images, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        next(stream)
        images += batch_size
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<42} {images / wall:7.0f} images/s {1000 * cpu / images:7.2f} CPU ms/image")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()

    dataset, _ = check_images(open_dataset(options.data))
    size, batch = options.size, options.batch_size
    print(f"{dataset.name}: {len(dataset)} images, {size} px, batches of {batch}")
    pipelines = {
        "plain: decode, resize": plain_batches(dataset, batch, size),
        "full: crop, flip, colour, resize, boxes": training_batches(
            dataset, batch_size=batch, size=size
        ),
        "full, decoded pictures in memory": training_batches(
            dataset, batch_size=batch, size=size, memory=PixelMemory()
        ),
        "full, letterbox": training_batches(
            dataset, batch_size=batch, size=size, resize="letterbox"
        ),
    }
    for name, batches in pipelines.items():
        measure(name, batches, batch, options.seconds)


if __name__ == "__main__":
    main()
