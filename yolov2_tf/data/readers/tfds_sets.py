"""Reads sets of TensorFlow Datasets: with boxes and labels of objects, or one label a picture.

Pictures stay in their files, see `yolov2_tf.data.readers.tfds_shards`.
"""

import os

import numpy as np

from yolov2_tf.data.annotation_columns import AnnotationColumns
from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits
from yolov2_tf.data.images import picture_size
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.picture_column import StoredPicture
from yolov2_tf.data.readers.repeated_names import RepeatedNames
from yolov2_tf.data.readers.tfds_shards import Shards
from yolov2_tf.errors import InputError

_FILE_NAME = "image/filename"


def read_tfds(name, *, split=None, class_names=None):
    """Reads a TFDS detection set; downloads and prepares it first if need be.

    Args:
        name: E.g. `"voc/2007"`, or the folder of a prepared data set.
        split: E.g. `"train"` or `"train[:10%]"`. Default: the only one, else all.
        class_names: Names that the labels shall index. Default: those of the data set.

    Returns:
        A `Dataset`; objects with `is_difficult` or `is_crowd` are marked `ignore`. Pictures are
        called by `image/filename`, where the data set has it, else by their places.

    Raises:
        InputError: If there is no such data set or split, it cannot be prepared, or its features
            have no sequence with `bbox` and `label`.
    """
    builder = _builder(os.fspath(name))
    where = f"tfds:{builder.info.full_name}"
    image_key, objects_key, names = _features(builder, where)
    title, parts, notes = _parts(builder, split, image_key, where)
    annotations, repeated, whole = AnnotationColumns(), RepeatedNames(), [*builder.info.splits]
    for part, examples in parts:
        for i, features in enumerate(examples):
            place = f"{where} {part}[{i}]"
            picture = StoredPicture(examples, i)
            annotation = _annotation(features, picture, objects_key, names, place)
            annotation.image_id = repeated.numbered(annotation.image_id)
            annotation.image_sets = (part,) if part in whole else ()  # a slice is none
            annotations.append(annotation, place)
    annotations.packed()
    return build_dataset(title, annotations, names if class_names is None else class_names, notes)


def read_tfds_labels(name, *, split=None):
    """Reads a TFDS classification set; downloads and prepares it first if need be.

    Args:
        name: E.g. `"cifar10"`, or the folder of a prepared data set.
        split: E.g. `"train"` or `"train[:10%]"`. Default: the only one, else all.

    Returns:
        A `ClassificationDataset`. Pictures without a label (-1) are left out, with a note.

    Raises:
        InputError: If there is no such data set or split, it cannot be prepared, or its features
            have no image with a class label.
    """
    builder = _builder(os.fspath(name))
    where = f"tfds:{builder.info.full_name}"
    image_key, label_key, names = _label_features(builder, where)
    title, parts, notes = _parts(builder, split, image_key, where)
    records = [
        LabelledImage(
            StoredPicture(examples, i), features[label_key].int64_list.value[0], f"{part}[{i}]"
        )
        for part, examples in parts
        for i, features in enumerate(examples)
    ]
    labelled = [record for record in records if record.label >= 0]
    unlabelled = len(records) - len(labelled)
    if unlabelled:
        notes = (*notes, f"pictures without a label, left out: {unlabelled:,}")
    if not labelled:
        raise InputError("not one picture has a label", where=where)
    return ClassificationDataset(title, tuple(names), labelled, notes)


def _builder(name):
    import tensorflow_datasets as tfds

    try:
        if os.path.isdir(name):
            return tfds.builder_from_directory(name)
        builder = tfds.builder(name)
        if not builder.data_path.exists():
            builder.download_and_prepare(file_format="array_record")
        return builder
    except Exception as error:  # the code of a thousand data sets: it may raise anything
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise InputError(
            f"TFDS cannot provide this data set: {reason}",
            where=f"tfds:{name}",
            hint="https://www.tensorflow.org/datasets/catalog/overview lists the names",
        ) from error


def _features(builder, where):
    """Returns the key of the picture, the key of the objects, and the class names."""
    from tensorflow_datasets import features as kinds

    features = dict(sorted((builder.info.features or {}).items()))  # their order is no order
    pictures = [key for key, feature in features.items() if isinstance(feature, kinds.Image)]
    for key, feature in features.items():
        inner = dict(getattr(feature, "feature", None) or {})
        if (
            pictures
            and isinstance(inner.get("bbox"), kinds.BBoxFeature)
            and isinstance(inner.get("label"), kinds.ClassLabel)
        ):
            layout = inner["bbox"].bbox_format
            if layout is None or layout.value != "REL_YXYX":
                raise InputError(f"boxes in the format {layout}", where=where, expected="REL_YXYX")
            return pictures[0], key, inner["label"].names
    raise InputError(
        f"no detection set: its features are {', '.join(features)}",
        where=where,
        expected="an image, and a sequence of objects with 'bbox' and 'label'",
    )


def _label_features(builder, where):
    """Returns the key of the picture, the key of its label, and the class names.

    Where several features are class labels, the one that the set names as its target is taken.
    """
    from tensorflow_datasets import features as kinds

    features = builder.info.features or {}
    pictures = [key for key in sorted(features) if isinstance(features[key], kinds.Image)]
    labels = [key for key in sorted(features) if isinstance(features[key], kinds.ClassLabel)]
    targets = [key for key in builder.info.supervised_keys or () if key in labels]
    if not pictures or not labels:
        raise InputError(
            f"no classification set: its features are {', '.join(sorted(features))}",
            where=where,
            expected="an image and a class label",
        )
    label = (*targets, *labels)[0]
    return pictures[0], label, features[label].names


def _parts(builder, split, image_key, where):
    """Returns the title, pairs of a split and its examples, and notes."""
    chosen, notes = (split,), ()
    if split is None or callable(split):
        chosen, notes = choose_splits(where, builder.info.splits, split)
    title = " ".join([builder.info.full_name, *([chosen[0]] if len(chosen) == 1 else [])])
    return title, [(part, Shards(builder, part, image_key, where)) for part in chosen], notes


def _annotation(features, picture, objects_key, names, where):
    """What an example says; `picture` is the `StoredPicture`."""
    boxes = np.reshape(features[f"{objects_key}/bbox"].float_list.value, (-1, 4))
    labels = features[f"{objects_key}/label"].int64_list.value
    ignore = [False] * len(labels)
    for flag in ("is_difficult", "is_crowd"):
        if flags := features[f"{objects_key}/{flag}"].int64_list.value:
            ignore = [old or bool(new) for old, new in zip(ignore, flags, strict=True)]
    unknown = [label for label in labels if label not in range(len(names))]
    if unknown:
        raise InputError(
            f"class id {unknown[0]} is out of range", where=where, expected=f"0 to {len(names) - 1}"
        )
    title = features[_FILE_NAME].bytes_list.value
    return Annotation(
        picture,
        title[0].decode("utf-8", "replace") if title and title[0] else where.rpartition(" ")[2],
        boxes,
        [names[label] for label in labels],
        ignore,
        None,
        *picture_size(picture.store.picture_of(features)),
    )
