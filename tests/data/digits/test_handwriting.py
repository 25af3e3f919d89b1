import numpy as np
from PIL import Image

from yolov2_tf.data.digits.handwriting import handwriting, write_digit
from yolov2_tf.data.digits.scenes import PICTURE_HEIGHTS, SPLITS


def test_splits_share_no_handwriting():
    by_split = {
        split: {field.tobytes() for label in range(10) for field in handwriting()[split, label]}
        for split in SPLITS
    }
    assert sum(map(len, by_split.values())) == len(set.union(*by_split.values())) == 1797


def test_digits_are_about_as_high_as_asked_and_fit_the_largest_share():
    rng = np.random.default_rng(0)
    sides = np.array([write_digit(rng, "train", i % 10, 40).shape for i in range(300)]) / 40
    assert sides[:, 0].min() > 0.85
    assert sides[:, 0].max() < 1.25
    assert sides.max() * PICTURE_HEIGHTS[1] < 1


def test_digits_can_be_told_apart():
    """The nearest of 600 training digits has the same label, as with the plain 8 × 8 samples."""

    def draw(split, count):
        rng = np.random.default_rng(0)
        labels = np.arange(count) % 10
        inks = [Image.fromarray(write_digit(rng, split, label, 32)) for label in labels]
        return np.array([np.asarray(ink.resize((12, 16))).ravel() for ink in inks]), labels

    known, known_labels = draw("train", 600)
    asked, asked_labels = draw("test", 200)
    nearest = ((asked[:, None] - known) ** 2).sum(-1).argmin(1)
    assert (known_labels[nearest] == asked_labels).mean() > 0.85
