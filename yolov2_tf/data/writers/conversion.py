"""Writes a data set in another form: pictures, annotations and image sets.

Boxes are written to a ten-thousandth of a pixel, so that going there and back changes nothing.
What a form cannot say is told: YOLO txt and CSV have no mark for boxes that do not train.
"""

import dataclasses
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.images import inspect_image, picture_size
from yolov2_tf.data.names import trimmed_names
from yolov2_tf.data.picture_infos import look_at
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

FORMS = ("voc", "coco", "yolo", "csv", "tfrecord")
"""What `convert` writes."""

PICTURES = ("copy", "link", "none")
"""What becomes of the pictures: copied, linked to, or left where they are."""

_MARKS_IGNORED = ("voc", "coco", "tfrecord")
_TRIMS_NAMES = ("voc", "coco", "csv")
_NAMES_ALL_CLASSES = ("coco", "yolo", "tfrecord")
_CONTROL = "\x00-\x1f\x85\u2028\u2029"  # what ends a line in a list of pictures is among them
_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2", "PPM": ".ppm"}


@dataclasses.dataclass(slots=True)
class Item:
    """A picture as it is written.

    Attributes:
        name: File name of the picture, without folders; unique, also without its suffix.
        record: `Record`, with its size in pixels.
    """

    name: str
    record: Record

    @property
    def stem(self):
        """The name without its suffix."""
        return os.path.splitext(self.name)[0]

    def pixels(self):
        """Returns boxes `(n, 4)` float64 `[y_min, x_min, y_max, x_max]` in 0-based pixels."""
        height, width = self.record.height, self.record.width
        return self.record.boxes.astype(float) * (height, width, height, width)


@dataclasses.dataclass(slots=True)
class Output:
    """What a writer gets.

    Attributes:
        items: The pictures, in the order of the data set.
        sets: Dict from the name of an image set, which may be that of a file, to its items; none
            where there are no sets.
        class_names: The classes.
        category_ids: Dict from a class to its id in COCO's form, where it has one.
    """

    items: Sequence[Item]
    sets: dict[str, list[Item]]
    class_names: tuple[str, ...]
    category_ids: dict[str, int] = dataclasses.field(default_factory=dict)

    def files(self, default):
        """The image sets, or all items under one name where there are none."""
        return self.sets or {default: list(self.items)}


def convert(
    dataset, out, form, *, pictures="copy", drop_ignored=False, category_ids=None, progress=None
):
    """Writes a data set in another form.

    Args:
        dataset: `Dataset`, boxes as fractions of the upright pictures.
        out: Folder to write, new or empty.
        form: One of `FORMS`.
        pictures: One of `PICTURES`; of TFRecord files, which hold the pictures, only `copy`.
        drop_ignored: Leaves out boxes that neither train nor count.
        category_ids: Dict from a class to its id, for COCO; None numbers them from 1 on.
        progress: Shows how far it is, as for `yolov2_tf.data.image_check.check_images`.

    Returns:
        Notes: what this form cannot say, one line each.

    Raises:
        InputError: If `out` is not empty, the size of a picture is needed and unknown, the
            pictures cannot be linked to, or the form cannot tell the classes by their names.
    """
    out = Path(out)
    _check_pictures(dataset.records, form, pictures)
    if out.exists() and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise InputError("is there and not empty", where=out, hint="another folder")
    records = [_without_ignored(record) if drop_ignored else record for record in dataset.records]
    _check_class_names(dataset.class_names, records, form, dataset.name)
    items = [
        Item(name, _sized(record) if form != "yolo" else record)
        for name, record in zip(_names(records), records, strict=True)
    ]
    sets, notes = split_into_sets(items, keep_unions=form == "voc")
    output = Output(items, sets, tuple(dataset.class_names), category_ids or {})
    with replacing(out) as temporary:
        temporary.mkdir()
        if form != "tfrecord" and pictures != "none":
            folder = temporary / ("JPEGImages" if form == "voc" else "images")
            folder.mkdir()
            for item in progress(items, len(items)) if progress else items:
                _write_picture(item, folder, pictures)
        notes += _writer(form)(output, temporary)
    return (*notes, *_lost(output, form))


def without_unreadable(dataset, form):
    """Leaves out pictures that cannot be read, where the form needs them or their sizes.

    Args:
        dataset: `Dataset`.
        form: One of `FORMS`.

    Returns:
        A `Dataset`, and notes. Where not one could be read it is as it was: `convert` says why.
    """
    records = dataset.records
    if form == "yolo":
        return dataset, ()
    images = records.images
    unsaid = np.flatnonzero((records.sizes < 1).any(axis=1)).tolist()
    needed = range(len(records)) if form == "tfrecord" else unsaid
    needed = [i for i in needed if images[i] is not None]
    seen = look_at([images[i] for i in needed], decode=False)
    bad = {i: info for i, info in zip(needed, seen, strict=True) if isinstance(info, str)}
    if not bad or len(bad) == len(records):
        return dataset, ()
    shown = listing([f"{records[i].image_id}: {why}" for i, why in [*bad.items()][:3]], len(bad))
    kept = records.take([i for i in range(len(records)) if i not in bad])
    note = f"pictures that cannot be read, left out: {len(bad):,} ({shown})"
    return dataclasses.replace(dataset, records=kept), (note,)


def _check_pictures(records, form, pictures):
    """Refuses what could not be done with the pictures as it is asked."""
    if form == "tfrecord" and pictures != "copy":
        raise InputError(
            f"--pictures {pictures}, but TFRecord files hold the pictures", expected="copy"
        )
    if pictures == "link":
        inside = (r for r in records if r.image is not None and not isinstance(r.image, str))
        if (record := next(inside, None)) is not None:
            raise InputError(
                "no file of its own, that could be linked to",
                where=record.image_id,
                expected="--pictures copy",
            )


