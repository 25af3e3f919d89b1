import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.data.annotations import (
    MIN_SIDE,
    ROUNDING,
    TOLERATED,
    Annotation,
    build_dataset,
    choose_splits,
    finite,
    listing,
    rename_classes,
)
from yolov2_tf.errors import InputError


def annotation(image_id, boxes, names=None, ignore=None, image="a.jpg"):
    names = ["cat"] * len(boxes) if names is None else names
    ignore = [False] * len(boxes) if ignore is None else ignore
    return Annotation(image, image_id, boxes, names, ignore, lambda i: f"{image_id}.txt:{i + 1}")


def build(*annotations, class_names=("cat", "dog")):
    return build_dataset("some set", annotations, class_names)


def test_good_boxes_come_back_as_they_are():
    boxes = [[0, 0, 1, 1], [0.25, 0.5, 0.75, 0.625]]
    dataset = build(
        annotation("one", boxes, ["dog", "cat"], [True, False]),
        annotation("none", []),
        annotation("two", boxes[:1]),
    )
    one, none, two = dataset.records
    np.testing.assert_array_equal(one.boxes, np.array(boxes, np.float32))
    assert one.boxes.dtype == np.float32
    assert one.labels.dtype == np.int32
    assert one.labels.tolist() == [1, 0]
    assert one.ignore.tolist() == [True, False]
    assert none.boxes.shape == (0, 4)
    assert two.labels.tolist() == [0]
    assert dataset.notes == ()


def test_boxes_that_stick_out_are_clipped_and_told():
    dataset = build(annotation("a", [[-0.5, 0.2, 0.5, 1.5], [0.1, 0.1, 0.2, 0.2]]))
    np.testing.assert_array_equal(
        dataset.records[0].boxes[0], np.array([0, 0.2, 0.5, 1], np.float32)
    )
    assert dataset.notes == ("boxes that stick out of their picture clipped: 1 (a.txt:1)",)


def test_rounding_is_clipped_silently():
    dataset = build(annotation("a", [[-ROUNDING / 2, 0, 1 + ROUNDING / 2, 1]]))
    assert dataset.records[0].boxes.tolist() == [[0, 0, 1, 1]]
    assert dataset.notes == ()


@pytest.mark.parametrize(
    ("bad", "note"),
    [
        ([0.5, 0.5, 0.5, 0.7], "boxes without any area in their picture dropped: 1 (a.txt:2)"),
        ([1.5, 0.5, 1.7, 0.7], "boxes without any area in their picture dropped: 1 (a.txt:2)"),
    ],
)
def test_useless_boxes_are_dropped_with_their_labels(bad, note):
    good = [0.1, 0.1, 0.3, 0.3]
    dataset = build(
        annotation("a", [good, bad, good], ["cat", "cat", "dog"], [False, False, True]),
        annotation("b", [good]),
    )
    first, second = dataset.records
    assert len(first.boxes) == 2
    assert first.labels.tolist() == [0, 1]
    assert first.ignore.tolist() == [False, True]
    assert len(second.boxes) == 1
    assert dataset.notes == (note,)


def test_swapped_corners_are_swapped_back():
    dataset = build(annotation("a", [[0.5, 0, 0.25, 1], [0, 0.75, 1, 0.5], [0, 0, 1, 1]]))
    assert dataset.records[0].boxes.tolist() == [[0.25, 0, 0.5, 1], [0, 0.5, 1, 0.75], [0, 0, 1, 1]]
    note = "boxes with minimum and maximum swapped, swapped back: 2 (a.txt:1, a.txt:2)"
    assert dataset.notes == (note,)


def test_exact_duplicates_are_dropped_and_counted():
    box, other = [0.1, 0.1, 0.3, 0.3], [0.1, 0.1, 0.3, 0.3001]
    dataset = build(
        annotation("a", [box, other, box, box], ["cat", "cat", "dog", "cat"]),
        annotation("b", [box]),
    )
    assert [len(record.boxes) for record in dataset.records] == [3, 1]
    assert dataset.records[0].labels.tolist() == [0, 0, 1]
    assert dataset.notes == ("boxes that repeat another exactly dropped: 1 (a.txt:4)",)
    assert dataset.counts == {"boxes that repeat another exactly dropped": 1}


def test_of_duplicates_the_one_that_counts_is_kept():
    box = [0.1, 0.1, 0.5, 0.5]
    dataset = build(annotation("a", [box] * 3, ignore=["crowd", "", "crowd"]))
    assert dataset.records[0].ignore.tolist() == [False]
    assert dataset.notes == ("boxes that repeat another exactly dropped: 2 (a.txt:1, a.txt:3)",)


def test_reasons_to_ignore_are_counted():
    boxes = [[0, 0, 0.1 * i, 1] for i in range(1, 5)]
    dataset = build(annotation("a", boxes, ignore=["difficult", "crowd", "", "difficult"]))
    assert dataset.records[0].ignore.tolist() == [True, True, False, True]
    assert dataset.counts == {"boxes ignored (difficult)": 2, "boxes ignored (crowd)": 1}


