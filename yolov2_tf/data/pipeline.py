"""The tf.data pipeline that feeds training.

Everything about a training picture — which record, which view, which size — is a pure function
of the seed and its place in the stream. The same seed therefore gives the same batches, and a
resumed training sees those it would have seen.
"""

import functools

import numpy as np
import tensorflow as tf

from yolov2_tf.data.augment import (
    mirror,
    random_colours,
    random_view,
    take_view,
    view_boxes,
)
from yolov2_tf.data.batch_settings import check_batch_settings
from yolov2_tf.data.dataset import check_records
from yolov2_tf.data.labelled_images import check_labelled
from yolov2_tf.data.picture_reader import kept_reader, reader
from yolov2_tf.data.same_classes import check_classes
from yolov2_tf.data.stream_order import (
    FOUR,
    boxed_indices,
    labelled_indices,
    labels_a_view,
    mixed_place,
    multi_scale_size,
    places,
    shuffled_index,
    views_ratio,
)

QUARTERS = np.array(
    [[0, 0, 0.5, 0.5], [0, 0.5, 0.5, 1], [0.5, 0, 1, 0.5], [0.5, 0.5, 1, 1]], np.float32
)
"""Where in the view each picture is where four are seen at once, as boxes `(4, 4)`."""

WHOLE = np.array([[0, 0, 1, 1], *3 * [[0, 0, 0, 0]]], np.float32)
"""Regions of the labels where one picture is seen: the other three labels are -1."""


JITTER = 0.2
"""How far each border of a training picture moves, as in Darknet's yolov2-tiny-voc.cfg."""