def _check_class_names(class_names, records, form, where):
    """Refuses classes that would be lost, or one with another, where the form is read again."""
    if form in _TRIMS_NAMES:
        used = {label for record in records for label in record.labels.tolist()}
        written = form in _NAMES_ALL_CLASSES
        trimmed_names([c for i, c in enumerate(class_names) if written or i in used], where)


def _writer(form):
    match form:
        case "voc":
            from yolov2_tf.data.writers.voc_writer import write_voc as writer
        case "coco":
            from yolov2_tf.data.writers.coco_writer import write_coco as writer
        case "yolo":
            from yolov2_tf.data.writers.yolo_writer import write_yolo as writer
        case "csv":
            from yolov2_tf.data.writers.csv_writer import write_csv as writer
        case "tfrecord":
            from yolov2_tf.data.writers.tfrecord_writer import write_tfrecord as writer
        case _:
            raise InputError(f"no such form: {form!r}", expected=", ".join(FORMS))
    return writer


def number(value):
    """A number to a ten-thousandth, as short as possible: `12`, `12.5`."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if round(value, 4) else "0"


def _without_ignored(record):
    keep = ~record.ignore
    return dataclasses.replace(
        record, boxes=record.boxes[keep], labels=record.labels[keep], ignore=record.ignore[keep]
    )


def _sized(record):
    if record.width > 0 and record.height > 0:
        return record
    width, height = (0, 0) if record.image is None else picture_size(record.image)
    if not width:
        raise InputError(
            "the size of the picture is unknown",
            where=record.image_id,
            expected="a picture that can be read",
        )
    return dataclasses.replace(record, width=width, height=height)


def _names(records):
    """File names for the pictures: their own where these are unique, else made of the ids."""
    own = [os.path.basename(r.image) if isinstance(r.image, str) else "" for r in records]
    own = [re.sub(f"[{_CONTROL}]+", "_", name) for name in own]
    stems = [os.path.splitext(name)[0] for name in own]
    times = {}
    for stem in stems:
        times[stem] = times.get(stem, 0) + 1
    taken = {stem for stem in times if stem and times[stem] == 1}
    names = []
    for record, name, stem in zip(records, own, stems, strict=True):
        if not stem or times[stem] > 1:
            suffix = os.path.splitext(name)[1] or _suffix(record.image)
            stem = _fresh(os.path.splitext(record.image_id)[0], taken)
            name = stem + suffix
        names.append(name)
    return names


def _fresh(text, taken):
    base = re.sub(rf"[{_CONTROL}/\\:]+", "_", text).strip("_. ") or "picture"
    stem, count = base, 1
    while stem in taken:
        count += 1
        stem = f"{base}_{count}"
    taken.add(stem)
    return stem


def _suffix(image):
    if image is None or isinstance(image, str):
        return ".jpg"
    kind = inspect_image(image).format
    return _SUFFIXES.get(kind, f".{kind.lower()}")


def split_into_sets(items, keep_unions):
    """Returns a dict from image set to items, and notes. The names are those of files.

    Where every set becomes a file of its own, a set that is others put together (`trainval`) would
    double its pictures: it is left out. Where some pictures are of no set, these have one, too.
    """
    sets = {}
    for item in items:
        for name in item.record.image_sets:
            sets.setdefault(name, []).append(item)
    notes = ()
    if sets and (rest := [item for item in items if not item.record.image_sets]):
        sets["others"] = [*sets.get("others", ()), *rest]
        notes = (f"pictures of no image set are in one called others: {len(rest):,}",)
    members = {name: {item.name for item in found} for name, found in sets.items()}
    unions = []
    for name in sorted(members, key=lambda name: -len(members[name])) if not keep_unions else ():
        parts = [m for other, m in members.items() if other != name and m < members[name]]
        if parts and set().union(*parts) == members[name]:
            unions.append(name)
            del members[name]
    for name in unions:
        del sets[name]
    if unions:
        left = f"image sets that are others put together, not written: {listing(unions)}"
        notes = (*notes, left)
    taken = set()
    return {_fresh(name, taken): found for name, found in sets.items()}, notes


def _write_picture(item, folder, how):
    image = item.record.image
    if image is None:
        return
    if not isinstance(image, str):
        (folder / item.name).write_bytes(image() if callable(image) else image)
    elif how == "link":
        os.symlink(os.path.abspath(image), folder / item.name)
    else:
        try:
            shutil.copyfile(image, folder / item.name)
        except OSError as error:
            raise InputError(f"cannot be copied: {error.strerror}", where=image) from None


def _lost(output, form):
    notes = []
    ignored = sum(int(item.record.ignore.sum()) for item in output.items)
    if ignored and form not in _MARKS_IGNORED:
        notes.append(
            f"{ignored:,} boxes that neither train nor count are ordinary ones now: {form} has no "
            "mark for them (--drop-ignored leaves them out)"
        )
    used = {label for item in output.items for label in item.record.labels.tolist()}
    unused = [name for i, name in enumerate(output.class_names) if i not in used]
    if unused and form not in _NAMES_ALL_CLASSES:
        notes.append(f"classes without a box, not in {form} files: {listing(unused)}")
    missing = [item.name for item in output.items if item.record.image is None]
    if missing and len(missing) < len(output.items):
        notes.append(f"pictures not found: {len(missing):,} ({listing(missing)})")
    return notes
