"""Dim photographs and textures, and bright colours that stand out from them."""

import functools
import math

import numpy as np
from PIL import Image

from yolov2_tf.data.digits.handwriting import spline


def random_background(rng, size):
    """Returns a dim photograph or texture.

    Args:
        rng: `numpy.random.Generator`.
        size: Height and width in pixels.

    Returns:
        `(size, size, 3)` uint8, RGB.
    """
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
    weights = spline(np.linspace(1, hills + 1, size), hills + 3).astype(np.float32)
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


def ink_colour(rng, under):
    """Picks a random bright colour that stands out from the pixels `under` `(h, w, 3)`, uint8.

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
