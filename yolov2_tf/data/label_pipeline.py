"""The tf.data pipeline that feeds a classifier, with the parts of the detector's."""

import math

import numpy as np
import tensorflow as tf

from yolov2_tf.data.augment import (
    ASPECT,
    random_colours,
    random_crop,
    take_turned_view,
    take_view,
)
from yolov2_tf.data.labelled_images import check_labelled
from yolov2_tf.data.picture_reader import kept_reader, reader
from yolov2_tf.data.stream_order import places, shuffled_index
from yolov2_tf.resize import resize_image


def classification_batches(
    dataset,
    *,
    batch_size=128,
    sizes=((0, 224),),
    resize="stretch",
    zoom=(0.57, 2.0),
    rotation=0.0,
    flip=True,
    colours=True,
    saturation=1.5,
    exposure=1.5,
    seed=0,
    first_step=0,
    stand_ins=None,
    memory=None,
    share=(0, 1),
):
    """Endless batches of augmented pictures in random order.

    As in the detector's pipeline, everything about a picture is a function of the seed and its
    place in the stream.

    Args:
        dataset: `ClassificationDataset` with images that can be read, see
            `yolov2_tf.data.image_check.check_images`.
        batch_size: B, pictures a batch.
        sizes: `(step, size)` pairs, the first with step 0: from this step on pictures have sides
            of so many pixels, a multiple of 32.
        resize: `stretch` or `letterbox`, as the model.
        zoom: See `yolov2_tf.data.augment.random_crop`; `(1, 1)` shows pictures whole. Or one pair
            for each of the sizes.
        rotation: Largest turn of a picture either way, in degrees.
        flip: Whether half of the pictures are mirrored.
        colours: Whether hue, saturation and exposure are shifted.
        saturation: Largest factor of the saturation; its inverse is the smallest.
        exposure: The same of the brightness.
        seed: Makes the stream reproducible.
        first_step: Number of the first batch: where a resumed training goes on.
        stand_ins: `StandIns` for pictures that cannot be read any more, or None.
        memory: `PixelMemory` that keeps decoded pictures, or None. The batches are the same.
        share: `(k, n)`: only the k-th, from 0, of n equal parts of each batch, of B / n pictures.

    Returns:
        `tf.data.Dataset` of `(images (B, S, S, 3) uint8, labels (B,) int32)`.

    Raises:
        InputError: If this is no `ClassificationDataset`, or one without pictures.
    """
    check_labelled(dataset)
    labels = _labels(dataset)
    zooms = np.broadcast_to(np.asarray(zoom, np.float32), [len(sizes), 2])
    closest = max(side * high for (_, side), (_, high) in zip(sizes, zooms, strict=True))
    closest = round(closest * math.sqrt(ASPECT))
    read = kept_reader(reader(dataset.records), closest, memory, len(dataset))
    starts, sides = (tf.constant(column) for column in zip(*sizes, strict=True))
    zooms = tf.constant(zooms)

    @tf.autograph.experimental.do_not_convert
    def example(place):
        """The picture at this place of the stream."""
        index = shuffled_index(place, len(dataset), seed)
        if stand_ins is not None:
            index = stand_ins.of(index)
        step = tf.cast(place // batch_size, tf.int32)
        stage = tf.reduce_sum(tf.cast(step >= starts, tf.int32)) - 1
        side = sides[stage]
        draw = tf.random.fold_in([seed, 1], tf.cast(place, tf.int32))
        seeds = tf.random.split(draw, 3)
        image = read(index)
        letterbox = resize == "letterbox"
        low, high = tf.unstack(zooms[stage])
        view = random_crop(tf.shape(image)[:2], side, (low, high), seeds[0], letterbox)
        if rotation:
            turn = tf.random.stateless_uniform([], tf.random.fold_in(draw, 3), -rotation, rotation)
            image = take_turned_view(image, view, side, turn)
        else:
            image = take_view(image, view, side)
        if colours:
            image = random_colours(image, seeds[1], saturation=saturation, exposure=exposure)
        image = tf.saturate_cast(tf.round(image), tf.uint8)
        if flip:
            mirrored = tf.random.stateless_uniform([], seeds[2]) < 0.5
            image = tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image)
        image.set_shape([None, None, 3])
        return image, labels[index]

    stream = places(batch_size, first_step, share)
    stream = stream.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return stream.batch(batch_size // share[1], drop_remainder=True).prefetch(2)


def evaluation_batches(dataset, *, batch_size=32, size=224, resize="stretch"):
    """Each picture once, in order, as `yolov2_tf.resize` brings it to the network's input.

    Returns:
        `tf.data.Dataset` of `(images (B, S, S, 3) float32, labels (B,) int32)`; the last batch
        may be smaller.
    """
    read = reader(dataset.records)
    labels = _labels(dataset)

    @tf.autograph.experimental.do_not_convert
    def example(index):
        return resize_image(read(index), size, resize), labels[index]

    stream = tf.data.Dataset.range(len(dataset))
    stream = stream.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return stream.batch(batch_size).prefetch(2)


def _labels(dataset):
    return tf.constant([record.label for record in dataset.records], tf.int32)
