"""Writes a data set as shards of TensorFlow Datasets, pictures and boxes together.

A million small files are slow to list, to copy and to read over a network; a few large ones are
not. `yolov2_tf.data.readers.tfds_sets` reads them, and so does every program that has TFDS.
"""

import contextlib
import io
import logging
import re
from pathlib import Path

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.names import label_lines, trimmed_names
from yolov2_tf.data.writers.conversion import Item, split_into_sets
from yolov2_tf.data.writers.plain_picture import plain_picture
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

FILE_FORMATS = ("array_record", "tfrecord")
"""Formats of the shards."""


_TOGETHER = 64
"""Records that a worker of Beam takes at once."""


def write_shards(
    dataset, out, *, shards=None, file_format=FILE_FORMATS[0], progress=None, beam_options=None
):
    """Writes a data set as a prepared data set of TensorFlow Datasets.

    Pictures that are neither JPEG nor PNG, or are turned by their EXIF orientation, are written as
    upright PNG. The order is shuffled, always in the same way, so that each shard is a sample of
    all.

    Args:
        dataset: `Dataset` whose pictures can be read.
        out: Folder to write, new or empty.
        shards: Number of files of each image set; default: what TFDS finds right for its size.
        file_format: One of `FILE_FORMATS`.
        progress: Shows how far it is, as for `yolov2_tf.data.image_check.check_images`; not with
            `beam_options`.
        beam_options: Flags of Apache Beam without dashes, such as `runner=DirectRunner`: the
            workers of its runner read and write, and must see pictures and `out` under the same
            paths. None: this process does.

    Returns:
        Notes: image sets that are not written, and those and classes with another name, one line
        each.

    Raises:
        InputError: If `out` is not empty, there are more shards than pictures, a class has a name
            that TFDS does not take, a picture cannot be read, or Beam is not installed, does not
            take its options or fails.
    """
    import tensorflow_datasets as tfds

    beam = None if beam_options is None else _beam_settings(beam_options)
    out = Path(out)
    if out.exists() and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise InputError("is there and not empty", where=out, hint="another folder")
    class_names, renamed = _class_names(dataset)
    items = [Item(str(i), record) for i, record in enumerate(dataset.records)]
    sets, notes = split_into_sets(items, keep_unions=False)
    sets, told = _splits({name: [item.record for item in some] for name, some in sets.items()})
    sets = sets or {"train": dataset.records}
    for name, records in sets.items():
        if shards is not None and shards > len(records):
            raise InputError(f"{shards} shards of {len(records)} pictures", where=name)
    with replacing(out) as temporary:
        examples = _counted(sets, progress) if beam is None else _distributed(sets)
        builder = _builder(class_names, examples, temporary.parent, file_format)
        settings = {} if shards is None else {"num_shards": shards}
        config = tfds.download.DownloadConfig(**settings, **(beam or {}))
        tfds.disable_progress_bar()
        quiet = contextlib.redirect_stdout(io.StringIO())  # it tells of downloads; there are none
        with quiet, contextlib.nullcontext() if beam is None else _without_warnings():
            try:
                builder.download_and_prepare(download_config=config)
            except InputError:
                raise
            except Exception as error:  # runners raise what they like
                if beam is None:
                    raise
                raise InputError(f"Beam failed: {_reason(error)}", where=out) from error
        Path(builder.data_path).rename(temporary)
    return (*notes, *told, *renamed)


def _splits(sets):
    """The image sets under names that TFDS takes, of letters, digits, `_` and `-`; and notes."""
    names, other = {}, []
    for old in sets:
        base = name = re.sub(r"[^\w-]+", "_", old)
        count = 1
        while name in names.values() or (name != old and name in sets):
            count += 1
            name = f"{base}_{count}"
        names[old] = name
        if name != old:
            other.append(f"{old} as {name}")
    notes = [f"image sets with another name: {listing(other)}"] if other else []
    return {names[old]: records for old, records in sets.items()}, notes


def _class_names(dataset):
    """The names as TFDS reads them back, of lines of a file that it trims; and notes."""
    lines = label_lines(dataset.class_names).split("\n")
    names = trimmed_names(lines, dataset.name)
    other = [name for old, name in zip(dataset.class_names, names, strict=True) if name != old]
    return names, [f"class names written in one line, trimmed: {listing(other)}"] if other else []


def _beam_settings(options):
    """What TFDS wants to know of Beam.

    Raises:
        InputError: If it is not installed, or does not take the options.
    """
    try:
        with _without_warnings():
            from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise InputError(
            "Apache Beam is not installed", hint='pip install "yolov2-tf[beam]"'
        ) from error
    quiet = "--default_sdk_harness_log_level=ERROR"  # workers tell of every start and end
    chosen = PipelineOptions([quiet, *(f"--{option.strip()}" for option in options)])
    try:
        with _without_warnings(), contextlib.redirect_stderr(io.StringIO()):  # argparse' usage
            known = chosen.get_all_options()
            unknown = chosen.get_all_options(retain_unknown_options=True).keys() - known.keys()
    except SystemExit as error:  # what argparse does
        raise InputError(f"Beam does not take {', '.join(options)}") from error
    if unknown:
        raise InputError(f"Beam has no option {', '.join(sorted(unknown))}")
    return {"beam_options": chosen}


def _reason(error):
    """What a worker said: runners hand on the text of its whole traceback."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [repr(error)]
    ours = [line.partition("InputError: ")[2] for line in lines if "InputError: " in line]
    return ours[0] if ours else lines[-1]


@contextlib.contextmanager
def _without_warnings():
    """Beam warns of clouds that nobody asked for."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _builder(class_names, examples, folder, file_format):
    """The TFDS builder that writes the examples of each image set, by name."""
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
            return examples

        def _generate_examples(self):
            raise NotImplementedError  # TFDS wants the method; image sets bring their own examples

    return Pictures(data_dir=folder, file_format=file_format)


def _counted(sets, progress):
    """The examples of each image set, which tell how far they are."""
    total = sum(map(len, sets.values()))
    steps = iter(range(total) if progress is None else progress(range(total), total))
    return {
        name: map(_example, range(len(records)), _following(records, steps))
        for name, records in sets.items()
    }


def _distributed(sets):
    """The examples of each image set, as transforms of Beam that many workers share."""
    import apache_beam as beam

    return {
        name: f"records of {name}" >> beam.Create(_portions(records))
        | f"examples of {name}" >> beam.FlatMap(_examples)
        for name, records in sets.items()
    }


def _examples(portion):
    return [_example(number, record) for number, record in portion]


def _portions(records):
    numbered = list(enumerate(records))
    return [numbered[at : at + _TOGETHER] for at in range(0, len(numbered), _TOGETHER)]


def _following(records, steps):
    """Yields the records; goes a step on with each."""
    for record in records:
        next(steps, None)
        yield record


def _example(number, record):
    """The key and the example of a record."""
    boxes = zip(record.boxes, record.labels, record.ignore, strict=True)
    return number, {
        "image": io.BytesIO(plain_picture(record.image, record.image_id)[0]),
        "image/filename": record.image_id,
        "objects": [
            {"bbox": box, "label": int(label), "is_difficult": bool(ignore)}
            for box, label, ignore in boxes
        ],
    }
