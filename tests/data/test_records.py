import dataclasses
import functools
import pathlib
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.data.records import MAX_SIDE, Record, RecordColumns
from yolov2_tf.data.text_column import TextColumn
from yolov2_tf.errors import InputError

texts = st.text(max_size=8) | st.text("ab/é\ud800", max_size=6).map("/data/".__add__)


def record(image="a.jpg", image_id="a", count=2, **options):
    boxes = np.linspace(0, 1, 4 * count, dtype=np.float32).reshape(count, 4)
    labels = np.arange(count, dtype=np.int32)
    return Record(image, image_id, boxes, labels, labels % 2 == 1, **options)


def check_same(before, after):
    assert before.image == after.image
    assert before.image_id == after.image_id
    assert (before.width, before.height) == (after.width, after.height)
    assert (before.orientation, before.image_sets) == (after.orientation, after.image_sets)
    for name in ("boxes", "labels", "ignore"):
        old, new = getattr(before, name), getattr(after, name)
        assert old.dtype == new.dtype
        np.testing.assert_array_equal(old, new)


@given(
    st.lists(
        st.builds(
            record,
            st.none() | texts.filter(bool) | st.binary() | st.just(functools.partial(bytes, 3)),
            texts,
            st.integers(0, 3),
            width=st.integers(0, MAX_SIDE),
            height=st.integers(0, 9),
            orientation=st.integers(1, 8),
            image_sets=st.sampled_from([(), ("train",), ("train", "val")]),
        ),
        max_size=6,
    )
)
def test_columns_give_back_what_they_took(records):
    columns = RecordColumns(records)
    assert len(columns) == len(records)
    for before, after in zip(records, columns, strict=True):
        check_same(before, after)
    for part in (slice(1, None), slice(None, None, -2)):
        for before, after in zip(records[part], columns[part], strict=True):
            check_same(before, after)
    if records:
        check_same(records[-1], columns[-1])
        check_same(records[0], columns[np.int64(0)])
    with pytest.raises(IndexError):
        columns[len(records)]


any_records = st.lists(
    st.builds(
        record,
        st.none() | texts.filter(bool) | st.binary(),
        texts,
        st.integers(0, 3),
        width=st.integers(0, 9),
        height=st.integers(0, 9),
        orientation=st.integers(1, 8),
        image_sets=st.sampled_from([(), ("train",), ("train", "val")]),
    ),
    max_size=6,
)


@given(any_records, st.data())
def test_columns_say_what_their_records_say(records, data):
    columns = RecordColumns(records)
    assert columns.images == [one.image for one in records]
    assert columns.image_ids == [one.image_id for one in records]
    assert columns.counts.tolist() == [len(one.labels) for one in records]
    assert columns.orientations.tolist() == [one.orientation for one in records]
    sets = {}
    for i, one in enumerate(records):
        sets.setdefault(one.image_sets, []).append(i)
    found = columns.image_sets
    assert list(found) == list(sets)
    assert {names: places.tolist() for names, places in found.items()} == sets
    places = data.draw(st.lists(st.integers(0, len(records) - 1))) if records else []
    for before, after in zip([records[i] for i in places], columns.take(places), strict=True):
        check_same(before, after)


@given(any_records.filter(bool), st.data())
def test_changed_columns_are_those_of_changed_records(records, data):
    columns = RecordColumns(records)
    changed = data.draw(st.sets(st.integers(0, len(records) - 1)))
    new = {i: functools.partial(bytes, i) for i in changed}
    sizes = np.arange(2 * len(records)).reshape(-1, 2)
    after = columns.as_seen(sizes, np.arange(len(records)) % 8 + 1, 1 - columns.boxes)
    after = after.relabelled(columns.labels + 5).with_images(new)
    for i, one in enumerate(records):
        expected = dataclasses.replace(
            one,
            image=new.get(i, one.image),
            width=2 * i,
            height=2 * i + 1,
            orientation=1 if i in new else i % 8 + 1,
            boxes=1 - one.boxes,
            labels=one.labels + np.int32(5),
        )
        check_same(expected, after[i])
        check_same(one, columns[i])


@given(st.lists(texts))
def test_a_column_of_texts(words):
    column = TextColumn()
    for word in words:
        column.append(word)
    column.packed()
    assert [column[i] for i in range(len(words))] == words
    assert column.texts() == words
    backwards = np.arange(len(words))[::-1]
    assert column.take(backwards).texts() == words[::-1]


def test_a_record_costs_little_more_than_its_names_and_boxes():
    columns = RecordColumns(
        record(f"/some/folder/of/pictures/{i:08}.jpg", f"{i:08}") for i in range(10_000)
    )
    sizes = [columns.boxes.nbytes, columns.labels.nbytes, columns.ignore.nbytes]
    sizes += [columns.ends.nbytes, columns._numbers.nbytes]
    for texts in (columns._images._paths, columns._ids):
        sizes += [sys.getsizeof(texts._block), texts._ends.nbytes]
    assert sum(sizes) / len(columns) < 2 * 21 + 8 + 12 + 8 + 40


def test_the_picture_of_a_record_may_be_a_path_and_no_array():
    assert RecordColumns([record(image=pathlib.Path("a.jpg"))])[0].image == "a.jpg"
    with pytest.raises(InputError, match="a ndarray is no picture of a record") as error:
        RecordColumns([record(image=np.zeros((2, 2, 3), np.uint8))])
    assert error.value.where == "a"


def test_a_picture_larger_than_any_is_refused():
    with pytest.raises(InputError, match="a picture of 2000000 × 1 pixels"):
        RecordColumns([record(width=2 * MAX_SIDE, height=1)])


@pytest.mark.parametrize("names", [{"image_id": 7}, {"image_sets": "train"}])
def test_names_of_another_kind_are_refused(names):
    """The letters of a name would be image sets."""
    with pytest.raises(InputError, match="a tuple of names"):
        RecordColumns([record(**names)])
