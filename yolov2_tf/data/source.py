"""Opens a data set by path or name: recognises which form it has and calls its reader."""

import dataclasses
import os
from pathlib import Path

from yolov2_tf.collector import without_collector
from yolov2_tf.data.annotations import rename_classes
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_sets import check_split, choose_splits
from yolov2_tf.data.layouts import ARCHIVES, FORMATS, no_annotations, recognise
from yolov2_tf.data.names import check_names, checked_spec, listed_names
from yolov2_tf.data.remote import address, fetched_shards
from yolov2_tf.data.set_folders import read_set_folders
from yolov2_tf.errors import InputError

_HOLDING = ("tfrecord", "tfds")
"""Forms that hold their pictures in their own files."""


@without_collector()
def open_dataset(spec, *, split=None, images=None, class_names=None, format=None) -> Dataset:
    """Opens annotated images.

    Args:
        spec: One of

            - a folder or file of annotations: VOC's XML, COCO's JSON, YOLO's txt with or without
              `data.yaml` or `obj.data`, CSV, Create ML, VIA, KITTI, TFRecord of TensorFlow's
              Object Detection API; `docs/annotations.md` shows the layouts;
            - `tfds:NAME`, e.g. `tfds:voc/2007`, or the folder of a prepared TFDS data set;
            - an address of such a folder, e.g. `gs://bucket/shards`, which is brought to the cache;
            - `digits`, the embedded one.
        split: Image set to read, e.g. `"trainval"`, or a function from the names of the image sets
            to those to read, as for `choose_splits`. Default: the only one there is, else all of
            them, which a note tells; `"train"` of `digits`.
        images: Folder of the pictures, where they are not at their usual place.
        class_names: Names that the labels shall index, e.g. those of a model. Default: as the
            data set states or holds them.
        format: One of `yolov2_tf.data.layouts.FORMATS`, where the data can be read in several.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If it is none of these, if it could be several, if its content cannot be used,
            or if split or class names are of another kind.
    """
    check_split(split)
    class_names = listed_names(class_names)
    settings = {"split": split, "images": images, "class_names": class_names}
    return check_names(_open(checked_spec(spec), format, settings))


def _open(spec, format, settings):
    split, images, class_names = settings.values()
    if format is not None and format not in FORMATS:
        raise InputError(f"no format {format!r}", expected=", ".join(FORMATS))
    if format is not None and has_one_form(spec):
        raise InputError(f"format {format}, but it has one form only", where=spec)
    if images is not None and (has_one_form(spec) or address(spec) is not None):
        raise _holds_its_own(spec)
    if spec == "digits":
        return _open_digits(split, class_names)
    if spec.startswith("tfds:"):
        from yolov2_tf.data.readers.tfds_sets import read_tfds

        return read_tfds(spec.removeprefix("tfds:"), split=split, class_names=class_names)
    if (url := address(spec)) is not None:
        folder, note = fetched_shards(url)
        dataset = _open(os.fspath(folder), format, {**settings, "images": None})
        return dataclasses.replace(dataset, notes=(note, *dataset.notes))
    path = Path(spec).expanduser()
    if not path.exists():
        raise InputError("no such data set", where=spec, expected="a path, tfds:NAME or digits")
    if path.suffix.lower() in ARCHIVES and path.is_file():
        raise InputError("an archive", where=path, hint="unpack it and give the folder")
    form, path, folders = _form(path, format)
    if images is not None and form in _HOLDING:
        raise _holds_its_own(spec)
    if images is not None and not os.path.isdir(images):
        raise InputError("no such folder of pictures", where=images)
    if folders:
        return read_set_folders(
            path, folders, lambda folder, **more: _open_as(form, folder, **more), **settings
        )
    return _read(form, path, settings)


def has_one_form(spec):
    """Whether it is a name, and not a place where annotations lie in some form."""
    return spec == "digits" or spec.startswith("tfds:")


def holds_pictures(spec, format=None):
    """Whether a data set has its pictures in its own files, so that no folder of them is looked at.

    Args:
        spec: As for `open_dataset`.
        format: As for `open_dataset`.
    """
    spec = os.fspath(spec)
    if has_one_form(spec) or address(spec) is not None:
        return True
    path = Path(spec).expanduser()
    if not path.exists() or path.suffix.lower() in ARCHIVES:
        return False
    return _form(path, format)[0] in _HOLDING


