import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.digits import scenes as digits
from yolov2_tf.data.digits.backgrounds import random_background
from yolov2_tf.data.digits.scenes import CLASS_NAMES, SPLITS, digit_pictures, open_digits
from yolov2_tf.errors import InputError


@pytest.fixture(scope="module")
def scenes():
    return open_digits("train", count=300)


def decode(image):
    return np.asarray(Image.open(io.BytesIO(image())))


def layout(split, seed, index, size):
    """The digits of a scene and the generator as it stands when painting begins."""
    rng = digits._generator("scene", split, seed, index)
    return rng, digits._scene_digits(rng, split, size, tuple(range(10)))


# === Same request, same scenes ===


def test_records_are_complete(scenes):
    assert scenes.class_names == CLASS_NAMES
    assert len({record.image_id for record in scenes.records}) == len(scenes) == 300
    for record in scenes.records:
        assert record.boxes.dtype == np.float32
        assert record.labels.dtype == np.int32
        assert record.boxes.shape == (len(record.labels), 4)
        assert record.ignore.shape == record.labels.shape
        assert not record.ignore.any()
        assert (record.height, record.width) == (224, 224)


@pytest.mark.parametrize("split", SPLITS)
def test_a_scene_is_a_function_of_split_seed_and_index(split):
    first = open_digits(split, size=96, count=3, seed=5).records
    pictures = [record.image() for record in first]
    digits._scene_jpeg.cache_clear()
    again = open_digits(split, size=96, count=5, seed=5).records[:3]
    assert [record.image() for record in again] == pictures
    for one, other in zip(first, again, strict=True):
        assert one.image_id == other.image_id
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_other_split_seed_or_index_gives_other_scenes():
    pictures = [
        record.image()
        for split in SPLITS
        for seed in (0, 1, 2**40)
        for record in open_digits(split, size=64, count=3, seed=seed).records
    ]
    pictures += [picture.image() for picture in digit_pictures(size=64, count=3)]
    assert len(set(pictures)) == 30


def test_scenes_are_the_same_on_every_machine():
    """Golden: written by numpy 1.26.4 on x86-64. One pixel of rounding is allowed."""
    record = open_digits("test", count=2).records[1]
    assert record.labels.tolist() == [6, 1, 8, 8]
    boxes = [[9, 142, 112, 196], [42, 93, 140, 121], [134, 112, 212, 171], [58, 38, 111, 66]]
    np.testing.assert_allclose(record.boxes * 224, boxes, atol=1)


def test_size_is_only_the_resolution():
    large = open_digits(size=256, count=40).records
    small = open_digits(size=128, count=40).records
    for one, other in zip(large, small, strict=True):
        assert one.labels[0] == other.labels[0]
        np.testing.assert_allclose(one.boxes[0], other.boxes[0], atol=0.02)
    one, other = decode(large[0].image).astype(float), decode(small[0].image).astype(float)
    halved = one.reshape(128, 2, 128, 2, 3).mean((1, 3))
    assert np.abs(halved - other).mean() < 8


def test_default_count():
    assert len(open_digits("test", size=64)) == SPLITS["test"]


# === What the scenes show ===


def test_scenes_hold_one_to_six_digits(scenes):
    counts = np.bincount([len(record.labels) for record in scenes.records], minlength=7)
    assert counts[0] == 0
    assert len(counts) == 7
    assert counts[1:].min() > 15  # 50 each on average, but that six have no room in some


def test_labels_are_about_equally_frequent(scenes):
    counts = np.bincount(np.concatenate([r.labels for r in scenes.records]), minlength=10)
    chi_square = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert chi_square < 27.9  # 99.9 % of uniform draws, 9 degrees of freedom


def test_digits_come_in_many_sizes(scenes):
    boxes = np.concatenate([record.boxes for record in scenes.records]) * 224
    heights = boxes[:, 2] - boxes[:, 0]
    assert 39 <= heights.min() <= 48
    assert 105 <= heights.max() <= 130
    assert 60 < np.median(heights) < 80  # sqrt(44 · 112) = 70: as many below as above


