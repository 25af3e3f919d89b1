"""The files of a TFDS data set: examples that are read one by one when they are needed.

Both of TFDS' usual formats give such access: array_record by itself, tfrecord through an index of
offsets made here. Examples are parsed as the plain `tf.train.Example`s that they are, which saves a
millisecond on each.
"""

import bisect
import itertools
import os
import struct

import numpy as np

from yolov2_tf.errors import InputError

_TOGETHER = 256  # examples that are read at a time where all are


class Shards:
    """The examples of a split, a `PictureStore`.

    Args:
        builder: TFDS' builder of a prepared data set.
        split: Name of the split, or a slice of one.
        image_key: Name of the feature that is the picture.
        where: What the data set is called in messages.

    Raises:
        InputError: If there is no such split, or its files are neither array_record nor tfrecord.
    """

    def __init__(self, builder, split, image_key, where):
        self._image_key, self._where = image_key, f"{where} {split}"
        try:
            instructions = builder.info.splits[split].file_instructions
        except (KeyError, ValueError):
            known = ", ".join(builder.info.splits)
            raise InputError(f"no split {split!r}", where=where, expected=known) from None
        self._files = [(os.path.abspath(part.filename), part.skip) for part in instructions]
        self._ends = list(itertools.accumulate(part.take for part in instructions))
        self._examples = _opened(builder, split, instructions, where)

    def __len__(self):
        return len(self._examples)

    def __iter__(self):
        """Goes through the features of all examples: dicts from name to `tf.train.Feature`."""
        for start in range(0, len(self), _TOGETHER):
            places = list(range(start, min(start + _TOGETHER, len(self))))
            examples = self._read(self._examples.__getitems__, places)
            for place, example in zip(places, examples, strict=True):
                yield self._parsed(example, place)

    def picture(self, place):
        """The encoded picture of an example."""
        # One alone: reading several, array_record starts a pool of threads.
        example = self._read(self._examples.__getitem__, place)
        return self.picture_of(self._parsed(example, place))

    def picture_of(self, features):
        """The encoded picture among the features of an example."""
        return features[self._image_key].bytes_list.value[0]

    def file(self, place):
        """The file that an example is in, and its number there."""
        part = bisect.bisect_right(self._ends, place)
        path, skip = self._files[part]
        return path, skip + place - (self._ends[part - 1] if part else 0)

    def _read(self, read, places):
        try:
            return read(places)
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            path, _ = self.file(places if isinstance(places, int) else places[0])
            reason = str(error).strip().split("\n")[0]
            raise InputError(f"cannot be read: {reason}", where=path) from error

    def _parsed(self, example, place):
        from tensorflow.core.example import example_pb2

        try:
            return example_pb2.Example.FromString(example).features.feature
        except Exception:  # protobuf's own class depends on how it was built
            path, number = self.file(place)
            raise InputError("no tf.train.Example", where=f"{path}: example {number}") from None


def _opened(builder, split, instructions, where):
    """The serialized examples, with `__len__`, `__getitem__` and `__getitems__`."""
    import tensorflow_datasets as tfds

    match builder.info.file_format:
        case tfds.core.FileFormat.TFRECORD:
            return _TfRecords(instructions)
        case tfds.core.FileFormat.ARRAY_RECORD:
            raw = tfds.decode.DeserializeMethod.RAW_BYTES
            return builder.as_data_source(split, deserialize_method=raw)
        case other:
            raise InputError(
                f"files in the format {other}", where=where, expected="array_record or tfrecord"
            )


class _TfRecords:
    """Random access to the records of TFRecord files (uncompressed, as TFDS writes them)."""

    def __init__(self, instructions):
        self._files = [part.filename for part in instructions]
        found = [
            np.array(_record_places(part.filename)[part.skip : part.skip + part.take], np.int64)
            for part in instructions
        ]
        self._places = np.concatenate([places.reshape(-1, 2) for places in found])
        self._ends = list(itertools.accumulate(map(len, found)))

    def __len__(self):
        return len(self._places)

    def __getitem__(self, index):
        return self.__getitems__([index])[0]

    def __getitems__(self, indices):
        records = []
        for part, some in itertools.groupby(indices, lambda i: bisect.bisect_right(self._ends, i)):
            with open(self._files[part], "rb") as file:
                for offset, length in self._places[list(some)].tolist():
                    file.seek(offset)
                    records.append(file.read(length))
        return records


def _record_places(path):
    """Lists (offset, length) of the records: each is length (8), its CRC (4), data, CRC (4)."""
    places = []
    with open(path, "rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            places.append((file.tell(), length))
            file.seek(length + 4, os.SEEK_CUR)
    return places
