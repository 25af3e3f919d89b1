"""Opens a data set by path or name: recognises which form it has and calls its reader."""

import dataclasses
import os
from pathlib import Path

from yolov2_tf.data.annotations import rename_classes
from yolov2_tf.errors import InputError

_ARCHIVES = (".tar", ".gz", ".tgz", ".xz", ".bz2", ".zip")


def open_dataset(spec, *, split=None, images=None, class_names=None):
    """Opens annotated images.

    Args:
        spec: One of

            - a VOC folder (`Annotations/`), a `VOCdevkit` of several, a folder that holds a
              devkit, or a folder of XML files;
            - a COCO `instances_*.json`, or a folder with such files (or `annotations/` with them);
            - a YOLO `data.yaml`, or a folder with one;
            - a CSV file of boxes;
            - `tfds:NAME`, e.g. `tfds:voc/2007`, or the folder of a prepared TFDS data set;
            - `digits`, the embedded one.
        split: Image set to read, e.g. `"trainval"`. Default: the only one there is, else all of
            them, which a note tells; `"train"` of `digits`.
        images: Folder of the pictures, where they are not at their usual place.
        class_names: Names that the labels shall index, e.g. those of a model. Default: as the
            data set states or holds them.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If it is none of these, or its content cannot be used.
    """
    spec = os.fspath(spec)
    if spec == "digits":
        from yolov2_tf.data.digits.scenes import SPLITS, open_digits

        dataset = rename_classes(open_digits(split or "train"), class_names)
        if split is None:  # all would mix what digits keeps apart
            note = f"image sets {', '.join(SPLITS)} found: train is used (the split picks another)"
            dataset = dataclasses.replace(dataset, notes=(*dataset.notes, note))
        return dataset
    if spec.startswith("tfds:"):
        from yolov2_tf.data.readers.tfds_sets import read_tfds

        return read_tfds(spec.removeprefix("tfds:"), split=split, class_names=class_names)
    path = Path(spec).expanduser()
    if path.is_dir():
        return _open_folder(path, split, images, class_names)
    if path.is_file():
        return _open_file(path, split, images, class_names)
    raise InputError("no such data set", where=spec, expected="a path, tfds:NAME or digits")


def _open_file(path, split, images, class_names):
    suffix = path.suffix.lower()
    match suffix:
        case ".json":
            from yolov2_tf.data.readers.coco_json import read_coco

            return read_coco(path, split=split, images=images, class_names=class_names)
        case ".yaml" | ".yml":
            from yolov2_tf.data.readers.yolo_txt import read_yolo

            return read_yolo(path, split=split, images=images, class_names=class_names)
        case ".csv":
            from yolov2_tf.data.readers.csv_table import read_csv

            if split is not None:
                raise InputError(f"no image set {split!r}: a CSV file has none", where=path)
            return read_csv(path, images=images, class_names=class_names)
    if suffix in _ARCHIVES:
        raise InputError("an archive", where=path, hint="unpack it and give the folder")
    raise InputError(
        f"a {suffix or 'nameless'} file is no data set",
        where=path,
        expected="instances_*.json, data.yaml or .csv, or a folder",
    )


def _open_folder(path, split, images, class_names):
    from yolov2_tf.data.readers.coco_json import find_coco_files, read_coco
    from yolov2_tf.data.readers.voc_xml import find_voc_folders, read_voc

    settings = {"split": split, "images": images, "class_names": class_names}
    for name in ("data.yaml", "data.yml"):
        if (path / name).is_file():
            return _open_file(path / name, **settings)
    if (path / "dataset_info.json").is_file() and (path / "features.json").is_file():
        from yolov2_tf.data.readers.tfds_sets import read_tfds

        return read_tfds(path, split=split, class_names=class_names)
    if find_coco_files(path):
        return read_coco(path, **settings)
    if find_voc_folders(path):
        return read_voc(path, **settings)
    raise InputError(
        "no annotations found",
        where=path,
        expected="Annotations/*.xml (VOC), instances_*.json (COCO) or data.yaml (YOLO)",
    )
