"""What the numbers of YOLO label files mean, decided over a whole set.

A row is a class and numbers, fractions of the picture: `cx cy width height`; an outline
`x1 y1 x2 y2 x3 y3 …` or the four corners of an oriented box, of which the upright bounding box is
taken; or a box and its key points. One row alone often fits two of these. Whole sets seldom do;
where one does, it is refused and `--format` chooses.
"""

import collections
import dataclasses
import itertools
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from yolov2_tf.data.annotations import finite, listing
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.readers.yolo_readings import FITS, other_reading
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

LAYOUTS = ("centres", "corners", "outlines", "keypoints")
"""How rows may be read: `cx cy w h`, `x1 y1 x2 y2`, points of an outline, a box and key points."""

_CACHE_KIND = "yolo/1"
_CHUNK = 256  # files a thread reads at a time

_IN_PIXELS = 1.5
"""No number of a box in fractions is larger, however untidy."""


@dataclasses.dataclass(slots=True)
class Row:
    """A line of a label file: its number, its class as it stands there, and the numbers."""

    line: int
    label: str
    values: tuple[float, ...]


def read_rows(path, told):
    """Reads a label file; blank lines and comments are left out.

    Args:
        path: The file.
        told: A `collections.Counter` of what is unusual, e.g. comments, which is added to.

    Returns:
        A list of `Row`.

    Raises:
        InputError: If it cannot be read, or something is no number.
    """
    return list(parse_rows(read_text(path), path, told))


def parse_rows(text, path, told):
    """Yields the rows of a label file's text; as `read_rows`."""
    for number, label, fields in split_rows(text, told):
        try:
            yield Row(number, label, tuple(map(finite, fields)))
        except ValueError as error:
            raise InputError(str(error), where=f"{path}:{number}") from None


