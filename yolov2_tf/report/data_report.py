"""What a data set holds: figures for programs, and the page of `yolov2 inspect`."""

import dataclasses

import numpy as np

from yolov2_tf.boxes import corners_to_centers, shape_iou
from yolov2_tf.data.dataset import box_shapes
from yolov2_tf.data.images import load_image
from yolov2_tf.data.summary import Summary, summarize, table_rows
from yolov2_tf.data.suspects import (
    KINDS,
    Suspect,
    copies_of_pictures,
    find_suspects,
    shared_by_sets,
)
from yolov2_tf.drawing.pictures import class_colors
from yolov2_tf.errors import InputError
from yolov2_tf.models.anchors import average_iou, cluster, to_cells
from yolov2_tf.models.slots import reachable
from yolov2_tf.report import charts
from yolov2_tf.report.page import cropped, data_uri, outlined, render

SIZES = tuple(range(320, 609, 32))
"""Sides of the input for which the most possible recall is told: the paper's."""

SMALL = 8
"""A box with a side below this many pixels of the input is too small for most networks."""

SHEET = 6
"""Pictures of each class on the page."""

SHOWN_CLASSES = 40
SHOWN_SUSPECTS = 12
ACCENT = (255, 176, 0)


@dataclasses.dataclass(frozen=True)
class DataReport:
    """What `inspect_dataset` found.

    Attributes:
        summary: `Summary`.
        size: Side of the input in pixels that the figures are for.
        anchors: `(k, 2)` `[width, height]` as fractions of the picture.
        average_iou: Mean IoU of the boxes with their closest anchor.
        classes: Dict from a class to its figures: `boxes`, `average_iou`, `median_side` in
            pixels of the input, `too_small`.
        too_small: Share of the boxes with a side below `SMALL` pixels of the input.
        most_recall: Dict from a size to the share of truths that have a slot of their own.
        sharing: Number of truths that share their slot with an earlier one, at `size`.
        suspects: List of `Suspect`.
        copies: Groups of indices of records that show one picture.
        across: Those of them that lie in different image sets.
        shared_by_sets: See `yolov2_tf.data.suspects.shared_by_sets`.
    """

    summary: Summary
    size: int
    anchors: np.ndarray
    average_iou: float
    classes: dict[str, dict]
    too_small: float
    most_recall: dict[int, float]
    sharing: int
    suspects: list[Suspect]
    copies: list[list[int]]
    across: list[list[int]]
    shared_by_sets: dict[tuple[str, str], list[int]]

    def as_json(self, dataset):
        """The figures as a value for `json.dumps`; `Summary.as_json` is part of it."""
        names = [record.image_id for record in dataset.records]
        return {
            **self.summary.as_json(),
            "input_size": self.size,
            "anchors": np.round(to_cells(self.anchors, self.size).astype(float), 4).tolist(),
            "average_iou": self.average_iou,
            "too_small": self.too_small,
            "by_class": self.classes,
            "most_recall": {str(size): value for size, value in self.most_recall.items()},
            "truths_without_a_slot": self.sharing,
            "suspects": [
                {"kind": kind, "image": names[record], "boxes": list(boxes)}
                for kind, record, boxes in self.suspects
            ],
            "copies": [[names[i] for i in group] for group in self.copies],
            "copies_across_image_sets": [[names[i] for i in group] for group in self.across],
            "in_two_image_sets": [
                {"sets": list(pair), "images": [names[i] for i in both]}
                for pair, both in self.shared_by_sets.items()
            ],
        }


def inspect_dataset(dataset, size=416, anchors=5):
    """Measures what a data set holds for a network of a given input.

    Args:
        dataset: `Dataset`.
        size: Side of the input in pixels, a multiple of 32.
        anchors: Number of anchors to cluster, as training does, or `(k, 2)` anchors in cells of
            `size`; fewer where the boxes have fewer shapes.

    Returns:
        `DataReport`.

    Raises:
        InputError: If there is no box that counts.
    """
    records = dataset.records
    image = np.repeat(np.arange(len(records)), np.diff(records.ends, prepend=0))
    keep = ~records.ignore
    if not keep.any():
        raise InputError("no box that counts", where=dataset.name)
    shapes = box_shapes(dataset)
    if np.ndim(anchors) == 0:
        wanted = min(int(anchors), len(np.unique(shapes.astype(np.float32), axis=0)))
        anchors, _ = cluster(shapes, wanted)
    else:
        anchors = np.asarray(anchors, float) * 32 / size
    overlap = np.max([shape_iou(shapes, anchor) for anchor in anchors.astype(float)], axis=0)
    small = (shapes * size).min(axis=1) < SMALL
    labels = records.labels[keep]
    copies, across = copies_of_pictures(dataset)
    where = image[keep], records.boxes[keep], anchors
    sharing = len(shapes) - round(reachable(*where, size) * len(shapes))
    return DataReport(
        summary=summarize(dataset),
        size=size,
        anchors=anchors,
        average_iou=average_iou(shapes, anchors),
        classes=_by_class(dataset.class_names, labels, shapes, overlap, small, size),
        too_small=float(small.mean()),
        most_recall={side: reachable(*where, side) for side in sorted({*SIZES, size})},
        sharing=sharing,
        suspects=find_suspects(dataset),
        copies=copies,
        across=across,
        shared_by_sets=shared_by_sets(dataset),
    )


