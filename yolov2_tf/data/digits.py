"""The embedded data set: bright handwritten digits on dim photographs and textures.

The handwriting is scikit-learn's copy of the UCI "Optical Recognition of Handwritten Digits" test
set (1,797 digits), the photographs are the two that scikit-learn ships. Nothing is downloaded and
nothing is kept on disk: picture `i` of a split is a pure function of (split, seed, i), so every
machine sees the same scenes, up to rounding (JPEG libraries differ by a level here and there).
"""

import dataclasses
import functools
import io
import math
from collections.abc import Callable

import numpy as np
from PIL import Image

from yolov2_tf.data.records import Dataset, Record
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
        ink = _write(rng, split, label, share * size)
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
    return _jpeg(_paint(rng, _background(rng, size), digits))


@functools.lru_cache(maxsize=4000)
def _picture_jpeg(split, seed, index, size, heights):
    rng = _generator("picture", split, seed, index)
    ink = _write(rng, split, index % 10, size * _log_uniform(rng, *heights))
    top, left = np.floor(rng.random(2) * (size + 1 - np.array(ink.shape))).astype(int)
    return _jpeg(_paint(rng, _background(rng, size), [_Digit(index % 10, ink, top, left)]))


def _paint(rng, background, digits):
    """Returns the `background` `(size, size, 3)`, uint8, with the digits drawn on it."""
    scene = background.copy()
    for digit in digits:
        top, left, bottom, right = digit.box
        under = scene[top:bottom, left:right]
        opacity = digit.ink[..., None] * rng.uniform(0.85, 1)
        inked = under + opacity * (_ink_colour(rng, under) - under.astype(np.float32))
        scene[top:bottom, left:right] = np.rint(inked)
    return scene


def _jpeg(scene):
    """Encodes a scene. JPEG at this quality is a third of PNG's size and a tenth of its time."""
    file = io.BytesIO()
    Image.fromarray(scene).save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


def _log_uniform(rng, low, high, count=None):
    return low * (high / low) ** rng.random(count)


# === Handwriting ===

_SAMPLES = {"train": slice(0, 1200), "val": slice(1200, 1400), "test": slice(1400, 1797)}
_CELL = 4  # the 8 × 8 numbers count the ink in 4 × 4 blocks of 32 × 32 scans


@functools.cache
def _handwriting():
    """Makes smooth ink from the 8 × 8 samples and sorts it by split and class.

    Plain interpolation and one threshold for all closes the loops of 6, 8 and 9 or breaks the thin
    sides of 0. So, as in reading faded documents, ink is what is darker than its surroundings: a
    cubic spline with the samples' ink in each block, less 0.15 + 0.7 of a Gaussian mean around.

    Returns:
        Dictionary from (split, label) to `(n, 40, 40)` float32 fields, above zero where ink is.
    """
    from sklearn.datasets import load_digits

    samples = load_digits()
    counts = np.pad(samples.images / 16, ((0, 0), (1, 1), (1, 1)))  # blank paper around
    blocks = counts.shape[1]
    spline = _spline((np.arange(blocks * _CELL) + 0.5) / _CELL - 0.5, blocks)
    sharp = spline @ np.linalg.inv(spline.reshape(blocks, _CELL, blocks).mean(1))
    gauss = np.exp(-0.5 * (np.subtract.outer(np.arange(blocks), np.arange(blocks)) / 1.2) ** 2)
    smooth = spline @ (gauss / gauss.sum(1, keepdims=True))
    fields = sharp @ counts @ sharp.T - 0.7 * (smooth @ counts @ smooth.T) - 0.15

    order = np.argsort(np.random.Generator(np.random.Philox(0)).random(len(fields)))
    fields, labels = fields[order].astype(np.float32), samples.target[order]
    return {
        (split, label): fields[part][labels[part] == label]
        for split, part in _SAMPLES.items()
        for label in range(10)
    }


def _spline(positions, count):
    """Returns weights `(n, count)` of the uniform cubic B-spline with knots at 0..count-1."""
    distance = np.abs(np.subtract.outer(positions, np.arange(count)))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far)


def _write(rng, split, label, height):
    """Draws a random sample of a digit about `height` px high, turned, slanted and stretched.

    Returns:
        The opacity of the ink in the tight box around it, `(h, w)` float32 0..1.
    """
    samples = _handwriting()[split, label]
    field = samples[rng.integers(len(samples))]
    angle, slant = rng.uniform(-0.15, 0.15, 2)
    stretch = rng.uniform(0.85, 1.2)
    cos, sin, block = math.cos(angle), math.sin(angle), height / 8
    # From (x, y) in the field to (x, y) in the picture.
    forward = np.array([[cos, -sin], [sin, cos]]) @ [[stretch, slant], [0, 1]] * block / _CELL
    back = np.linalg.inv(forward)
    inked = forward @ np.argwhere(field > 0)[:, ::-1].T
    low, high = np.floor(inked.min(1) - block / 2), np.ceil(inked.max(1) + block / 2)
    field = Image.fromarray(field).transform(
        tuple((high - low).astype(int)),
        Image.Transform.AFFINE,
        np.column_stack([back, back @ low]).ravel(),
        Image.Resampling.BILINEAR,
        fillcolor=-1,
    )
    # The steeper, the larger: edges are one to two pixels wide at every size.
    ink = np.clip(np.asarray(field) * max(6, block) + 0.5, 0, 1)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


