"""The tf.data pipeline that feeds training.

Everything about a training picture — which record, which view, which size — is a pure function
of the seed and its place in the stream. The same seed therefore gives the same batches, and a
resumed training sees those it would have seen.
"""

import tensorflow as tf

from yolov2_tf.anchors import STRIDE
from yolov2_tf.data.augment import mirror, random_colours, random_view, take_view, view_boxes
from yolov2_tf.data.images import decode_image

JITTER = 0.2
"""How far each border of a training picture moves, as in Darknet's VOC configuration."""


def training_batches(
    dataset,
    *,
    classification=None,
    ratio=(4, 1),
    smallest=1.0,
    batch_size=64,
    size=416,
    multi_scale=None,
    resize_every=10,
    resize="stretch",
    jitter=JITTER,
    flip=True,
    colours=True,
    seed=0,
    first_step=0,
):
    """Endless batches of augmented pictures in random order.

    Args:
        dataset: `yolov2_tf.data.records.Dataset` with images that can be read, see
            `yolov2_tf.data.images.check_images`.
        classification: `ClassificationDataset` whose pictures are mixed in, or None. Its labels
            mean what those of `dataset` do.
        ratio: `(boxes, labels)`, how many pictures of `dataset` come with how many of
            `classification`; they are spread evenly, so every batch is mixed.
        smallest: How small pictures of `classification` may be shown, as a fraction of the view.
            What they show is large; among objects with boxes there are small ones.
        batch_size: B, pictures a batch.
        size: Side of the pictures in pixels, where `multi_scale` is None.
        multi_scale: `(smallest, largest)` side, multiples of 32: every `resize_every` batches
            another size is drawn from this range (paper, section 2, "Multi-Scale Training").
        resize_every: How many batches share a size.
        resize: `stretch` or `letterbox`, as the model.
        jitter: How far each border moves, as a fraction of its side; 0 leaves pictures whole.
        flip: Whether half of the pictures are mirrored.
        colours: Whether hue, saturation and exposure are shifted.
        seed: Makes the stream reproducible.
        first_step: Number of the first batch: where a resumed training goes on.

    Returns:
        `tf.data.Dataset` of `(images (B, S, S, 3) uint8, {"boxes": (B, M, 4) float32,
        "labels": (B, M) int32})`, padded with empty boxes of label -1. With `classification` also
        `"image_labels": (B,)` int32, -1 for pictures with boxes; the others have none.
    """
    labelled = () if classification is None else classification.records
    read = reader([*dataset.records, *labelled])
    truths = _truths(dataset.records, len(labelled))
    image_labels = tf.constant([-1] * len(dataset) + [r.label for r in labelled], tf.int32)

    def example(place):
        """The picture at this place of the stream."""
        if labelled:
            index = mixed_index(place, (len(dataset), len(labelled)), ratio, seed)
        else:
            index = shuffled_index(place, len(dataset), seed)
        image_label = image_labels[index]
        side = size
        if multi_scale is not None:
            side = multi_scale_size(place // batch_size, multi_scale, resize_every, seed)
        seeds = tf.random.split(tf.random.fold_in([seed, 1], tf.cast(place, tf.int32)), 3)
        image = read(index)
        shape = tf.shape(image)[:2]
        view = random_view(
            shape,
            side,
            jitter,
            seeds[0],
            letterbox=resize == "letterbox",
            smallest=tf.where(image_label < 0, 1.0, smallest),
        )
        boxes, labels = view_boxes(*truths(index), shape, view, side)
        image = take_view(image, view, side)
        if colours:
            image = random_colours(image, seeds[1])
        # Batching copies every picture: as uint8 that is a fifth of the time.
        image = tf.saturate_cast(tf.round(image), tf.uint8)
        if flip:
            mirrored = tf.random.stateless_uniform([], seeds[2]) < 0.5
            image, boxes = tf.cond(mirrored, lambda: mirror(image, boxes), lambda: (image, boxes))
        image.set_shape([None, None, 3])
        truth = {"boxes": boxes, "labels": labels}
        return image, truth | ({"image_labels": image_label} if labelled else {})

    padding = {"boxes": 0.0, "labels": -1} | ({"image_labels": -1} if labelled else {})
    stream = tf.data.Dataset.range(first_step * batch_size, tf.int64.max)
    stream = stream.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.padded_batch(
        batch_size,
        padding_values=(tf.constant(0, tf.uint8), padding),
        drop_remainder=True,
    )
    return stream.prefetch(2)


def multi_scale_size(step, limits, every, seed):
    """Side of the pictures of batch `step`: a pure function of the seed and the step.

    Args:
        step: Number of the batch, from 0, scalar.
        limits: `(smallest, largest)` side in pixels, multiples of 32.
        every: How many batches share a size.
        seed: Integer.

    Returns:
        Scalar int32 tensor.
    """
    smallest, largest = limits[0] // STRIDE, limits[1] // STRIDE
    draw = tf.random.fold_in([seed, 2], tf.cast(step // every, tf.int32))
    return STRIDE * tf.random.stateless_uniform([], draw, smallest, largest + 1, tf.int32)


def shuffled_index(place, count, seed):
    """The record at a place of the endless stream: every epoch is another permutation."""
    epoch = tf.cast(place // count, tf.int32)
    index = tf.random.experimental.index_shuffle(
        tf.cast(place % count, tf.int32), tf.stack([seed, epoch]), count - 1
    )
    return index


def mixed_index(place, counts, ratio, seed):
    """The picture at a place of a stream of two data sets, of which the second follows the first.

    Args:
        place: Scalar int64.
        counts: `(boxes, labels)`, the pictures of each.
        ratio: `(boxes, labels)`, how many of each follow one another.
        seed: Integer.

    Returns:
        Scalar, below `sum(counts)`. Each data set is seen in an order of its own, all of it
        before any of it again.
    """
    labelled_before = place * ratio[1] // sum(ratio)
    is_labelled = (place + 1) * ratio[1] // sum(ratio) > labelled_before
    return tf.where(
        is_labelled,
        counts[0] + shuffled_index(labelled_before, counts[1], -1 - seed),
        shuffled_index(place - labelled_before, counts[0], seed),
    )


def reader(records):
    """Function from a record's index, a scalar tensor, to its picture `(H, W, 3)` uint8."""
    orientations = tf.constant([record.orientation for record in records], tf.int32)
    sources = [record.image for record in records]
    if all(isinstance(source, str) for source in sources):
        paths = tf.constant(sources)
        return lambda index: decode_image(tf.io.read_file(paths[index]), orientations[index])

    def encoded(index):
        source = sources[index]
        if isinstance(source, str):
            with open(source, "rb") as file:
                return file.read()
        return source if isinstance(source, bytes) else source()

    # Only for sources in memory or behind a function (TFDS); files are read in the graph.
    return lambda index: decode_image(
        tf.ensure_shape(tf.numpy_function(encoded, [index], tf.string), []), orientations[index]
    )


def _truths(records, more=0):
    """Function from a record's index to its boxes `(n, 4)` and labels `(n,)` that train.

    After the records come `more` pictures without any.
    """
    counts = [int((~record.ignore).sum()) for record in records] + [0] * more
    boxes = [box for record in records for box in record.boxes[~record.ignore]]
    labels = [label for record in records for label in record.labels[~record.ignore]]
    boxes = tf.RaggedTensor.from_row_lengths(
        tf.reshape(tf.constant(boxes, tf.float32), [-1, 4]), counts
    )
    labels = tf.RaggedTensor.from_row_lengths(tf.constant(labels, tf.int32), counts)
    return lambda index: (boxes[index], labels[index])