def test_most_boxes_outside_mean_that_they_are_misread():
    outside = [[2, 2, 3, 3 + i] for i in range(TOLERATED + 1)]
    build(annotation("a", [*outside[:TOLERATED], [0, 0, 1, 1]]))
    with pytest.raises(InputError, match=r"only 1 of the 22 boxes.*a\.txt:1"):
        build(annotation("a", [*outside, [0, 0, 1, 1]]))


def test_class_names_that_look_alike_are_told():
    dataset = build(annotation("a", []), class_names=("traffic light", "Traffic_Light", "dog"))
    (note,) = dataset.notes
    assert "'traffic light' and 'Traffic_Light'" in note


def test_a_note_names_the_first_few_boxes_only():
    dataset = build(
        annotation("none", []),
        annotation("a", [[-1, 0, 0.5, 1 - i / 2000] for i in range(2)]),
        annotation("also none", []),
        annotation("b", [[-1, 0, 0.5, 1 - i / 2000] for i in range(1200)]),
    )
    (note,) = dataset.notes
    assert note == (
        "boxes that stick out of their picture clipped: 1,202 "
        "(a.txt:1, a.txt:2, b.txt:1 and 1,199 more)"
    )


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_coordinate_that_is_no_number_raises_with_its_place(number):
    with pytest.raises(InputError, match=r"^b\.txt:2: .*not a finite number"):
        build(annotation("a", [[0, 0, 1, 1]]), annotation("b", [[0, 0, 1, 1], [0, number, 1, 1]]))


def test_boxes_in_wrong_units_raise():
    with pytest.raises(InputError, match=r"none of the 2 boxes lies in its picture.*pixels"):
        build(annotation("a", [[100, 120, 300, 400], [40, 20, 60, 80]]))


def test_an_unknown_class_raises_with_its_place_and_the_known_ones():
    with pytest.raises(InputError, match=r"^a\.txt:2: unknown class 'dgo'.*cat, dog.*'dog'"):
        build(annotation("a", [[0, 0, 1, 1]] * 2, ["cat", "dgo"]))


def test_the_same_image_twice_raises():
    with pytest.raises(InputError, match="image 'a' occurs twice"):
        build(annotation("a", []), annotation("a", []))


def test_no_images_raises():
    with pytest.raises(InputError, match="some set: the data set has no images"):
        build()


@pytest.mark.parametrize("names", [[], ["cat", "dog", "cat"]])
def test_class_names_must_be_some_and_differ(names):
    with pytest.raises(InputError, match=r"no classes|occur twice: cat"):
        build(annotation("a", []), class_names=names)


def test_missing_pictures_are_told():
    pictured, bare = annotation("a", []), annotation("b", [], image=None)
    assert build(pictured).notes == ()
    assert build(pictured, bare).notes == ("pictures not found: 1 (b)",)
    assert build(bare).notes == ("no pictures found: good for box shapes only",)


@given(
    st.lists(
        st.lists(
            st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4),
            max_size=4,
        ),
        max_size=4,
    )
)
def test_whatever_the_boxes_either_all_kept_ones_are_usable_or_input_error(images):
    try:
        dataset = build(*(annotation(str(i), boxes) for i, boxes in enumerate(images)))
    except InputError:
        return
    for record, boxes in zip(dataset.records, images, strict=True):
        assert len(record.boxes) == len(record.labels) == len(record.ignore) <= len(boxes)
        assert ((record.boxes >= 0) & (record.boxes <= 1)).all()
        assert (record.boxes[:, 2:] - record.boxes[:, :2] >= MIN_SIDE).all()


def test_rename_classes():
    dataset = build(annotation("a", [[0, 0, 1, 1]] * 2, ["cat", "dog"]))
    renamed = rename_classes(dataset, ["bird", "dog", "cat"])
    assert renamed.class_names == ("bird", "dog", "cat")
    assert renamed.records[0].labels.tolist() == [2, 1]
    assert rename_classes(dataset, None) is dataset
    with pytest.raises(InputError, match=r"unknown class 'cat'.*dog"):
        rename_classes(dataset, ["dog"])


def test_choose_splits():
    assert choose_splits("d", ["train", "valid"], "val")[0] == ("valid",)
    assert choose_splits("d", ["train"], None) == (("train",), ())
    assert choose_splits("d", ["train", "val"], "val") == (("val",), ())
    chosen, notes = choose_splits("d", ["train", "val"], None)
    assert chosen == ("train", "val")
    assert "train, val found: all are used" in notes[0]
    with pytest.raises(InputError, match=r"no image set 'test'.*train, val"):
        choose_splits("d", ["train", "val"], "test")


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", None, True, [1], 10**400, "1" * 400])
def test_finite_refuses(value):
    with pytest.raises(ValueError, match="is not a finite number") as caught:
        finite(value)
    assert len(str(caught.value)) < 120


def test_finite_reads():
    assert [finite(v) for v in (" 1.5\n", 2, 2.5, "-1e3")] == [1.5, 2, 2.5, -1000]


def test_listing():
    assert listing(["a", "b"]) == "a, b"
    assert listing(["a", "b", "c"], total=1003) == "a, b, c and 1,000 more"
