import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.hold_out import hold_out, hold_out_again, was_held_out
from yolov2_tf.data.records import Record
from yolov2_tf.data.same_pictures import same_pictures, shared_note
from yolov2_tf.errors import InputError


def record(i, labels=(), image=None):
    n = len(labels)
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (n, 1))
    labels = np.array(labels, np.int32)
    return Record(
        b"%d" % i if image is None else image, f"{i}.jpg", boxes, labels, np.zeros(n, bool)
    )


def dataset(*all_labels, classes=4):
    names = tuple(f"class {i}" for i in range(classes))
    return Dataset("some", names, [record(i, labels) for i, labels in enumerate(all_labels)])


def ids(part):
    return [record.image_id for record in part.records]


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=5), min_size=2, max_size=60),
    st.sampled_from([0.1, 0.2, 0.5]),
    st.integers(0, 5),
)
def test_every_picture_is_in_one_part_and_none_is_empty(all_labels, fraction, seed):
    whole = dataset(*all_labels)
    train, held = hold_out(whole, fraction, seed)
    assert sorted(ids(train) + ids(held)) == sorted(ids(whole))
    assert len(train) >= 1
    assert len(held) >= 1
    assert ids(hold_out(whole, fraction, seed)[1]) == ids(held)
    assert ids(train) == [i for i in ids(whole) if i in set(ids(train))]


def test_each_class_has_its_share():
    random = np.random.default_rng(1)
    chances = np.array([0.5, 0.1, 0.02, 0.01])
    labels = [np.flatnonzero(random.random(4) < chances).tolist() for _ in range(2000)]
    whole = dataset(*labels)
    train, held = hold_out(whole, 0.2)
    assert abs(len(held) / len(whole) - 0.2) < 0.01
    for label in range(4):
        count = [sum(label in r.labels for r in part.records) for part in (train, held)]
        assert abs(count[1] - 0.2 * sum(count)) <= 1
    background = [sum(not len(r.labels) for r in part.records) for part in (train, held)]
    assert abs(background[1] - 0.2 * sum(background)) <= 1


def test_rare_classes_stay_in_training():
    train, held = hold_out(dataset([0], [0, 1], *[[0]] * 8))
    assert any(1 in r.labels for r in train.records)
    assert held.name == "some, held out"


def test_another_seed_holds_out_others():
    whole = dataset(*[[0]] * 50)
    assert ids(hold_out(whole, seed=0)[1]) != ids(hold_out(whole, seed=1)[1])


def test_copies_stay_together(tmp_path):
    paths = []
    for i in range(40):
        paths.append(tmp_path / f"photo{i // 4}_jpg.rf.{i:04x}.jpg")
        paths[-1].write_bytes(bytes([i]) * (i + 1))
    records = [record(i, [0], str(path)) for i, path in enumerate(paths)]
    records += [record(100 + i, [0], b"the same") for i in range(5)]
    train, held = hold_out(Dataset("some", ("a",), records), 0.3)
    photo = lambda r: r.image if isinstance(r.image, bytes) else r.image.partition("_jpg.rf")[0]  # noqa: E731
    assert not {photo(r) for r in train.records} & {photo(r) for r in held.records}


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 2, float("nan")])
def test_bad_fractions(fraction):
    with pytest.raises(InputError, match="to hold out"):
        hold_out(dataset([0], [0]), fraction)


def test_one_picture_cannot_be_parted():
    with pytest.raises(InputError, match="only one picture"):
        hold_out(dataset([0]))


def test_same_pictures_by_content(tmp_path):
    for name, content in (("a", b"x"), ("b", b"y"), ("c", b"x"), ("d", b"xx")):
        (tmp_path / name).write_bytes(content)
    images = [*(str(tmp_path / name) for name in "abcd"), b"x", None, lambda: b"x", "gone.jpg"]
    records = [record(i, [0], image) for i, image in enumerate(images)]
    records[5] = Record(None, "5", *[np.zeros(0)] * 3)
    assert same_pictures(records) == [[0, 2, 4]]
    first, second = (Dataset("d", ("a",), part) for part in (records[:2], records[2:]))
    (note,) = shared_note(first, second)
    assert "2 (2.jpg, 4.jpg)" in note
    assert shared_note(first, first) != ()
    assert shared_note(first, Dataset("d", ("a",), [])) == ()


def test_what_was_held_out_stays_so_when_the_data_grow():
    labels = [[i % 3] for i in range(20)]
    first, held = hold_out(dataset(*labels), 0.2)
    grown = dataset(*labels, *([[0]] * 8))
    train, again = hold_out_again(grown, ids(held))
    assert ids(again) == ids(held)
    assert sorted(ids(train)) == sorted(set(ids(grown)) - set(ids(held)))
    assert [was_held_out(part) for part in (train, again, first, held)] == [False, True] * 2
    shrunk = dataset(*labels[:10])
    left = [name for name in ids(held) if name in ids(shrunk)]
    assert ids(hold_out_again(shrunk, ids(held))[1]) == left
    with pytest.raises(InputError, match=r"not one of the 1 pictures that were held out is there"):
        hold_out_again(grown, ["gone.jpg"])


def test_a_copy_of_what_was_held_out_is_held_out_with_it():
    whole = Dataset(
        "some", ("a",), [record(0, [0], b"x"), record(1, [0], b"y"), record(2, [0], b"x")]
    )
    _, held = hold_out_again(whole, ["0.jpg"])
    assert ids(held) == ["0.jpg", "2.jpg"]
