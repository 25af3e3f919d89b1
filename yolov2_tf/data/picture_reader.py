"""Functions that read the pictures of records within a tf.data pipeline, by their index."""

import bisect
import itertools

import tensorflow as tf

from yolov2_tf.data.augment import thinned
from yolov2_tf.data.images import decode_image
from yolov2_tf.data.records import RecordColumns, images_of


def reader(*kinds):
    """Function from an index into records in a row, a scalar tensor, to a picture.

    Args:
        kinds: Sequences of `Record` or of `LabelledImage`.

    Returns:
        Function to `(H, W, 3)` uint8.
    """
    paths = _paths(kinds)
    orientations = tf.concat([_orientations(records) for records in kinds], axis=0)
    if paths is not None:
        return lambda index: decode_image(tf.io.read_file(paths[index]), orientations[index])
    image = _image_of(kinds)

    def encoded(index):
        source = image(int(index))
        if isinstance(source, str):
            with open(source, "rb") as file:
                return file.read()
        return source if isinstance(source, bytes) else source()

    # Only for sources in memory or behind a function (TFDS); files are read in the graph.
    return lambda index: decode_image(
        tf.ensure_shape(tf.numpy_function(encoded, [index], tf.string), []), orientations[index]
    )


def kept_reader(read, closest, memory, count):
    """A `reader` of pictures to train on: large ones are `thinned`, and a memory keeps them.

    Args:
        read: Function of a `reader`.
        closest: Side of a whole picture as the closest view shows it, see `thinned`.
        memory: `PixelMemory`, or None.
        count: How many pictures there are.
    """

    def thin(index):
        return thinned(read(index), closest)

    return thin if memory is None else memory.keeping(thin, count)


def _paths(kinds):
    """Paths of the pictures of records in a row `(n,)`, None where some are no files."""
    sources = list(itertools.chain.from_iterable(map(images_of, kinds)))
    return tf.constant(sources) if all(isinstance(source, str) for source in sources) else None


def _image_of(kinds):
    """Function from an index into records in a row to what `Record.image` is.

    The records are asked each time: a list of a million small objects takes more than they do.
    """
    ends = list(itertools.accumulate(map(len, kinds)))

    def image(index):
        kind = bisect.bisect_right(ends, index)
        records = kinds[kind]
        index -= ends[kind] - len(records)
        columns = isinstance(records, RecordColumns)
        return records.image(index) if columns else records[index].image

    return image


def _orientations(records):
    if isinstance(records, RecordColumns):
        return tf.constant(records.orientations, tf.int32)
    return tf.constant([record.orientation for record in records], tf.int32)