def training_batches(
    dataset,
    *,
    classification=None,
    ratio=(1, 4),
    mosaic=0.0,
    box_mosaic=0.0,
    batch_size=64,
    size=416,
    multi_scale=None,
    resize_every=10,
    resize="stretch",
    jitter=JITTER,
    flip=True,
    colours=True,
    saturation=1.5,
    exposure=1.5,
    seed=0,
    first_step=0,
    stand_ins=None,
    memory=None,
    share=(0, 1),
) -> tf.data.Dataset:
    """Endless batches of augmented pictures in random order.

    Args:
        dataset: `yolov2_tf.data.dataset.Dataset` with images that can be read, see
            `yolov2_tf.data.image_check.check_images`.
        classification: `ClassificationDataset` whose pictures are mixed in, or None. Its labels
            mean what those of `dataset` do.
        ratio: `(boxes, labels)`, how many pictures of `dataset` come with how many of
            `classification`; they are spread evenly, so every batch is mixed. In the paper ImageNet
            is larger than COCO by 4:1 (section 4). Four at once are four pictures.
        mosaic: Share of the views of `classification` that are four pictures at once, in the
            quarters of the view. So a view has four labels, of smaller things, with others around.
        box_mosaic: Share of the views of `dataset` that are four of its pictures at once, with the
            boxes of all (YOLOv4, arXiv:2004.10934, section 3.3). They count as one view.
        batch_size: B, views a batch.
        size: Side of the pictures in pixels, where `multi_scale` is None.
        multi_scale: `(smallest, largest)` side, multiples of 32: every `resize_every` batches
            another size is drawn from this range (paper, section 2, "Multi-Scale Training").
        resize_every: How many batches share a size.
        resize: `stretch` or `letterbox`, as the model.
        jitter: How far each border moves, as a fraction of its side; 0 leaves pictures whole.
        flip: Whether half of the pictures are mirrored.
        colours: Whether hue, saturation and exposure are shifted.
        saturation: Largest factor of the saturation; its inverse is the smallest.
        exposure: The same of the brightness.
        seed: Makes the stream reproducible.
        first_step: Number of the first batch: where a resumed training goes on.
        stand_ins: `StandIns` for pictures that cannot be read any more, those with boxes first.
        memory: `PixelMemory` that keeps decoded pictures, or None. The batches are the same.
        share: `(k, n)`: only the k-th, from 0, of n equal parts of each batch, of B / n pictures.

    Returns:
        `tf.data.Dataset` of `(images (B, S, S, 3) uint8, {"boxes": (B, M, 4) float32,
        "labels": (B, M) int32})`, padded with empty boxes of label -1. With `classification` also
        `"image_labels": (B, L)` int32, all -1 for pictures with boxes, and `"image_regions":
        (B, L, 4)` float32, the part of the view that each is about. L is 4 with `mosaic`, else 1.

    Raises:
        InputError: If there are no pictures, those with labels have other classes, or a setting is
            none that a batch can have.
    """
    check_records(dataset)
    if classification is not None:
        check_labelled(classification)
        check_classes(classification, dataset.class_names, dataset.name)
    check_batch_settings(
        size, multi_scale, resize, batch_size, resize_every, seed, first_step,
        jitter=jitter, saturation=saturation, exposure=exposure, mosaic=mosaic,
        box_mosaic=box_mosaic,
    )  # fmt: skip

    def side_of(step):
        if multi_scale is None:
            return size
        return multi_scale_size(step, multi_scale, resize_every, seed)

    largest = size if multi_scale is None else max(multi_scale)
    mixed = classification is not None
    views = views_ratio(ratio, mosaic) if mixed else None
    examples = _Examples(
        dataset.records,
        classification.records if mixed else (),
        mosaic,
        box_mosaic,
        functools.partial(random_view, jitter=jitter, letterbox=resize == "letterbox"),
        seed,
        stand_ins,
        memory,
        round(largest / max(1 - 2 * jitter, 0.1)),  # of the view that shows the least
    )

    @tf.autograph.experimental.do_not_convert  # no `if` asks a tensor; that took a second and more
    def example(place):
        """The picture at this place of the stream."""
        seeds = tf.random.split(tf.random.fold_in([seed, 1], tf.cast(place, tf.int32)), 3)
        side = side_of(place // batch_size)
        image, truth = examples.at(place, views, side, seeds[0])
        if colours:
            image = random_colours(image, seeds[1], saturation=saturation, exposure=exposure)
        # Batching copies every picture: as uint8 that is a fifth of the time.
        image = tf.saturate_cast(tf.round(image), tf.uint8)
        if flip:
            image, truth = _flipped(image, truth, seeds[2])
        image.set_shape([None, None, 3])
        return image, truth if mixed else {key: truth[key] for key in ("boxes", "labels")}

    padding = {"boxes": 0.0, "labels": -1}
    if mixed:
        padding |= {"image_labels": -1, "image_regions": 0.0}
    stream = places(batch_size, first_step, share)
    stream = stream.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.padded_batch(
        batch_size // share[1],
        padding_values=(tf.constant(0, tf.uint8), padding),
        drop_remainder=True,
    )
    return stream.prefetch(2)


class _Examples:
    """Views of pictures with boxes, and of pictures with a label, each at its place of the stream.

    Args:
        boxed: `RecordColumns` of the pictures with boxes.
        labelled: `LabelledImage`s of those with a label, none where nothing is mixed in.
        mosaic: Share of the latter that are four at once.
        box_mosaic: The same of the former.
        view: Function of a picture's shape, the side and a seed that draws a `View`.
        seed: Of the order of the pictures.
        stand_ins: `StandIns`, or None.
        memory: `PixelMemory`, or None.
        closest: Side of a whole picture in pixels as the closest view shows it, see `thinned`.
    """

    def __init__(self, boxed, labelled, mosaic, box_mosaic, view, seed, stand_ins, memory, closest):
        self.boxed, self.labelled = len(boxed), len(labelled)
        self.mosaic, self.box_mosaic = mosaic, box_mosaic
        self.view, self.seed = view, seed
        count = len(boxed) + len(labelled)
        self.read = kept_reader(reader(boxed, labelled), closest, memory, count)
        self.truths = _truths(boxed)
        labels = [-1] * len(boxed) + [record.label for record in labelled]
        self.label_of = tf.constant(labels, tf.int32)
        self.regions = labels_a_view(mosaic)
        self.instead = (lambda index: index) if stand_ins is None else stand_ins.of

    def at(self, place, ratio, side, draw):
        """The view at a place of the stream, and its truth; `ratio` is None without labels."""
        if ratio is None:
            image, *truth = self.with_boxes(place, side, draw)
        else:
            is_labelled, number = mixed_place(place, ratio)
            image, *truth = tf.cond(
                is_labelled,
                lambda: self.with_labels(number, side, draw),
                lambda: self.with_boxes(number, side, draw),
            )
        names = ("boxes", "labels", "image_labels", "image_regions")
        return image, dict(zip(names, truth, strict=True))

    def with_boxes(self, number, side, draw):
        """The picture at this place among those with boxes, or four of them, and the truths."""

        def whole():
            index = shuffled_index(number, self.boxed, self.seed)
            return self.with_truths(index, side, draw)

        def quarters():
            views = [
                self.with_truths(index, side // 2, seed)
                for index, seed in zip(
                    boxed_indices(number, self.boxed, self.seed),
                    tf.unstack(tf.random.split(draw, FOUR)),
                    strict=True,
                )
            ]
            tiles, boxes, labels = zip(*views, strict=True)
            corners = [tf.tile(quarter[:2], [2]) for quarter in QUARTERS]
            boxes = [corner + part / 2 for corner, part in zip(corners, boxes, strict=True)]
            return _joined(tiles), tf.concat(boxes, axis=0), tf.concat(labels, axis=0)

        if self.box_mosaic == 0:
            seen = whole()
        else:
            seen = tf.cond(_is_whole(draw, self.box_mosaic), whole, quarters)
        return *seen, tf.fill([self.regions], -1), tf.zeros([self.regions, 4])

    def with_truths(self, index, side, draw):
        """A picture with boxes as it is seen this time, its boxes in the view, their labels."""
        index = self.instead(index)
        image, shape, view = self.take(index, side, draw)
        return image, *view_boxes(*self.truths(index), shape, view, side)

    def with_labels(self, number, side, draw):
        """The picture at this place among those with a label, or four of them."""
        count = self.regions
        indices = [
            self.instead(index)
            for index in labelled_indices(number, count, self.boxed, self.labelled, self.seed)
        ]

        def whole():
            label = self.label_of[indices[0]][None]
            labels = tf.pad(label, [[0, count - 1]], constant_values=-1)
            return self.take(indices[0], side, draw)[0], labels, WHOLE[:count]

        def quarters():
            seeds = tf.unstack(tf.random.split(draw, count))
            tiles = [self.take(i, side // 2, s)[0] for i, s in zip(indices, seeds, strict=True)]
            return _joined(tiles), tf.gather(self.label_of, indices), QUARTERS

        if count == 1:
            image, labels, regions = whole()
        else:
            image, labels, regions = tf.cond(_is_whole(draw, self.mosaic), whole, quarters)
        return image, tf.zeros([0, 4]), tf.zeros([0], tf.int32), labels, regions

    def take(self, index, side, draw):
        """A picture as it is seen this time, its shape, and the view."""
        image = self.read(index)
        shape = tf.shape(image)[:2]
        view = self.view(shape, side, seed=draw)
        return take_view(image, view, side), shape, view


def _joined(tiles):
    """Four pictures of one size as the quarters of one, in the order of `QUARTERS`."""
    rows = [tf.concat(tiles[i : i + 2], axis=1) for i in (0, 2)]
    return tf.concat(rows, axis=0)


def _is_whole(draw, mosaic):
    """Whether the view of this seed is one picture, where this share are four."""
    return tf.random.stateless_uniform([], tf.random.fold_in(draw, 1)) >= mosaic


def _flipped(image, truth, draw):
    """The example or, every second time, its mirror image."""
    boxes, regions = truth["boxes"], truth["image_regions"]
    image, boxes, regions = tf.cond(
        tf.random.stateless_uniform([], draw) < 0.5,
        lambda: mirror(image, boxes, regions),
        lambda: (image, boxes, regions),
    )
    return image, {**truth, "boxes": boxes, "image_regions": regions}


def _truths(records):
    """Function from a record's index to its boxes `(n, 4)` and labels `(n,)` that train."""
    train = ~records.ignore
    ends = np.concatenate([[0], np.cumsum(train)])[[0, *records.ends]]
    boxes = tf.RaggedTensor.from_row_splits(records.boxes[train], ends)
    labels = tf.RaggedTensor.from_row_splits(records.labels[train], ends)
    return lambda index: (boxes[index], labels[index])
