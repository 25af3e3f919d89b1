"""Writes a data set as shards of TensorFlow Datasets, pictures and boxes together.

A million small files are slow to list, to copy and to read over a network; a few large ones are
not. `yolov2_tf.data.readers.tfds_sets` reads them, and so does every program that has TFDS.
"""

import contextlib
import io
import re
from pathlib import Path

from yolov2_tf.data.images import inspect_image, read_bytes, to_png_bytes
from yolov2_tf.data.writers.conversion import Item, split_into_sets
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

FILE_FORMATS = ("array_record", "tfrecord")
"""Formats of the shards."""

_AS_THEY_ARE = ("JPEG", "MPO", "PNG")  # what every reader of TFDS decodes


def write_shards(dataset, out, *, shards=None, file_format=FILE_FORMATS[0], progress=None):
    """Writes a data set as a prepared data set of TensorFlow Datasets.

    Pictures that are neither JPEG nor PNG, or are turned by their EXIF orientation, are written as
    upright PNG. The order is shuffled, always in
    the same way, so that each shard is a sample of all.

    Args:
        dataset: `Dataset` whose pictures can be read.
        out: Folder to write, new or empty.
        shards: Number of files of each image set; default: what TFDS finds right for its size.
        file_format: One of `FILE_FORMATS`.
        progress: Shows how far it is, as for `yolov2_tf.data.image_check.check_images`.

    Returns:
        Notes: image sets that are not written, one line each.

    Raises:
        InputError: If `out` is not empty, there are more shards than pictures, an image set has a
            name that TFDS does not take, or a picture cannot be read.
    """
    import tensorflow_datasets as tfds

    out = Path(out)
    if out.exists() and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise InputError("is there and not empty", where=out, hint="another folder")
    items = [Item(str(i), record) for i, record in enumerate(dataset.records)]
    sets, notes = split_into_sets(items, keep_unions=False)
    sets = {name: [item.record for item in some] for name, some in sets.items()}
    sets = sets or {"train": dataset.records}
    for name, records in sets.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise InputError(f"an image set called {name!r}", expected="letters, digits and _")
        if shards is not None and shards > len(records):
            raise InputError(f"{shards} shards of {len(records)} pictures", where=name)
    with replacing(out) as temporary:
        builder = _builder(dataset.class_names, sets, temporary.parent, file_format, progress)
        settings = {} if shards is None else {"num_shards": shards}
        tfds.disable_progress_bar()
        with contextlib.redirect_stdout(io.StringIO()):  # it tells of downloads; there are none
            builder.download_and_prepare(download_config=tfds.download.DownloadConfig(**settings))
        Path(builder.data_path).rename(temporary)
    return notes


def _builder(class_names, sets, folder, file_format, progress):
    """The TFDS builder that writes the records of each image set."""
    import numpy as np
    import tensorflow_datasets as tfds

    features = {
        "image": tfds.features.Image(),
        "image/filename": tfds.features.Text(),
        "objects": tfds.features.Sequence(
            {
                "bbox": tfds.features.BBoxFeature(),
                "label": tfds.features.ClassLabel(names=class_names),
                "is_difficult": np.bool_,
            }
        ),
    }
    total = sum(map(len, sets.values()))

    class Pictures(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Pictures with boxes, as `yolov2 prepare` wrote them."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description=self.__doc__,
                features=tfds.features.FeaturesDict(features),
            )

        def _split_generators(self, dl_manager):
            del dl_manager  # nothing to download
            return {name: _examples(records) for name, records in counted().items()}

        def _generate_examples(self):
            raise NotImplementedError  # TFDS wants the method; image sets bring their own examples

    def counted():
        if progress is None:
            return sets
        steps = iter(progress(range(total), total))
        return {name: _following(records, steps) for name, records in sets.items()}

    return Pictures(data_dir=folder, file_format=file_format)


def _following(records, steps):
    """Yields the records; goes a step on with each."""
    for record in records:
        next(steps, None)
        yield record


def _examples(records):
    """Yields a key and an example of each record."""
    for number, record in enumerate(records):
        boxes = zip(record.boxes, record.labels, record.ignore, strict=True)
        yield (
            number,
            {
                "image": io.BytesIO(_encoded(record)),
                "image/filename": record.image_id,
                "objects": [
                    {"bbox": box, "label": int(label), "is_difficult": bool(ignore)}
                    for box, label, ignore in boxes
                ],
            },
        )


def _encoded(record):
    if record.image is None:
        raise InputError("no picture", where=record.image_id, expected="the pictures: --images")
    content = read_bytes(record.image)
    info = inspect_image(content)
    # Boxes are those of the upright picture, and readers of TFDS do not turn what they decode.
    if info.format in _AS_THEY_ARE and info.orientation == 1 and not info.needs_conversion:
        return content
    return to_png_bytes(content)
