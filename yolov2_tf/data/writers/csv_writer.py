"""Writes CSV: the columns of TensorFlow's Object Detection API, 0-based pixels."""

import csv

from yolov2_tf.data.writers.conversion import number

COLUMNS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
"""The header. A line with nothing behind the size is a picture without boxes."""


def write_csv(output, folder):
    """Writes one file per image set, `annotations.csv` where there are none.

    A column `set` names the image set, so that a folder of files that are called `train.csv` and
    `other.csv` is known as one data set.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.
    """
    for name, items in output.files("annotations").items():
        path = folder / f"{name}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            own = (name,) if output.sets else ()
            writer.writerow((*COLUMNS, "set") if own else COLUMNS)
            for item in items:
                writer.writerows((*row, *own) for row in _rows(item, output.class_names))
    return ()


def _rows(item, class_names):
    start = [item.name, item.record.width, item.record.height]
    if not len(item.record.boxes):
        return [[*start, *[""] * 5]]
    return [
        [*start, class_names[label], *map(number, (x_min, y_min, x_max, y_max))]
        for label, (y_min, x_min, y_max, x_max) in zip(
            item.record.labels.tolist(), item.pixels().tolist(), strict=True
        )
    ]
