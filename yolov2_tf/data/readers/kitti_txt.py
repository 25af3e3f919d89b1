"""Reads KITTI's object labels: one text file per picture, corners in pixels or fractions.

A line is `type truncated occluded alpha x_min y_min x_max y_max` and 3-D values, which are not
used. Lines of the type `DontCare` mark regions, not objects; they are left out, with a note.
"""

import heapq
import itertools
import os
from pathlib import Path

from yolov2_tf.data.annotations import Annotation, build_dataset, finite, listing
from yolov2_tf.data.images import unreadable
from yolov2_tf.data.picture_finder import PictureFinder, is_picture
from yolov2_tf.data.picture_infos import picture_sizes
from yolov2_tf.data.readers.repeated_names import RepeatedNames
from yolov2_tf.data.readers.units import to_fractions
from yolov2_tf.data.text_files import read_text
from yolov2_tf.data.visible_files import is_hidden, visible
from yolov2_tf.errors import InputError

_PICTURES = ("image_2", "images", "image")
_LABELS = ("label_2", "labels", "label")
_LOOKED_AT = 1000  # label files: the first may all be of pictures without an object


def read_kitti(folder, *, images=None, class_names=None):
    """Reads a folder of KITTI's object labels.

    Args:
        folder: A folder with `label_2/` (and `image_2/`), or the one above (`training/`).
        images: Folder of the pictures, if it is another.
        class_names: Names that the labels shall index. Default: the types found, sorted.

    Returns:
        A `Dataset`. A picture that cannot be read is left out, since no sizes are stated. One
        without a label file is background.

    Raises:
        InputError: If something is missing, malformed or unknown.
    """
    folder = Path(folder)
    labels = find_kitti_labels(folder)
    if labels is None:
        raise InputError("no labels of KITTI", where=folder, expected="label_2/*.txt")
    places = [images] if images else [labels.parent / name for name in _PICTURES] + [labels]
    finder = PictureFinder(places)
    annotations, left_out, regions = [], [], 0
    pictures = {path: finder.find(path.stem) for path in visible(labels, "*.txt")}
    bare = [] if images else _without_labels(pictures)  # other sets may have pictures in --images
    sizes = picture_sizes([*filter(None, pictures.values()), *bare])
    for path, picture in pictures.items():
        width, height = sizes.get(picture, (0, 0))
        if not width:
            left_out.append(unreadable(path.name, picture))
            continue
        rows = _rows(path)
        objects = [row for row in rows if row[1] != "DontCare"]
        regions += len(rows) - len(objects)
        places_of = [f"{path}:{line}" for line, *_ in objects]
        annotations.append(
            Annotation(
                picture,
                path.stem,
                [corners for _, _, corners in objects],
                [kind for _, kind, _ in objects],
                [False] * len(objects),
                places_of.__getitem__,
                width,
                height,
            )
        )
    if not annotations:
        first = left_out[0] if left_out else labels
        raise InputError(
            f"no picture can be read; the first: {first}",
            where=folder,
            hint="--images with the folder of the pictures",
        )
    repeated = RepeatedNames()
    for picture in bare:
        image_id = repeated.numbered(Path(picture).stem)
        annotations.append(Annotation(picture, image_id, [], [], [], None, *sizes[picture]))
    notes, counts = [*to_fractions(annotations, folder)], {}
    if bare:
        shown = listing([os.path.relpath(path, folder) for path in bare[:3]], len(bare))
        what = "pictures without a label file, taken as background"
        notes.append(f"{what}: {len(bare):,} ({shown})")
    if left_out:
        what = "label files without a readable picture, left out"
        notes.append(f"{what}: {len(left_out):,} ({listing(left_out)})")
    if regions:
        notes.append(f"regions of the type DontCare, which mark no objects, left out: {regions:,}")
        counts["regions left out (DontCare)"] = regions
    if class_names is None:
        class_names = sorted({name for annotation in annotations for name in annotation.names})
    return build_dataset(folder.resolve().name, annotations, class_names, notes, counts)


def _without_labels(pictures):
    """Paths of pictures without a label file that lie beside pictures with one.

    Args:
        pictures: Dict from label file to the path of its picture, None where it has none.
    """
    stems, taken = {path.stem for path in pictures}, set(filter(None, pictures.values()))
    return [
        os.path.join(folder, path.name)
        for folder in sorted(set(map(os.path.dirname, taken)))
        for path in visible(folder)
        if is_picture(path.name)
        and path.stem not in stems
        and os.path.join(folder, path.name) not in taken
        and path.is_file()
    ]


def find_kitti_labels(folder):
    """The folder of KITTI's labels in a folder, or None: the first rows of three files decide."""
    for place in [folder, *(folder / part for part in ("training", "train"))]:
        for labels in [place / name for name in _LABELS] + [place]:
            if labels.is_dir():
                names = (n for n in os.listdir(labels) if n.endswith(".txt") and not is_hidden(n))
                names = heapq.nsmallest(_LOOKED_AT, names)
                rows = filter(None, map(_first_row, map(labels.joinpath, names)))
                if any(map(_is_row, itertools.islice(rows, 3))):
                    return labels
    return None


def _first_row(path):
    """The fields of the first line that is not blank, `[]` where there is none or no text."""
    try:
        lines = read_text(path, "cp1252").splitlines()
    except InputError:
        return []
    return next(filter(None, map(str.split, lines)), [])


def _is_row(fields):
    if len(fields) not in (8, 15, 16):
        return False
    try:
        list(map(finite, fields[1:8]))
    except ValueError:
        return False
    return not fields[0].lstrip("-").replace(".", "").isdecimal()


def _rows(path):
    """Returns line number, type and corners of every line that is not blank."""
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not (fields := line.split()):
            continue
        if not _is_row(fields):
            raise InputError(
                "no line of KITTI",
                where=f"{path}:{number}",
                expected="type truncated occluded alpha x_min y_min x_max y_max …",
            )
        rows.append((number, fields[0], tuple(map(finite, fields[4:8]))))
    return rows
