"""Decoded pictures that stay in memory, so that they are decoded once and not in every pass.

A photo of twelve megapixels takes longer to decode than a step of a small network takes for it.
"""

import time

import numpy as np
import tensorflow as tf

from yolov2_tf.free_memory import free_bytes

MOST_PICTURES = 5_000
"""Of a larger set nothing is kept: a pass over it takes long enough, and its start would, too."""

MOST_BYTES = 2 * 2**30
"""Most that is kept, and it is no more than `SHARE` of what is free."""

SHARE = 0.15
"""Small, because TensorFlow copies: three times what is kept is taken at first, twice later."""

PATIENCE = 5.0
"""Seconds of decoding after which people are told what takes so long."""


class PixelMemory:
    """Pictures as they were decoded, as far as they fit; what does not fit is decoded each time.

    Args:
        limit: Bytes at most; None for what suits the machine.
        say: Function of a text for people, or None.
        enough: Function that says whether to keep no more, for instance because all is to end.

    Attributes:
        pictures: How many are kept; None before `keeping` was called.
        bytes: What they take.
    """

    def __init__(self, limit=None, say=None, enough=lambda: False):
        self.limit = min(MOST_BYTES, SHARE * free_bytes()) if limit is None else limit
        self.pictures, self.bytes = None, 0
        self._say, self._enough = say, enough

    def keeping(self, read, count):
        """The same function, which decodes those pictures alone that are not kept.

        What cannot be read is not kept, so `read` says why when it is wanted. The first call
        decodes; later ones are for the same pictures and take what is there.

        Args:
            read: Function from an index, a scalar tensor, to `(H, W, 3)` uint8.
            count: How many pictures there are.
        """
        if self.pictures is None:
            self._fill(read, count)
        if not self.pictures:
            return read

        def kept(index):
            shape = self._shapes[index]
            start = self._starts[index]
            pixels = self._pixels[start : start + tf.cast(tf.reduce_prod(shape), tf.int64)]
            return tf.reshape(pixels, shape)

        def picture(index):
            return tf.cond(self._shapes[index, 0] > 0, lambda: kept(index), lambda: read(index))

        return picture

    def _fill(self, read, count):
        shapes = np.zeros([count, 3], np.int32)
        starts = np.zeros(count, np.int64)
        parts, told = [], self._say is None
        began = time.monotonic()
        for index, shape, pixels in self._decoded(read, count if count <= MOST_PICTURES else 0):
            if not told and time.monotonic() - began > PATIENCE:
                told = True
                self._say(f"decoding {count:,} pictures to keep them in memory, {index:,} so far")
            size = int(np.prod(shape))
            if self.bytes + size > self.limit or self._enough():
                break
            shapes[index], starts[index] = shape, self.bytes
            parts.append(pixels)
            self.bytes += size
        self.pictures = len(parts)
        if parts:
            pixels = np.concatenate(parts)
            parts.clear()  # there will be copies enough
            with tf.device("CPU:0"):  # where pictures are made ready; a GPU's memory is for others
                self._pixels = tf.constant(pixels)
                self._shapes, self._starts = tf.constant(shapes), tf.constant(starts)
            if self._say is not None:
                size = f"{self.bytes / 1e6:.0f} MB"
                self._say(f"{self.pictures:,} decoded pictures in memory, {size}")

    @staticmethod
    def _decoded(read, count):
        """`(index, shape, pixels)` of those that can be read, in order."""

        @tf.autograph.experimental.do_not_convert
        def numbered(index):
            picture = read(index)
            return index, tf.shape(picture), tf.reshape(picture, [-1])

        stream = tf.data.Dataset.range(count)
        stream = stream.map(numbered, num_parallel_calls=tf.data.AUTOTUNE).ignore_errors()
        for index, shape, pixels in stream:
            yield int(index), shape.numpy(), pixels.numpy()
