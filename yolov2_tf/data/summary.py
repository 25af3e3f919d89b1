"""What a data set holds, in figures: for one table after opening, and for programs."""

import collections
import dataclasses
from collections.abc import Mapping

import numpy as np

ALL = "all"
"""What the image set is called where there is none."""


@dataclasses.dataclass(frozen=True)
class Summary:
    """Figures of a data set, by image set.

    A picture that is in two image sets counts in both.

    Attributes:
        name: Name of the data set.
        class_names: Its classes.
        pictures: Number of pictures by image set.
        boxes: `(classes,)` int64 by image set: boxes that train and count.
        ignored: Number of boxes that neither train nor count, by image set.
        background: Number of pictures without any box, by image set.
        missing: Number of records whose picture was not found, by image set.
        counts: What was left out, mended or ignored, as `Dataset.counts`.
        notes: As `Dataset.notes`.
    """

    name: str
    class_names: tuple[str, ...]
    pictures: Mapping[str, int]
    boxes: Mapping[str, np.ndarray]
    ignored: Mapping[str, int]
    background: Mapping[str, int]
    missing: Mapping[str, int]
    counts: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def classes_without_box(self):
        """Names of the classes that no box trains, in any image set."""
        total = sum(self.boxes.values())
        return tuple(name for name, n in zip(self.class_names, total, strict=True) if not n)

    def as_json(self):
        """The figures as a value for `json.dumps`."""
        sets = {
            name: {
                "pictures": self.pictures[name],
                "boxes": int(self.boxes[name].sum()),
                "boxes_per_class": dict(
                    zip(self.class_names, self.boxes[name].tolist(), strict=True)
                ),
                "ignored_boxes": self.ignored[name],
                "background_pictures": self.background[name],
                "pictures_not_found": self.missing[name],
            }
            for name in self.pictures
        }
        return {
            "name": self.name,
            "classes": list(self.class_names),
            "classes_without_box": list(self.classes_without_box),
            "image_sets": sets,
            "counts": dict(self.counts),
            "notes": list(self.notes),
        }


def summarize(dataset):
    """Counts what a data set holds.

    Args:
        dataset: `Dataset`.

    Returns:
        `Summary`.
    """
    records, classes = dataset.records, len(dataset.class_names)
    members = collections.defaultdict(lambda: np.zeros(len(records), bool))
    for names, places in records.image_sets.items():
        for name in names or (ALL,):
            members[name][places] = True
    owner = np.arange(len(records)).repeat(records.counts)
    absent = np.array([image is None for image in records.images], bool)
    boxes, ignored = {}, {}
    for name, member in members.items():
        inside = member[owner]
        boxes[name] = np.bincount(records.labels[inside & ~records.ignore], minlength=classes)
        ignored[name] = int((inside & records.ignore).sum())
    return Summary(
        name=dataset.name,
        class_names=dataset.class_names,
        pictures={name: int(member.sum()) for name, member in members.items()},
        boxes=boxes,
        ignored=ignored,
        background={
            name: int((member & (records.counts == 0)).sum()) for name, member in members.items()
        },
        missing={name: int((member & absent).sum()) for name, member in members.items()},
        counts=dataset.counts,
        notes=dataset.notes,
    )


def table_rows(summary, shown=20):
    """The figures as rows of text, for a table.

    Args:
        summary: `Summary`.
        shown: How many classes to list, those with the most boxes; the others are added up.

    Returns:
        The heading and the rows, each a tuple of text: a name, then one figure an image set.
    """
    sets = list(summary.pictures)
    total = sum(summary.boxes.values())
    order = [i for i in np.argsort(-total, kind="stable").tolist() if total[i]]
    listed, others = order[:shown], order[shown:]
    figures = {
        "pictures": summary.pictures,
        "  without any box": summary.background,
        "  not found": summary.missing,
        "boxes": {part: int(summary.boxes[part].sum()) for part in sets},
    }
    for label in listed:
        name = f"  {summary.class_names[label]}"
        figures[name] = {part: int(summary.boxes[part][label]) for part in sets}
    more = {part: int(summary.boxes[part][others].sum()) for part in sets}
    figures[f"  {len(others):,} more classes"] = more
    figures["boxes ignored"] = summary.ignored
    rows = [
        (name, *(f"{by_set[part]:,}" for part in sets))
        for name, by_set in figures.items()
        if any(by_set.values()) or name in ("pictures", "boxes")
    ]
    return ("", *(part if part != ALL else "" for part in sets)), rows
