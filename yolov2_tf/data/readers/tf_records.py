"""Reads TFRecord files of TensorFlow's Object Detection API, through tf.data.

An example holds the encoded picture (`image/encoded`), corners as fractions
(`image/object/bbox/xmin` …) and classes (`image/object/class/text`, `…/label`). Pictures stay in
the files: a record knows where its example lies.
"""

import os
import re
import reprlib
import struct
from pathlib import Path

from yolov2_tf.data.annotation_columns import AnnotationColumns
from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits, listing
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.picture_column import StoredPicture
from yolov2_tf.data.readers.repeated_names import RepeatedNames
from yolov2_tf.data.records import MAX_SIDE
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import visible
from yolov2_tf.errors import InputError

_BOX = "image/object/bbox/"
_HEADER, _FOOTER = 12, 4  # of a TFRecord: the length and its checksum, the checksum of the data
_SUFFIX = re.compile(r"\.(tfrecords?|tfrec|record)\b.*", re.IGNORECASE)
_SHARD = re.compile(r"[-_]?\d+(-of-\d+)?$")
_STRING = r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*\""""
_ITEM = re.compile(rf"item\s*:?\s*{{((?:{_STRING}|[^}}])*+)}}")


def read_records(path, *, split=None, class_names=None):
    """Reads TFRecord files.

    Args:
        path: A file, or a folder of them. Files that differ by more than a number
            (`train.record`, `test.record-00000-of-00002`) are image sets; so is the only one of a
            folder if its name says what it is for.
        split: Image set to read. Default: the only one, else all.
        class_names: Names that the labels shall index. Default: those of `label_map.pbtxt` beside
            the files, by id, else the names found, sorted.

    Returns:
        A `Dataset`; `difficult`, `is_crowd` and `group_of` objects are marked `ignore`.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    path = Path(path)
    files = find_record_files(path)
    if not files:
        raise InputError("no TFRecord files", where=path, expected="*.tfrecord")
    named = list(files) if len(files) > 1 or (path.is_dir() and any(map(role, files))) else []
    chosen, notes = choose_splits(path, named, split)
    label_map = _label_map(path if path.is_dir() else path.parent)
    annotations, names, repeated = AnnotationColumns(), set(), RepeatedNames()
    for name in chosen or files:
        for file in files[name]:
            for where, example, picture in _examples(file):
                annotation = _annotation(example, picture, where, label_map)
                annotation.image_sets = (name,) if named else ()
                annotation.image_id = repeated.numbered(annotation.image_id)
                annotations.append(annotation, where)
                names.update(annotation.names)
    annotations.packed()
    if class_names is None:
        class_names = (
            list(label_map.values()) if names <= set(label_map.values()) else sorted(names)
        )
    title = _SUFFIX.sub("", path.name) if path.is_file() else path.resolve().name
    return build_dataset(title, annotations, class_names, notes)


def find_record_files(path):
    """Lists TFRecord files: a dict from image set to paths."""
    if path.is_file():
        return {_SUFFIX.sub("", path.name): [path]}
    files = {}
    for file in visible(path):
        if file.is_file() and _SUFFIX.search(file.name):
            stem = _SUFFIX.sub("", file.name)
            if not _SHARD.search(file.name):  # a number behind the suffix is that of the shard
                stem = _SHARD.sub("", stem)
            files.setdefault(stem, []).append(file)
    return files


def _examples(path):
    """Yields where it stands, the parsed example, and a function that reads its picture."""
    import tensorflow as tf

    with open(path, "rb") as file:
        if file.read(2) == b"\x1f\x8b":
            raise InputError("a compressed TFRecord file", where=path, hint="unpack it with gunzip")
    offset, store = 0, _RecordFile(path)
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            where = f"{path}: example {number}"
            try:
                example = tf.train.Example.FromString(record).features.feature
            except Exception:  # protobuf's own class depends on how it was built
                raise InputError("no tf.train.Example", where=where) from None
            yield where, example, StoredPicture(store, offset)
            offset += _HEADER + len(record) + _FOOTER
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError):
        raise InputError("damaged or no TFRecord file", where=path) from None


