"""Handwritten digits of any size, from scikit-learn's 8 × 8 samples.

They are its copy of the UCI "Optical Recognition of Handwritten Digits" test set (1,797 digits).
"""

import functools
import math

import numpy as np
from PIL import Image

_SAMPLES = {"train": slice(0, 1200), "val": slice(1200, 1400), "test": slice(1400, 1797)}
_CELL = 4  # the 8 × 8 numbers count the ink in 4 × 4 blocks of 32 × 32 scans


@functools.cache
def handwriting():
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
    splines = spline((np.arange(blocks * _CELL) + 0.5) / _CELL - 0.5, blocks)
    sharp = splines @ np.linalg.inv(splines.reshape(blocks, _CELL, blocks).mean(1))
    gauss = np.exp(-0.5 * (np.subtract.outer(np.arange(blocks), np.arange(blocks)) / 1.2) ** 2)
    smooth = splines @ (gauss / gauss.sum(1, keepdims=True))
    fields = sharp @ counts @ sharp.T - 0.7 * (smooth @ counts @ smooth.T) - 0.15

    order = np.argsort(np.random.Generator(np.random.Philox(0)).random(len(fields)))
    fields, labels = fields[order].astype(np.float32), samples.target[order]
    return {
        (split, label): fields[part][labels[part] == label]
        for split, part in _SAMPLES.items()
        for label in range(10)
    }


def spline(positions, count):
    """Returns weights `(n, count)` of the uniform cubic B-spline with knots at 0..count-1."""
    distance = np.abs(np.subtract.outer(positions, np.arange(count)))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far)


def write_digit(rng, split, label, height):
    """Draws a random sample of a digit, turned, slanted and stretched a little.

    Args:
        rng: `numpy.random.Generator`.
        split: `"train"`, `"val"` or `"test"`; no sample is in two of them.
        label: The digit, 0 to 9.
        height: Height of the upright digit in pixels, about.

    Returns:
        The opacity of the ink in the tight box around it, `(h, w)` float32 0..1.
    """
    samples = handwriting()[split, label]
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