def _by_class(names, labels, shapes, overlap, small, size):
    figures = {}
    for label, name in enumerate(names):
        rows = labels == label
        if rows.any():
            figures[name] = {
                "boxes": int(rows.sum()),
                "average_iou": float(overlap[rows].mean()),
                "median_side": float(np.median(np.sqrt(shapes[rows].prod(axis=1))) * size),
                "too_small": float(small[rows].mean()),
            }
    return dict(sorted(figures.items(), key=lambda item: -item[1]["boxes"]))


def data_page(dataset, report, *, pictures=True):
    """The page of a `DataReport`.

    Args:
        dataset: The `Dataset` it was made of.
        report: `DataReport`.
        pictures: Whether to show pictures; without, only figures.

    Returns:
        HTML text that needs nothing else.
    """
    records = dataset.records
    keep = ~records.ignore
    shapes = box_shapes(dataset)
    boxes = records.boxes[keep]
    heading, rows = table_rows(report.summary, shown=SHOWN_CLASSES)
    per_picture = np.array([int((~record.ignore).sum()) for record in records])
    most = per_picture.max(initial=0)
    step = most // 30 + 1
    pixels = np.sqrt(shapes.prod(axis=1)) * report.size
    aspect = shapes[:, 0] / shapes[:, 1]
    size = report.size
    plots = {
        "classes": charts.bars(
            "Boxes of each class",
            {name: row["boxes"] for name, row in list(report.classes.items())[:SHOWN_CLASSES]},
            label="boxes",
        ),
        "shapes": charts.shapes("Box shapes and anchors", shapes, report.anchors),
        "centres": charts.heat(
            "Where the centres of the boxes lie",
            _centres(boxes),
            labels=("across, % of the picture", "down, % of the picture"),
        ),
        "sides": charts.histogram(
            "Sizes of the boxes", pixels, label=f"√area in pixels at {size} px input", log=True
        ),
        "aspects": charts.histogram(
            "Width over height of the boxes", aspect, label="width ÷ height", log=True
        ),
        "per_picture": charts.histogram(
            "Boxes in a picture",
            per_picture,
            label="boxes in a picture",
            of="pictures",
            bins=np.arange(-0.5, most + step + 0.5, step),
        ),
        "recall": charts.lines(
            "Share of the truths that have a slot of their own, by input size",
            {
                "": (
                    list(report.most_recall),
                    [100 * value for value in report.most_recall.values()],
                )
            },
            labels=("input side, pixels", "truths with a slot, %"),
        ),
    }
    return render(
        "inspect.html",
        report=report,
        heading=heading,
        rows=rows,
        small=SMALL,
        plots=plots,
        total=int(keep.sum()),
        pictures=len(records),
        sheets=_sheets(dataset, report) if pictures else [],
        suspects=_suspects(dataset, report, pictures),
        names=[record.image_id for record in records],
        kinds=KINDS,
    )


def _centres(boxes, cells=26):
    centers = corners_to_centers(boxes.astype(np.float64))[:, :2]
    x, y = np.clip((centers * cells).astype(int), 0, cells - 1).T
    return np.bincount(y * cells + x, minlength=cells * cells).reshape(cells, cells)


def _sheets(dataset, report):
    """For the most frequent classes some pictures with their boxes, spread over the data set."""
    holders = {name: [] for name in list(report.classes)[:SHOWN_CLASSES]}
    for i, record in enumerate(dataset.records):
        for label in np.unique(record.labels[~record.ignore]).tolist():
            if (name := dataset.class_names[label]) in holders:
                holders[name].append(i)
    sheets = []
    for name, where in holders.items():
        chosen = [where[k] for k in np.linspace(0, len(where) - 1, SHEET).round().astype(int)]
        label = dataset.class_names.index(name)
        color = class_colors([label])[0]
        pictures = []
        for i in dict.fromkeys(chosen):
            record = dataset.records[i]
            boxes = record.boxes[record.labels == label]
            shown = _shown(record, lambda image, boxes=boxes, color=color: outlined(
                image, boxes, [color] * len(boxes), longest=260))  # fmt: skip
            if shown:
                pictures.append({"uri": shown, "name": record.image_id, "boxes": len(boxes)})
        sheets.append({"name": name, "pictures": pictures, "holders": len(where)})
    return sheets


def _shown(record, draw):
    """The drawn picture of a record as text, None where it cannot be read."""
    if record.image is None:
        return None
    try:
        return data_uri(draw(load_image(record.image)))
    except InputError:
        return None


def _suspects(dataset, report, pictures):
    """By kind: how many, and the first of them with their pictures."""
    groups = []
    for kind, meaning in KINDS.items():
        found = [suspect for suspect in report.suspects if suspect.kind == kind]
        shown = [_suspect(dataset, suspect, pictures) for suspect in found[:SHOWN_SUSPECTS]]
        if found:
            groups.append({"meaning": meaning, "number": len(found), "shown": shown})
    return groups


def _suspect(dataset, suspect, pictures):
    record = dataset.records[suspect.record]
    boxes = record.boxes[list(suspect.boxes)]
    around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    colors = class_colors(record.labels[list(suspect.boxes)])
    if len(boxes) == 2 and (colors[0] == colors[1]).all():
        colors = [colors[0], ACCENT]

    def draw(image):
        part, place = cropped(image, around)
        return outlined(part, place(boxes), colors, longest=220, dashed=(1,))

    names = [dataset.class_names[label] for label in record.labels[list(suspect.boxes)]]
    return {
        "uri": _shown(record, draw) if pictures else None,
        "name": record.image_id,
        "classes": ", ".join(dict.fromkeys(names)),
    }
