"""The embedded data set: bright handwritten digits on dim photographs and textures.

The handwriting is scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits" test
set (1,797 digits), the photographs are the two that scikit-learn ships. Nothing is downloaded and
nothing is kept on disk: picture `i` of a split is a pure function of (split, seed, i), so every
machine sees the same scenes, up to rounding (JPEG libraries differ by a level here and there).
"""

import dataclasses
import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.digits.backgrounds import ink_colour, random_background
from yolov2_tf.data.digits.handwriting import write_digit
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError

CLASS_NAMES = tuple("0123456789")
SPLITS = {"train": 1000, "val": 200, "test": 200}  # and the number of scenes by default

_MAX_DIGITS = 6
_SCENE_HEIGHTS = (44 / 224, 112 / 224)  # of a digit, as a share of the picture
PICTURE_HEIGHTS = (0.3, 0.7)
"""Heights in pictures of one digit, whose longer side is up to 1.35 of that, being slanted."""

_MAX_HIDDEN = 0.05  # of the smaller of two boxes, by the other


@dataclasses.dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture of one thing, for classification.

    Attributes:
        image: A function that returns the bytes of the encoded picture.
        label: Index into the class names.
    """

    image: Callable[[], bytes]
    label: int


def open_digits(split="train", *, size=224, count=None, seed=0, classes=None):
    """Opens scenes of 1 to 6 handwritten digits with a box around each.

    A digit is 44/224 to 112/224 of the picture high, give or take its slant. Its box is tight
    around the ink, and two boxes share at most 5 % of the smaller one. Opening lays the scenes
    out; `Record.image` paints one and returns it as JPEG.

    Args:
        split: `"train"`, `"val"` or `"test"`. No handwritten sample is in two of them; the two
            photographs in the background are in all.
        size: Height and width of the pictures in pixels, 64 to 1024. Seed and index decide what
            a scene shows, at any size.
        count: Number of scenes. Default: 1,000 for train, 200 for val and test.
        seed: 0 or above; another seed gives other scenes.
        classes: The digits to show, e.g. `(0, 2, 4)`. Default: all ten. The class names, and with
            them the labels, stay those of all ten.

    Returns:
        A `Dataset` with the classes "0" to "9".

    Raises:
        InputError: If an argument is out of range.
    """
    _check(split, size, count, seed)
    count = SPLITS[split] if count is None else count
    classes = tuple(range(10)) if classes is None else tuple(sorted(set(classes)))
    if not classes or not set(classes) <= set(range(10)):
        raise InputError(f"classes {classes} of digits", expected="some of 0 to 9")

    records = []
    for index in range(count):
        digits = _scene_digits(_generator("scene", split, seed, index), split, size, classes)
        boxes = np.array([digit.box for digit in digits], np.float32) / size
        records.append(
            Record(
                image=functools.partial(_scene_jpeg, split, seed, index, size, classes),
                image_id=f"digits-{split}-{seed}-{index:05d}",
                boxes=boxes,
                labels=np.array([digit.label for digit in digits], np.int32),
                ignore=np.zeros(len(digits), bool),
                width=size,
                height=size,
            )
        )
    return Dataset(f"digits {split}", CLASS_NAMES, records)


def digit_pictures(split="train", *, size=96, count=1000, seed=0, heights=PICTURE_HEIGHTS):
    """Makes pictures of one digit each, for classification.

    Handwriting, colours and backgrounds are those of the scenes. Labels go round: picture `i`
    shows the digit `i mod 10`.

    Args:
        split: `"train"`, `"val"` or `"test"`. No handwritten sample is in two of them.
        size: Height and width of the pictures in pixels, 64 to 1024.
        count: Number of pictures.
        seed: 0 or above; another seed gives other pictures.
        heights: `(smallest, largest)` digit, as shares of the picture's height, give or take its
            slant; at most 0.7.

    Returns:
        List of `count` `LabelledImage`, JPEG.

    Raises:
        InputError: If an argument is out of range.
    """
    _check(split, size, count, seed)
    if not 0.1 <= heights[0] <= heights[1] <= PICTURE_HEIGHTS[1]:
        raise InputError(
            f"digits {heights[0]} to {heights[1]} of the picture high", expected="0.1 to 0.7"
        )
    return [
        LabelledImage(
            functools.partial(_picture_jpeg, split, seed, index, size, tuple(heights)), index % 10
        )
        for index in range(count)
    ]


def _check(split, size, count, seed):
    if split not in SPLITS:
        raise InputError(f"digits has no split '{split}'", expected=", ".join(SPLITS))
    if not 64 <= size <= 1024:
        raise InputError(f"digits in pictures of {size} px", expected="64 to 1024 px")
    if count is not None and count < 1:
        raise InputError(f"{count} pictures of digits", expected="at least 1")
    if seed < 0:
        raise InputError(f"seed {seed} for digits", expected="0 or above")


# === Scenes ===


@dataclasses.dataclass(frozen=True, slots=True)
class _Digit:
    """A digit in a scene: its class, its ink's opacity `(h, w)` and where that goes, in pixels."""

    label: int
    ink: np.ndarray
    top: int
    left: int

    @property
    def box(self):
        height, width = self.ink.shape
        return self.top, self.left, self.top + height, self.left + width