class _RecordFile:
    """A file whose pictures are at the offsets of their examples, a `PictureStore`."""

    def __init__(self, path):
        self._path = os.path.abspath(path)

    def picture(self, place):
        """The encoded picture of the example that begins at an offset."""
        import tensorflow as tf

        with open(self._path, "rb") as file:
            file.seek(place)
            (length,) = struct.unpack("<Q", file.read(_HEADER)[:8])
            example = tf.train.Example.FromString(file.read(length))
        return example.features.feature["image/encoded"].bytes_list.value[0]

    def file(self, place):
        """The path, and the offset."""
        return self._path, place


def _annotation(example, picture, where, label_map):
    sides = [_values(example, _BOX + side) for side in ("ymin", "xmin", "ymax", "xmax")]
    names = [_text(value) for value in _values(example, "image/object/class/text")]
    if not names:
        labels = _values(example, "image/object/class/label")
        names = [label_map.get(label, _text(label)) for label in labels]
    counts = {len(side) for side in sides} | {len(names)}
    if len(counts) > 1:
        raise InputError(
            f"{listing(list(map(len, sides)), shown=4)} coordinates and {len(names)} classes",
            where=where,
            expected=f"as many of each: {_BOX}ymin …, image/object/class/text",
        )
    if any(isinstance(value, bytes) for side in sides for value in side):
        raise InputError("coordinates are text", where=where, expected=f"{_BOX}ymin … as floats")
    ignore = [""] * len(names)
    for key, reason in (("difficult", "difficult"), ("is_crowd", "crowd"), ("group_of", "group")):
        flags = _values(example, f"image/object/{key}")
        if len(flags) == len(names):
            ignore = [reason if flag else old for flag, old in zip(flags, ignore, strict=True)]
    encoded = _values(example, "image/encoded")[:1]
    title = _values(example, "image/filename") or _values(example, "image/source_id")
    return Annotation(
        picture if encoded and isinstance(encoded[0], bytes) and encoded[0] else None,
        _text(title[0]) if title and title[0] else where.rpartition("/")[2],
        list(zip(*sides, strict=True)),
        names,
        ignore,
        None,
        *(_side(example, f"image/{side}") for side in ("width", "height")),
    )


def _values(example, key):
    """What a feature holds: a list of bytes, floats or whole numbers, empty if it is not there."""
    feature = example.get(key)
    kind = feature.WhichOneof("kind") if feature is not None else None
    return list(getattr(feature, kind).value) if kind else []


def _side(example, key):
    """Width or height in pixels, 0 where it is not told or cannot be."""
    values = _values(example, key)[:1]
    known = bool(values) and isinstance(values[0], int) and 0 < values[0] <= MAX_SIDE
    return values[0] if known else 0


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _label_map(folder):
    """Names by id from `label_map.pbtxt`, `{}` where there is none.

    The text format of a protocol buffer, `item { id: 1 name: 'dog' }`; its parser would need the
    Object Detection API itself.
    """
    names = {}
    for path in visible(folder, "*label*map*.pbtxt")[:1]:
        for item in _ITEM.findall(read_text(path)):
            number = re.search(r"\bid\s*:\s*(\d{1,9})", item)
            name = re.search(r"\bname\s*:\s*(['\"])((?:\\.|(?!\1).)*)\1", item)
            if not number or not name:
                what = f"an item without id or name: {reprlib.repr(item.strip())}"
                raise InputError(what, where=path)
            names[int(number[1])] = _unescaped(name[2])
    return dict(sorted(names.items()))


def _unescaped(text):
    """Text of a protocol buffer without its backslashes; numbers behind them are bytes of UTF-8."""

    def byte(match):
        code = match[1]
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        if code[:1] in b"01234567":
            return bytes([int(code, 8) % 256])
        return {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(code, code)

    escape = rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)"
    return re.sub(escape, byte, text.encode(), flags=re.DOTALL).decode("utf-8", "replace")