def category_ids_of(spec, split=None, format=None):
    """The category ids that a data set in COCO's form has, empty for all others.

    Args:
        spec: As for `open_dataset`, which opened it.
        split: Image set, or None.
        format: As for `open_dataset`.

    Returns:
        Dict from class to id, as `yolov2_tf.data.readers.coco_files.category_ids` gives it.
    """
    spec = os.fspath(spec)
    if has_one_form(spec) or address(spec) is not None:
        return {}
    form, path, _ = _form(Path(spec).expanduser(), format)
    if form != "coco":
        return {}
    from yolov2_tf.data.readers.coco_files import category_ids

    return category_ids(path, split)


def _holds_its_own(spec):
    return InputError("it holds its pictures itself", where=spec, expected="no folder of pictures")


def _open_as(form, folder, **settings):
    """Opens a folder of an image set as a form; `recognise` says which file the reader takes."""
    path = next((found.path for found in recognise(folder) if found.format == form), folder)
    return _read(form, path, {"split": None, **settings})


def _open_digits(split, class_names):
    from yolov2_tf.data.digits.scenes import SPLITS, open_digits

    notes = ()
    if callable(split):
        (split,), notes = choose_splits("digits", SPLITS, split)
    elif split is None:  # all would mix what digits keeps apart
        split = "train"
        notes = (f"image sets {', '.join(SPLITS)} found: train is used (the split picks another)",)
    dataset = rename_classes(open_digits(split), class_names)
    return dataclasses.replace(dataset, notes=(*dataset.notes, *notes))


def _form(path, format):
    """The form to read, the path that its reader takes, and folders that are image sets."""
    found = recognise(path)
    wanted = format and format.partition("-")[0]
    for candidate in found:
        if candidate.format == wanted or (wanted is None and len(found) == 1):
            if candidate.fault is not None:
                raise candidate.fault
            return format or candidate.format, candidate.path, candidate.set_folders
    if wanted is not None:
        return format, path, ()  # the reader says what it misses
    if len(found) > 1:
        formats = [candidate.format for candidate in found]
        raise InputError(
            f"annotations in {len(formats)} forms: {', '.join(formats)}",
            where=path,
            hint=f"--format {formats[0]} or --format {formats[1]}, whichever is meant",
        )
    if path.is_file():
        raise InputError(
            f"a {path.suffix.lower() or 'nameless'} file is no data set",
            where=path,
            expected="instances_*.json, data.yaml, obj.data, .csv or .tfrecord, or a folder",
        )
    raise no_annotations(path)


def _read(form, path, settings):
    match form.partition("-")[0]:
        case "voc":
            from yolov2_tf.data.readers.voc_xml import read_voc

            return read_voc(path, **settings)
        case "coco":
            from yolov2_tf.data.readers.coco_json import read_coco

            return read_coco(path, **settings)
        case "yolo":
            from yolov2_tf.data.readers.yolo_txt import read_yolo

            return read_yolo(path, **settings, layout=form.partition("-")[2] or None)
        case "csv":
            from yolov2_tf.data.readers.csv_table import read_csv

            return read_csv(path, **settings)
        case "createml":
            from yolov2_tf.data.readers.createml_json import read_createml

            return read_createml(path, **settings)
        case "tfrecord":
            from yolov2_tf.data.readers.tf_records import read_records

            return read_records(path, split=settings["split"], class_names=settings["class_names"])
        case "tfds":
            from yolov2_tf.data.readers.tfds_sets import read_tfds

            return read_tfds(path, split=settings["split"], class_names=settings["class_names"])
    return _read_without_sets(form, path, **settings)


def _read_without_sets(form, path, split, images, class_names):
    """Readers of forms that know no image sets."""
    if isinstance(split, str):
        raise InputError(f"no image set {split!r}: {form} has none", where=path)
    settings = {"images": images, "class_names": class_names}
    if form == "via":
        from yolov2_tf.data.readers.via_regions import read_via

        return read_via(path, **settings)
    from yolov2_tf.data.readers.kitti_txt import read_kitti

    return read_kitti(path, **settings)