def _generator(purpose, split, seed, index):
    """Returns random numbers that depend on these four only."""
    stream = [("scene", "picture").index(purpose), list(SPLITS).index(split)]
    return np.random.Generator(np.random.Philox([*stream, seed, index]))


def _scene_digits(rng, split, size, classes):
    """Returns the digits of a scene, the largest first."""
    shares = _log_uniform(rng, *_SCENE_HEIGHTS, rng.integers(1, _MAX_DIGITS + 1))
    digits = []
    for share in np.sort(shares)[::-1]:
        label = classes[rng.integers(len(classes))]
        ink = write_digit(rng, split, label, share * size)
        places = np.floor(rng.random((32, 2)) * (size + 1 - np.array(ink.shape))).astype(int)
        free = np.flatnonzero(~_collides(places, ink.shape, digits))
        if free.size:  # else the scene is full: one digit less
            digits.append(_Digit(label, ink, *places[free[0]]))
    return digits


def _collides(places, shape, digits):
    """Says for each place `(n, 2)` whether a box there shares too much with one of `digits`."""
    if not digits:
        return np.zeros(len(places), bool)
    others = np.array([digit.box for digit in digits])
    low = np.maximum(places[:, None], others[:, :2])
    high = np.minimum(places[:, None] + shape, others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    smaller = np.minimum(np.prod(shape), (others[:, 2:] - others[:, :2]).prod(-1))
    return (shared > _MAX_HIDDEN * smaller).any(1)


@functools.lru_cache(maxsize=4000)  # some 20 KB each at 224 px; painting takes many times longer
def _scene_jpeg(split, seed, index, size, classes):
    rng = _generator("scene", split, seed, index)
    digits = _scene_digits(rng, split, size, classes)
    return _jpeg(_paint(rng, random_background(rng, size), digits))


@functools.lru_cache(maxsize=4000)
def _picture_jpeg(split, seed, index, size, heights):
    rng = _generator("picture", split, seed, index)
    ink = write_digit(rng, split, index % 10, size * _log_uniform(rng, *heights))
    top, left = np.floor(rng.random(2) * (size + 1 - np.array(ink.shape))).astype(int)
    return _jpeg(_paint(rng, random_background(rng, size), [_Digit(index % 10, ink, top, left)]))


def _paint(rng, background, digits):
    """Returns the `background` `(size, size, 3)`, uint8, with the digits drawn on it."""
    scene = background.copy()
    for digit in digits:
        top, left, bottom, right = digit.box
        under = scene[top:bottom, left:right]
        opacity = digit.ink[..., None] * rng.uniform(0.85, 1)
        inked = under + opacity * (ink_colour(rng, under) - under.astype(np.float32))
        scene[top:bottom, left:right] = np.rint(inked)
    return scene


def _jpeg(scene):
    """Encodes a scene. JPEG at this quality is a third of PNG's size and a tenth of its time."""
    file = io.BytesIO()
    Image.fromarray(scene).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def _log_uniform(rng, low, high, count=None):
    return low * (high / low) ** rng.random(count)