def test_boxes_lie_inside_and_hardly_overlap(scenes):
    for record in scenes.records:
        low, high = record.boxes[:, :2], record.boxes[:, 2:]
        assert (low >= 0).all()
        assert (high <= 1).all()
        assert (high > low).all()
        sides = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
        shared = np.clip(sides, 0, None).prod(-1) * (1 - np.eye(len(low)))
        areas = (high - low).prod(-1)
        assert (shared <= 0.05 * np.minimum(areas[:, None], areas) + 1e-6).all()


@pytest.mark.parametrize("size", [64, 224])
def test_boxes_are_tight_around_the_ink(size):
    """A digit drawn alone changes pixels up to a soft edge within all sides, and none outside."""
    for index, record in enumerate(open_digits("val", size=size, count=25).records):
        rng, drawn = layout("val", 0, index, size)
        background = random_background(rng, size)
        inked = []
        for digit in drawn:
            changed = (digits._paint(rng, background, [digit]) != background).any(-1)
            rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
            inked.append((rows[0], columns[0], rows[-1] + 1, columns[-1] + 1))
        margin = (np.array(inked) - record.boxes * size) * [1, 1, -1, -1]
        assert margin.min() > -1e-3
        assert margin.max() < 1.001


def test_picture_is_the_painted_scene(scenes):
    for index in range(8):
        rng, drawn = layout("train", 0, index, 224)
        painted = digits._paint(rng, random_background(rng, 224), drawn)
        picture = decode(scenes.records[index].image)
        assert picture.shape == (224, 224, 3)
        assert picture.dtype == np.uint8
        assert np.abs(picture.astype(float) - painted).mean() < 2.5  # JPEG


def test_classes_limits_what_is_shown_and_keeps_the_labels():
    dataset = open_digits(size=64, count=60, classes=[7, 1])
    assert dataset.class_names == CLASS_NAMES
    assert set(np.concatenate([record.labels for record in dataset.records])) == {1, 7}


# === Pictures for classification ===


def test_digit_pictures_show_one_digit_each():
    pictures = digit_pictures("test", size=64, count=25, seed=3)
    assert [picture.label for picture in pictures] == [index % 10 for index in range(25)]
    images = [picture.image() for picture in pictures]
    assert len(set(images)) == 25
    assert all(decode(picture.image).shape == (64, 64, 3) for picture in pictures)
    digits._picture_jpeg.cache_clear()
    assert [picture.image() for picture in digit_pictures("test", size=64, count=25, seed=3)] == (
        images
    )


def test_digit_pictures_show_digits_as_large_as_asked():
    [small] = digit_pictures("test", size=128, count=1, heights=(0.2, 0.2))
    [large] = digit_pictures("test", size=128, count=1, heights=(0.6, 0.6))
    # Ink is brighter than what is behind it.
    bright = [(decode(p.image).max(-1) > 190).sum() for p in (small, large)]
    assert 0 < 4 * bright[0] < bright[1]


# === Bad requests ===


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "trainval"}, "no split 'trainval'.*train, val, test"),
        ({"size": 16}, "16 px.*64 to 1024"),
        ({"size": 4096}, "4096 px"),
        ({"count": 0}, "0 pictures"),
        ({"seed": -1}, "seed -1"),
        ({"classes": ()}, "classes"),
        ({"classes": (3, 10)}, "0 to 9"),
    ],
)
def test_bad_requests_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        open_digits(**arguments)
    if "classes" not in arguments:
        with pytest.raises(InputError, match=message):
            digit_pictures(**arguments)


@pytest.mark.parametrize("heights", [(0.05, 0.5), (0.5, 0.4), (0.5, 0.9)])
def test_pictures_of_digits_too_small_or_too_large_are_refused(heights):
    with pytest.raises(InputError, match=r"0\.1 to 0\.7"):
        digit_pictures(heights=heights)


def test_import_is_light():
    code = "import sys, yolov2_tf.data.digits.scenes as _;"
    code += "print({'tensorflow', 'sklearn'} & set(sys.modules))"
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output.strip() == "set()"