# === Backgrounds ===


def _background(rng, size):
    """Returns a photograph or a texture `(size, size, 3)`, uint8."""
    if rng.random() < 0.5:
        return _photograph(rng, size)
    texture = (_gradient, _clouds, _stripes)[rng.integers(3)](rng, size)
    return _palette(rng)[(255 * texture).astype(np.uint8)]


@functools.cache
def _photographs():
    from sklearn.datasets import load_sample_images

    return [Image.fromarray(photo) for photo in load_sample_images().images]


def _photograph(rng, size):
    """Cuts a square out of a photograph, and dims and fades it as dusk does."""
    photo = _photographs()[rng.integers(2)]
    side = rng.uniform(0.4, 1) * min(photo.size)
    left, top = rng.random(2) * (np.array(photo.size) - side)
    square = left, top, left + side, top + side
    part = photo.resize((size, size), Image.Resampling.BILINEAR, box=square)
    contrast, exposure = rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.55)
    tint = rng.uniform(0.9, 1.1, 3)
    mean = np.mean(part)
    levels = (np.arange(256) - mean) * contrast + mean * exposure
    table = np.clip(np.outer(tint, levels), 0, 255).astype(int)
    part = np.asarray(part.point(table.ravel().tolist()))
    return part[:, ::-1] if rng.random() < 0.5 else part


def _gradient(rng, size):
    slope = _slope(rng, size) + 0.15 * _noise(rng, size, 3)
    return (slope - slope.min()) / np.ptp(slope)


def _clouds(rng, size):
    clouds = sum(_noise(rng, size, 3 * 2**octave) / 2**octave for octave in range(4))
    return (clouds - clouds.min()) / np.ptp(clouds)


def _stripes(rng, size):
    phase = rng.uniform(4, 14) * _slope(rng, size) + rng.uniform(0, 0.8) * _noise(rng, size, 4)
    return np.clip(np.sin(2 * np.pi * phase) * rng.uniform(0.5, 3), -1, 1) / 2 + 0.5


def _slope(rng, size):
    """Returns `(size, size)` values that rise by one per side of the picture in some direction."""
    angle = rng.uniform(0, 2 * np.pi)
    steps = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    return math.cos(angle) * steps + math.sin(angle) * steps[:, None]


def _noise(rng, size, hills):
    """Returns smooth noise `(size, size)` in 0..1 with about so many hills a side."""
    weights = _spline(np.linspace(1, hills + 1, size), hills + 3).astype(np.float32)
    return weights @ rng.random((hills + 3, hills + 3)).astype(np.float32) @ weights.T


# === Colours ===

_MIN_CONTRAST = 3  # WCAG 2.1, 1.4.11: the least for graphics that people must recognise


def _palette(rng):
    """Returns 256 shades from one dim colour to another that is about as bright."""
    hue, value = rng.random(), rng.uniform(0.1, 0.55)
    hues = hue + np.array([0, rng.uniform(-0.2, 0.2)])
    values = np.clip(value + np.array([0, rng.uniform(-0.2, 0.2)]), 0.05, 0.6)
    one, other = _colours(hues, rng.uniform(0.1, 0.7, 2), values).astype(float)
    return np.linspace(one, other, 256).astype(np.uint8)


def _ink_colour(rng, under):
    """Picks a random bright colour that stands out from the pixels `under` `(h, w, 3)`.

    Always brighter than the paper: with ink of either kind a small network needs ten times the
    scenes before it tells one digit from another, and a demonstration should take minutes.
    """
    colours = _colours(rng.random(16), rng.uniform(0, 0.6, 16), rng.uniform(0.75, 1, 16))
    paper = _luminance(under[::2, ::2])
    contrast = (_luminance(colours) + 0.05) / (paper.mean() + paper.std() + 0.05)  # WCAG
    return colours[np.argmax(np.minimum(contrast, _MIN_CONTRAST))]  # the first that is enough


def _colours(hue, saturation, value):
    """HSV `(n,)` each, hue in turns, to RGB `(n, 3)`, uint8."""
    full = np.clip(np.abs((hue[:, None] * 6 + [0, 4, 2]) % 6 - 3) - 1, 0, 1)
    rgb = value[:, None] * (1 - saturation[:, None] * (1 - full))
    return np.rint(255 * rgb).astype(np.uint8)


_LINEAR = ((np.arange(256) / 255) ** 2.2).astype(np.float32)  # the sRGB curve, nearly


def _luminance(rgb):
    """Relative luminance (WCAG 2.1) of uint8 colours."""
    return _LINEAR[rgb] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
