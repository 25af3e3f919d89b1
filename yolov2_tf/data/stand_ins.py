"""Pictures that cannot be read any more in the course of a training, and what is seen instead."""

import numpy as np
import tensorflow as tf


class StandIns:
    """Gives the place of a damaged picture in the stream to the next one of its kind.

    Nothing else moves: all other pictures keep their places and their views.

    Args:
        counts: How many pictures there are of each kind, one kind's indices after another's: those
            with boxes, those with a label.

    Attributes:
        faults: `{index: reason}` of the damaged pictures.
    """

    def __init__(self, *counts):
        self.counts = counts
        self.faults = {}

    def of(self, index):
        """The index of the picture that is seen for this one; both scalar int32 tensors."""
        if not self.faults:
            return index
        return tf.gather(self._table(), index)

    def _table(self):
        table = np.arange(sum(self.counts), dtype=np.int32)
        first = 0
        for count in self.counts:
            for index in self.faults:
                if first <= index < first + count:
                    table[index] = self._next(index, first, count)
            first += count
        return table

    def _next(self, index, first, count):
        steps = (first + (index - first + step) % count for step in range(1, count))
        return next((other for other in steps if other not in self.faults), index)

    def look(self, read, indices):
        """Reads pictures and notes those that fail.

        Args:
            read: Function from an index to a picture, see `yolov2_tf.data.picture_reader.reader`.
            indices: Integers.

        Returns:
            The indices of those that failed now for the first time.
        """
        found = []
        for index in dict.fromkeys(int(index) for index in indices):
            if index in self.faults:
                continue
            try:
                read(tf.constant(index))
            except tf.errors.OpError as error:
                self.faults[index] = _reason(error)
                found.append(index)
        return found


def _reason(error):
    """What TensorFlow says, without the names of its operations."""
    text = str(error.message).split("{{")[-1].split("}} ")[-1]
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0].split("[Op:")[0].strip() if lines else type(error).__name__
