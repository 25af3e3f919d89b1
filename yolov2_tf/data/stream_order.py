"""Which picture and which size come at which place of the endless stream that trains.

All are pure functions of the seed and the place: a resumed run sees what it would have seen.
"""

from fractions import Fraction

import tensorflow as tf

from yolov2_tf.models.input_sides import STRIDE

FOUR = 4
"""Pictures of a view that shows several, one in each quarter."""


def places(batch_size, first_step, share):
    """`tf.data.Dataset` of places in the stream, int64: of all batches, or of a share of each.

    Args:
        batch_size: Pictures of a whole batch.
        first_step: Number of the first batch.
        share: `(k, n)`, see `training_batches`; n divides the batch size.
    """
    part, parts = share
    size = batch_size // parts
    stream = tf.data.Dataset.range(first_step * size, tf.int64.max)
    if parts == 1:
        return stream
    return stream.map(lambda i: i // size * batch_size + part * size + i % size)


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


def shuffled_index(place, count, seed, order=0):
    """The record at a place of the endless stream: every epoch is another permutation.

    Args:
        place: Scalar int64.
        count: How many records there are.
        seed: Integer.
        order: Which of `FOUR` such streams over the same records.

    Returns:
        Scalar int32 tensor.
    """
    epoch = tf.cast(place // count, tf.int32)
    if order:
        epoch = -(FOUR * epoch + order)  # never one of the first stream
    index = tf.random.experimental.index_shuffle(
        tf.cast(place % count, tf.int32), tf.stack([seed, epoch]), count - 1
    )
    return index


def views_ratio(ratio, mosaic):
    """How many views with boxes come with how many with labels.

    Args:
        ratio: `(boxes, labels)`, pictures, see `training_batches`.
        mosaic: Share of the views with labels that are four pictures at once.

    Returns:
        `(boxes, labels)`, whole numbers: 17 and 20 where of five views with labels four are of four
        pictures, and there are four such pictures for one with boxes.
    """
    share = Fraction(mosaic).limit_denominator(100)
    views = Fraction(ratio[1], ratio[0]) / (1 + 3 * share)
    return views.denominator, views.numerator


def mixed_place(place, ratio):
    """What comes at a place of a stream of two data sets.

    Args:
        place: Scalar int64.
        ratio: `(boxes, labels)`, how many views of each follow one another, see `views_ratio`.

    Returns:
        `(is_labelled, number)`: whether it is one of the second, and how many of the same data set
        came before it.
    """
    labelled_before = place * ratio[1] // sum(ratio)
    is_labelled = (place + 1) * ratio[1] // sum(ratio) > labelled_before
    return is_labelled, tf.where(is_labelled, labelled_before, place - labelled_before)


def labels_a_view(mosaic):
    """How many labels a view has: 4 where some are of four pictures at once, else 1."""
    return 1 if mosaic == 0 else FOUR


def labelled_indices(number, count, boxed, labelled, seed):
    """The pictures of one view with labels, behind `boxed` pictures with boxes.

    Args:
        number: Which of these views, from 0.
        count: Labels a view, see `labels_a_view`.
        boxed: How many pictures with boxes there are.
        labelled: How many with a label.
        seed: Of their order.

    Returns:
        List of `count` indices, scalar tensors.
    """
    return [boxed + shuffled_index(count * number + i, labelled, -1 - seed) for i in range(count)]


def boxed_indices(number, boxed, seed):
    """The pictures of one view with boxes that shows four; the first is the one of a view of one.

    Each quarter sees every picture once in a pass, in an order of its own.

    Args:
        number: Which view with boxes, from 0.
        boxed: How many pictures with boxes there are.
        seed: Of their order.

    Returns:
        List of `FOUR` indices, scalar tensors.
    """
    return [shuffled_index(number, boxed, seed, order) for order in range(FOUR)]


def pictures_of(places, boxed, labelled=0, *, ratio=None, mosaic=0.0, box_mosaic=0.0, seed=0):
    """Which pictures `training_batches` takes at places of its stream.

    Args:
        places: Integers.
        boxed: How many pictures with boxes there are.
        labelled: How many with a label, whose indices follow.
        ratio: As there, None where nothing is mixed in.
        mosaic: As there.
        box_mosaic: As there.
        seed: As there.

    Returns:
        List of indices; where one of four may be seen alone, all four.
    """
    indices = []
    views = None if ratio is None else views_ratio(ratio, mosaic)
    for place in places:
        place, is_labelled = tf.constant(place, tf.int64), False
        if views is not None:
            is_labelled, place = mixed_place(place, views)
        if is_labelled:
            count = labels_a_view(mosaic)
            indices += labelled_indices(place, count, boxed, labelled, seed)
        else:
            four = boxed_indices(place, boxed, seed)
            indices += four if box_mosaic > 0 else four[:1]
    return [int(index) for index in indices]
