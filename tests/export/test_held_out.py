"""What quantised files are judged by, and what is said of their calibration."""

import re
import warnings

import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.held_out import (
    agreement,
    calibration_faults,
    compared,
    hold_out,
    is_held_out,
    matches,
)


def scenes(count, *, light=1.0, seed=0):
    """Pictures with coarse random patches, all different."""
    random = np.random.default_rng(seed)
    patches = random.uniform(0, 255 * light, (count, 6, 8, 3))
    return [np.kron(patch, np.ones((10, 10, 1))).astype(np.uint8) for patch in patches]


def one_grey(value, count=30):
    return [np.full((60, 80, 3), value, np.uint8)] * count


def noisy(pictures, seed=1):
    random = np.random.default_rng(seed)
    return [np.clip(p + random.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in pictures]


def test_a_fifth_is_held_out_and_takes_no_part_in_the_calibration():
    pictures = scenes(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split = hold_out(pictures)
    assert (len(split.calibration), len(split.pictures)) == (80, 20)
    assert split.faults == ()
    both = {id(p) for p in split.calibration} & {id(p) for p in split.pictures}
    assert not both
    assert sum(is_held_out(i, 100) for i in range(100)) == 20
    assert compared(split, None) == (split.pictures, True)


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_pictures_of_one_colour_are_refused(value):
    with pytest.raises(InputError, match=r"30 of 30 calibration.*mean grey \d+\)"):
        hold_out(noisy(one_grey(value)))
    with pytest.raises(InputError, match="16 of 30 calibration pictures show next to nothing"):
        hold_out([*one_grey(value, 16), *scenes(14)])


@pytest.mark.parametrize(
    ("pictures", "fault"),
    [
        (scenes(40, light=0.15), "40 of 40 pictures are dark"),
        (scenes(1) * 40, "only 1 of 40 pictures differ"),
        (noisy(scenes(1) * 40), "only 1 of 40 pictures differ"),
        (scenes(1), "only 1 picture$"),
        (scenes(7), "only 7 pictures$"),
        ([*scenes(30), *one_grey(9, 5)], "5 of 35 pictures show next to nothing"),
    ],
)
def test_faults_of_a_calibration_are_told(pictures, fault):
    (found,) = calibration_faults(pictures)
    assert re.search(fault, found)
    with pytest.warns(UserWarning, match="calibration: "):
        split = hold_out(pictures)
    assert split.faults == (found,)
    # Photos that have nothing to do with the calibration join the comparison.
    chosen, own = compared(split, None)
    assert len(chosen) == len(split.pictures) + len(sample_pictures())
    assert not own


def test_nothing_is_said_where_nothing_is_calibrated():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(hold_out(one_grey(0), "fp16").pictures) == 30
        assert hold_out(None, "none").pictures == []


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((20, 20), np.uint8), r"calibration picture 2 .* shape \(20, 20\)"),
        (np.zeros((20, 20, 3), np.float32), "calibration picture 2 .* type float32"),
        (np.zeros((3, 20, 20), np.uint8), "channels come last"),
        ("nowhere.jpg", "calibration picture 2 cannot be used"),
    ],
)
def test_arrays_that_are_no_pictures_are_named(picture, message):
    with pytest.raises(InputError, match=message):
        hold_out([*scenes(2), picture])


def found(*boxes, labels=None, scores=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    return {
        "boxes": boxes,
        "labels": np.zeros(len(boxes), int) if labels is None else np.array(labels),
        "scores": np.full(len(boxes), 0.9) if scores is None else np.array(scores),
    }


def test_agreement_counts_detections_of_the_same_place_and_class_once():
    left, right = (0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1)
    model = [found(left, right), found(left)]
    same = agreement(model, model, True)
    assert (same.same, same.expected, same.found, same.share) == (3, 3, 3, 1.0)
    other = [found(left, left, labels=[0, 1]), found(right)]
    counted = agreement(model, other, True)
    assert (counted.same, counted.expected, counted.found) == (1, 3, 3)
    assert counted.share == pytest.approx(1 / 3)
    assert agreement(model, [found(), found()], True).share == 0
    assert agreement([found()], [found()], True).share == 1
    for a, b in ((model, [found(left), found(left)]), ([found(left), found(left)], model)):
        assert agreement(a, b, True).share == pytest.approx(2 / 3)  # whichever has more
    assert agreement([found()], [found(left)], True).share == 0
    assert matches(found(left), found(left, left)) in ([(0, 0)], [(0, 1)])
    weak = [found(left, right, scores=[0.9, 0.1]), found()]
    assert agreement(weak, weak, True).expected == 1
