"""Writes detections as VOC's and COCO's evaluation servers and kits take them.

VOC (development kit, section 8.2, "Detection"): for each class a file `comp4_det_test_CLASS.txt` of
lines `image score x_min y_min x_max y_max`, pixels from 1, borders included. COCO: a JSON list of
`{"image_id", "category_id", "bbox": [x, y, width, height], "score"}`, pixels from 0.
"""

import json
from pathlib import Path

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.files import replacing

VOC_NAME = "comp4_det_test"
"""Competition 4: detectors trained on any data but the test set's."""


def check_voc_results(dataset, folder):
    """Refuses a data set whose detections cannot be written as VOC's kit takes them.

    Args:
        dataset: `Dataset`.
        folder: As for `write_voc_results`.

    Raises:
        InputError: As `write_voc_results`.
    """
    for class_name in dataset.class_names:
        if Path(class_name).name != class_name:
            raise InputError(f"class {class_name!r} cannot name a file", where=folder)
    for image_id in dataset.records.image_ids:
        if image_id.split() != [image_id]:  # blanks part the columns of a line
            raise InputError(f"image id {image_id!r}", where=folder, expected="one without blanks")
    _check_sizes(dataset)


def check_coco_results(dataset, path, category_ids):
    """Refuses a data set whose detections cannot be written as COCO's tools take them.

    Args:
        dataset: `Dataset`.
        path: As for `write_coco_results`.
        category_ids: As for `write_coco_results`.

    Raises:
        InputError: As `write_coco_results`.
    """
    missing = without_category(dataset, category_ids)
    if len(missing) == len(dataset.class_names):
        raise InputError(f"no category id for {', '.join(missing[:5])}", where=path)
    for image_id in dataset.records.image_ids:
        if not _number(image_id).isdecimal():
            raise InputError(
                f"image id {image_id!r}", where=path, expected="a number, as COCO's are"
            )
    _check_sizes(dataset)


def without_category(dataset, category_ids):
    """Names of the classes that COCO's tools do not know, whose detections they cannot take."""
    return [name for name in dataset.class_names if name not in category_ids]


def write_voc_results(dataset, detections, folder, name=VOC_NAME):
    """Writes `NAME_CLASS.txt` for each class, an empty file where nothing was found.

    Nodes of a label tree that share a name are told apart by their numbers.

    Pixel coordinates are those that the VOC reader undoes: `x_min · width + 1`, as Darknet writes
    them (src/detector.c, `print_detector_detections`), kept within 1 and the picture's side.

    Args:
        dataset: `Dataset` with the sizes of its pictures.
        detections: As `yolov2_tf.evaluation.detections.evaluate` takes them.
        folder: Folder for the files; made if it is not there.
        name: What the files' names begin with.

    Returns:
        The paths, in the order of the classes.

    Raises:
        InputError: If the size of a picture is not known, its id has blanks, or a class cannot
            name a file.
    """
    check_voc_results(dataset, folder)
    lines = {label: [] for label in range(len(dataset.class_names))}
    for record, found in zip(dataset.records, detections, strict=True):
        limits = np.tile(np.array([record.width, record.height], np.float64), 2)
        pixels = np.asarray(found["boxes"], np.float64).reshape(-1, 4)[:, [1, 0, 3, 2]]
        pixels = np.clip(pixels * limits + 1, 1, limits)
        for label, score, box in zip(found["labels"], found["scores"], pixels, strict=True):
            numbers = " ".join(f"{side:.6f}" for side in box)
            lines[int(label)].append(f"{record.image_id} {float(score):.6f} {numbers}\n")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for label, class_name in enumerate(distinct_names(dataset.class_names)):
        paths.append(folder / f"{name}_{class_name}.txt")
        with replacing(paths[-1]) as temporary:
            temporary.write_text("".join(lines[label]), encoding="utf-8")
    return paths


def write_coco_results(dataset, detections, path, category_ids):
    """Writes COCO's results file.

    Detections of a class without a category are left out.

    Args:
        dataset: `Dataset` with the sizes of its pictures, whose image ids are COCO's.
        detections: As `yolov2_tf.evaluation.detections.evaluate` takes them.
        path: The JSON file.
        category_ids: Dict from each class's name to COCO's category id.

    Raises:
        InputError: If the size of a picture is not known, its id is no number, or no class has a
            category.
    """
    check_coco_results(dataset, path, category_ids)
    ids = [category_ids.get(name) for name in dataset.class_names]
    rows = []
    for record, found in zip(dataset.records, detections, strict=True):
        width, height = record.width, record.height
        boxes = np.asarray(found["boxes"], np.float64).reshape(-1, 4)
        near, far = boxes[:, 1::-1] * (width, height), boxes[:, :1:-1] * (width, height)
        for label, score, low, high in zip(
            found["labels"], found["scores"], near, far, strict=True
        ):
            if ids[int(label)] is None:
                continue
            rows.append(
                {
                    "image_id": int(_number(record.image_id)),
                    "category_id": ids[int(label)],
                    "bbox": [round(float(side), 3) for side in (*low, *(high - low))],
                    "score": round(float(score), 6),
                }
            )
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(rows), encoding="utf-8")


def _number(image_id):
    return image_id.rpartition("/")[2]  # `val2017/139` where several files were read


def _check_sizes(dataset):
    unknown = np.flatnonzero((dataset.records.sizes == 0).any(axis=1))
    if len(unknown):
        raise InputError(
            "the size of the picture is not in the annotations",
            where=dataset.records[int(unknown[0])].image_id,
            expected="width and height, as results are in pixels",
        )