def split_rows(text, told):
    """Yields line, class and the other fields, as they stand there, of each row of a text."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not (line := line.strip()):
            continue
        if line.startswith(("#", "//")):
            told["comments skipped"] += 1
            continue
        label, *fields = _fields(line, told)
        yield number, label, fields


def read_files(paths, told):
    """Reads label files, in parallel; those that were read before come from the cache.

    Args:
        paths: Paths.
        told: As for `read_rows`.

    Returns:
        Dict from path to a list of `Row`.

    Raises:
        InputError: As `read_rows`.
    """
    paths = list(dict.fromkeys(paths))
    stamps = {path: stamp(path) for path in paths if os.path.isabs(path)}
    known = recall(_CACHE_KIND, stamps)
    unknown = [path for path in paths if path not in known]

    def read(start):
        return [_packed(path) for path in unknown[start : start + _CHUNK]]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        chunks = pool.map(read, range(0, len(unknown), _CHUNK))
        fresh = dict(zip(unknown, itertools.chain.from_iterable(chunks), strict=True))
    remember(_CACHE_KIND, stamps, {p: v for p, v in fresh.items() if p in stamps})
    rows = {}
    for path in paths:
        packed, unusual = known.get(path) or fresh[path]
        for what, count in unusual.items():
            told[what] += count
        # Few labels, many times.
        rows[path] = [Row(n, sys.intern(label), tuple(values)) for n, label, values in packed]
    return rows


def _packed(path):
    """What JSON can hold of a label file."""
    told = collections.Counter()
    rows = [[row.line, row.label, row.values] for row in read_rows(path, told)]
    return rows, dict(told)


def _fields(line, told):
    if "," not in line:
        return line.split()
    fields = line.split()
    if len(fields) > 4 and all(re.fullmatch(r"-?\d*,?\d+", field) for field in fields):
        told["rows with decimal commas"] += 1
        return [field.replace(",", ".") for field in fields]
    told["rows separated by commas"] += 1
    return [field.strip() for field in line.split(",") if field.strip()] or [line]


class RowLayout:
    """How the rows of a set are read.

    Args:
        rows: The rows of all label files, as pairs of file and `Row`.
        keypoints: Numbers of key points in a row (`kpt_shape` of the yaml), or None.
        layout: One of `LAYOUTS` to insist on it, or None.

    Raises:
        InputError: If they fit no reading, or two.
    """

    def __init__(self, rows, keypoints=None, layout=None):
        self.notes = []
        self._layout = layout
        self._pose_length = None if keypoints is None else 4 + keypoints
        self._tracked = False
        self._places = rows
        self._lengths = collections.Counter(len(row.values) for _, row in rows)
        if layout == "keypoints":
            self._pose_length = self._pose_length or max(self._lengths, default=4)
        if layout is None:
            self._decide_points({n for n in self._lengths if n > 5 and n != self._pose_length})
        self._check_extra_column()
        self._check_lengths()
        self._check_units()
        if layout is None:
            self._check_readings()
        self._tell_outlines()

    def corners(self, values):
        """Returns `(y_min, x_min, y_max, x_max)` of a row's numbers."""
        if self._layout == "corners":
            x_min, y_min, x_max, y_max = values[:4]
            return y_min, x_min, y_max, x_max
        if self._is_box(len(values)):
            x, y, width, height = values[:4]
            if max(x, y) > _IN_PIXELS:  # a few among fractions: clipped, it could be all of it
                width = height = 0
            return y - height / 2, x - width / 2, y + height / 2, x + width / 2
        xs, ys = values[0::2], values[1::2]
        return min(ys), min(xs), max(ys), max(xs)

    def _is_box(self, length):
        """Whether a row of so many numbers begins with those of a box."""
        if self._layout in ("centres", "corners"):
            return length >= 4
        return length in (4, 5, self._pose_length) or (self._tracked and length == 6)

    def _decide_points(self, lengths):
        """Decides whether rows of many numbers are outlines or boxes with key points."""
        if len(lengths) != 1:
            return  # outlines have as many points as they need
        (length,) = lengths
        places = [(path, row) for path, row in self._places if len(row.values) == length]
        values = np.array([row.values for _, row in places])
        visible = values[:, 6::3]
        surely = len(places) > 1 or (visible == 2).any()
        if (length - 4) % 3 == 0 and np.isin(visible, (0, 1, 2)).all() and surely:
            self._pose_length = length
            count = (length - 4) // 3
            self.notes.append(f"rows with {count} key points: the first four numbers are the box")
        elif length == 6 and _are_tracked(values):
            self._take_tracks(values, places[0])
        elif (
            length != 8 and length % 2 == 0 and len(places) > 1 and _boxes_hold_their_points(values)
        ):
            path, row = places[0]
            raise InputError(
                f"{length} numbers after the class in each row: an outline, or a box with "
                f"{(length - 4) // 2} key points",
                where=f"{path}:{row.line}",
                hint="--format yolo-outlines, or yolo-keypoints (`kpt_shape` in the yaml)",
            )

    def _take_tracks(self, values, first):
        """Reads rows that a tracker wrote, with a confidence and a number behind each box."""
        if (values[:, 5] <= 1).all():  # the third point of a triangle may be at a border
            path, row = first
            raise InputError(
                "6 numbers after the class in each row: a box, a confidence and the number of a "
                "track, or an outline of three points",
                where=f"{path}:{row.line}",
                hint="--format yolo-centres or yolo-outlines, whichever is meant",
            )
        self._tracked = True
        self.notes.append(
            f"a confidence and the number of a track behind the box ignored in {len(values):,} rows"
        )

    def _tell_outlines(self):
        outlines = {n: rows for n, rows in self._lengths.items() if not self._is_box(n)}
        if outlines:
            what = "four corners" if {*outlines} == {8} else "outlines"
            count = sum(outlines.values())
            self.notes.append(f"{what}, of which the upright box is taken: {count:,} rows")

    def _check_extra_column(self):
        if 5 not in self._lengths or self._pose_length == 5:
            return
        extra = [(path, row) for path, row in self._places if len(row.values) == 5]
        if odd := [(p, row) for p, row in extra if not 0 <= row.values[4] <= 1]:
            path, row = odd[0]
            raise InputError(
                f"5 numbers after the class, the last is {row.values[4]:g}",
                where=f"{path}:{row.line}",
                expected="4 (cx cy width height), or a confidence from 0 to 1 behind them",
            )
        where = listing([f"{path}:{row.line}" for path, row in extra[:3]], len(extra))
        self.notes.append(f"a fifth number (a confidence) ignored in {len(extra):,} rows ({where})")

    def _check_lengths(self):
        outlines = {n for n in self._lengths if n >= 6 and n % 2 == 0}
        if wrong := {n for n in self._lengths.keys() - outlines if not self._is_box(n)}:
            path, row = next(place for place in self._places if len(place[1].values) in wrong)
            raise InputError(
                f"{len(row.values)} numbers after the class",
                where=f"{path}:{row.line}",
                expected="4 (cx cy width height) or at least 3 pairs (an outline)",
            )

    def _check_units(self):
        """Pixels would be read as boxes far outside; what tells them is that most are."""
        boxes = {n for n in self._lengths if self._is_box(n)}
        largest = [
            max(values[:4] if len(values) in boxes else values)
            for values in (row.values for _, row in self._places)
        ]
        large = np.array(largest) > _IN_PIXELS
        if large.sum() * 2 > len(large):
            path, row = self._places[int(large.argmax())]
            if {*self._lengths} == {7} and all(float(n).is_integer() for n in row.values):
                raise InputError(
                    "rows of 8 whole numbers: VisDrone's boxes in pixels, score, class and more",
                    where=f"{path}:{row.line}",
                    hint="Ultralytics' VisDrone.yaml, which writes them as YOLO's",
                )
            raise InputError(
                f"{large.sum():,} of {len(large):,} rows are in pixels",
                where=f"{path}:{row.line}",
                expected="fractions of the picture's width and height",
                hint="divide x and width by the picture's width, y and height by its height",
            )

    def _check_readings(self):
        """Refuses boxes that stick out of their pictures, read as centres, and fit otherwise."""
        places = [(path, row) for path, row in self._places if self._is_box(len(row.values))]
        if found := other_reading([row.values for _, row in places]):
            path, row = places[found.first]
            raise InputError(
                f"read as cx cy width height, {found.count:,} of {len(places):,} boxes stick out "
                f"of their picture; read as {found.form} all fit",
                where=f"{path}:{row.line}",
                hint=found.hint,
            )


def _are_tracked(values):
    """Whether six numbers may be a box, a confidence and the number of a track."""
    confidence, track = values[:, 4], values[:, 5]
    sure = (confidence >= 0) & (confidence <= 1)
    return bool((sure & (track >= 0) & (track == np.round(track))).all())


def _boxes_hold_their_points(values):
    """Whether, read as boxes with 2-D key points, nearly all boxes hold their points."""
    x, y, w, h = values[:, :4].T
    xs, ys = values[:, 4::2], values[:, 5::2]
    absent = (xs == 0) & (ys == 0)
    inside = (np.abs(xs - x[:, None]) <= w[:, None] / 2 + FITS) & (
        np.abs(ys - y[:, None]) <= h[:, None] / 2 + FITS
    )
    return (inside | absent).all(axis=1).mean() > 0.9
