import io
import itertools

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.records import Record
from yolov2_tf.data.stream_order import pictures_of


def picture(value, form="PNG"):
    file = io.BytesIO()
    Image.fromarray(np.full((40, 60, 3), value, np.uint8)).save(file, form)
    return file.getvalue()


def record(index, boxes=1, ignored=0, image=None):
    corners = np.array([[0.2, 0.2, 0.8, 0.8]] * (boxes + ignored), np.float32).reshape(-1, 4)
    return Record(
        image=picture(10 * index) if image is None else image,
        image_id=str(index),
        boxes=corners,
        labels=np.full(boxes + ignored, index, np.int32),
        ignore=np.arange(boxes + ignored) >= boxes,
    )


def dataset(records):
    return Dataset("made up", tuple("abcdefghij"), records)


def take(batches, count):
    return [
        (images.numpy(), {name: value.numpy() for name, value in truths.items()})
        for images, truths in itertools.islice(batches, count)
    ]


def assert_equal(left, right):
    for (images, truths), (other_images, other_truths) in zip(left, right, strict=True):
        np.testing.assert_array_equal(images, other_images)
        for name in truths:
            np.testing.assert_array_equal(truths[name], other_truths[name])


TEN = dataset([record(i, boxes=i % 3) for i in range(10)])


def test_the_same_seed_gives_the_same_batches_and_another_seed_others():
    options = {"batch_size": 4, "multi_scale": (64, 128), "resize_every": 1}
    first = take(training_batches(TEN, seed=3, **options), 5)
    assert_equal(first, take(training_batches(TEN, seed=3, **options), 5))
    other = take(training_batches(TEN, seed=4, **options), 5)
    assert any(
        a[0].shape != b[0].shape or (a[0] != b[0]).any() for a, b in zip(first, other, strict=True)
    )


def test_a_resumed_stream_goes_on_where_it_stopped():
    options = {"batch_size": 4, "multi_scale": (64, 128), "resize_every": 2, "seed": 1}
    whole = take(training_batches(TEN, **options), 6)
    assert_equal(whole[4:], take(training_batches(TEN, first_step=4, **options), 2))


def test_shares_of_a_batch_are_its_parts_of_the_same_size():
    one_box = dataset([record(i) for i in range(10)])  # else their padding would differ
    options = {"batch_size": 4, "multi_scale": (64, 128), "resize_every": 1, "first_step": 3}
    whole = take(training_batches(one_box, **options), 5)
    shares = [take(training_batches(one_box, share=(k, 2), **options), 5) for k in range(2)]
    joined = [
        (np.concatenate([a, b]), {name: np.concatenate([x[name], y[name]]) for name in x})
        for (a, x), (b, y) in zip(*shares, strict=True)
    ]
    assert_equal(whole, joined)
    assert len({images.shape[1] for images, _ in whole}) > 1


def test_truths_are_padded_and_ignored_boxes_left_out():
    data = dataset([record(0, boxes=0), record(1, boxes=3, ignored=2)])
    options = {"batch_size": 2, "size": 64, "jitter": 0.0, "flip": False, "colours": False}
    ((images, truths),) = take(training_batches(data, **options), 1)
    assert images.shape == (2, 64, 64, 3)
    assert images.dtype == np.uint8
    assert truths["boxes"].shape == (2, 3, 4)
    counts = sorted((truths["labels"] >= 0).sum(axis=1))
    assert counts == [0, 3]
    assert (truths["boxes"][truths["labels"] < 0] == 0).all()


def test_only_background_trains_too():
    ((_, truths),) = take(training_batches(dataset([record(0, boxes=0)]), batch_size=2, size=32), 1)
    assert truths["boxes"].shape == (2, 0, 4)


@pytest.mark.parametrize("kind", ["path", "bytes", "function"])
def test_pictures_come_from_files_memory_and_functions(tmp_path, kind):
    encoded = picture(200)
    path = tmp_path / "a.png"
    path.write_bytes(encoded)
    source = {"path": str(path), "bytes": encoded, "function": lambda: encoded}[kind]
    data = dataset([record(0, image=source)])
    options = {"batch_size": 1, "size": 64, "jitter": 0.0, "flip": False, "colours": False}
    ((images, _),) = take(training_batches(data, **options), 1)
    assert (images == 200).all()


def test_half_of_the_pictures_are_mirrored():
    half = np.zeros((32, 32, 3), np.uint8)
    half[:, :16] = 255
    file = io.BytesIO()
    Image.fromarray(half).save(file, "PNG")
    data = dataset([record(0, image=file.getvalue())])
    options = {"batch_size": 64, "size": 32, "jitter": 0.0, "colours": False}
    ((images, _),) = take(training_batches(data, **options), 1)
    left_is_bright = images[:, 16, 4, 0] > 128
    assert 16 <= left_is_bright.sum() <= 48
    assert ((images[:, 16, 28, 0] > 128) == ~left_is_bright).all()


# === Joint training ===

LABELLED = ClassificationDataset(
    "labelled", TEN.class_names, [LabelledImage(picture(200 + i), i % 10) for i in range(7)]
)


def test_joint_batches_mix_pictures_with_boxes_and_with_a_label():
    options = {"batch_size": 5, "size": 32, "jitter": 0.0, "flip": False, "colours": False}
    batches = take(training_batches(TEN, classification=LABELLED, ratio=(3, 2), **options), 7)
    for images, truths in batches:
        labels = truths["image_labels"][:, 0]
        labelled = labels >= 0
        assert labelled.sum() == 2
        assert (truths["labels"][labelled] == -1).all()
        assert (images[labelled] >= 200).all()
        np.testing.assert_array_equal(images[labelled][:, 0, 0, 0] - 200, labels[labelled])
        assert (truths["image_regions"][labelled] == [0, 0, 1, 1]).all()
    seen = [label for _, truths in batches for label in truths["image_labels"][:, 0] if label >= 0]
    assert sorted(seen) == sorted([*range(7)] * 2)


def test_joint_batches_are_reproducible_resumable_and_of_many_sizes():
    options = {"batch_size": 4, "multi_scale": (32, 96), "resize_every": 2, "seed": 5}
    options |= {"classification": LABELLED, "ratio": (4, 1), "mosaic": 0.5}
    whole = take(training_batches(TEN, **options), 6)
    assert_equal(whole, take(training_batches(TEN, **options), 6))
    assert_equal(whole[3:], take(training_batches(TEN, first_step=3, **options), 3))
    assert len({images.shape for images, _ in whole}) > 1


def test_what_is_mixed_in_does_not_change_the_pictures_with_boxes():
    options = {"batch_size": 1, "size": 32, "jitter": 0.0, "flip": False, "colours": False}
    alone = take(training_batches(TEN, **options), 12)
    mixed = take(training_batches(TEN, classification=LABELLED, ratio=(1, 1), **options), 24)
    with_boxes = [b for b in mixed if b[1]["image_labels"].max() < 0]
    assert len(with_boxes) == 12
    assert_equal(alone, [(i, {k: t[k] for k in ("boxes", "labels")}) for i, t in with_boxes])


@pytest.mark.parametrize(
    ("ratio", "mosaic"), [((1, 4), 0.0), ((1, 4), 1.0), ((1, 4), 0.8), ((3, 2), 0.5)]
)
def test_four_pictures_at_once_count_as_four(ratio, mosaic):
    options = {"batch_size": 500, "size": 32, "jitter": 0.0, "flip": False, "colours": False}
    options |= {"classification": LABELLED, "ratio": ratio, "mosaic": mosaic}
    ((_, truths),) = take(training_batches(TEN, **options), 1)
    with_boxes = (truths["image_labels"] < 0).all(axis=1).sum()
    with_labels = (truths["image_labels"] >= 0).sum()
    np.testing.assert_allclose(with_labels / with_boxes, ratio[1] / ratio[0], rtol=0.1)


@pytest.mark.parametrize("flip", [False, True])
def test_four_pictures_at_once_are_where_their_regions_say(flip):
    options = {"batch_size": 40, "size": 64, "jitter": 0.0, "flip": flip, "colours": False}
    options |= {"classification": LABELLED, "ratio": (2, 5), "mosaic": 0.5}
    ((images, truths),) = take(training_batches(TEN, **options), 1)
    numbers = (truths["image_labels"] >= 0).sum(axis=1)
    assert sorted(set(numbers)) == [0, 1, 4]
    assert (numbers == 0).sum() == 20
    assert 4 <= (numbers == 1).sum() <= 16
    for image, labels, regions in zip(
        images, truths["image_labels"], truths["image_regions"], strict=True
    ):
        for label, region in zip(labels, regions, strict=True):
            if label >= 0:
                y_min, x_min, y_max, x_max = (64 * region).astype(int)
                assert (image[y_min:y_max, x_min:x_max] == 200 + label).all()
        covered = np.prod(regions[:, 2:] - regions[:, :2], axis=1).sum()
        assert covered == (labels >= 0).any()


ONE_EACH = dataset([record(i) for i in range(10)])
PLAIN = {"size": 64, "jitter": 0.0, "colours": False}


@pytest.mark.parametrize("flip", [False, True])
def test_boxes_are_in_the_quarters_of_their_pictures(flip):
    batches = training_batches(ONE_EACH, batch_size=20, flip=flip, box_mosaic=1.0, **PLAIN)
    ((images, truths),) = take(batches, 1)
    for image, boxes, labels in zip(images, truths["boxes"], truths["labels"], strict=True):
        quarters = {}
        for box, label in zip(64 * boxes, labels, strict=True):
            np.testing.assert_allclose(box[2:] - box[:2], 0.6 * 32, atol=1e-3)
            y, x = (box[:2] // 32).astype(int)
            np.testing.assert_allclose(box[:2] - 32 * np.array([y, x]), 0.2 * 32, atol=1e-3)
            assert (image[32 * y : 32 * y + 32, 32 * x : 32 * x + 32] == 10 * label).all()
            quarters[y, x] = label
        assert len(quarters) == 4


def test_each_quarter_sees_every_picture_once_in_a_pass():
    batches = training_batches(ONE_EACH, batch_size=10, flip=False, box_mosaic=1.0, **PLAIN)
    ((images, _),) = take(batches, 1)
    values = images[:, ::32, ::32, 0].reshape(10, 4)
    assert (np.sort(values, axis=0) == 10 * np.arange(10)[:, None]).all()
    assert len({tuple(column) for column in values.T}) == 4  # each in an order of its own


def test_a_view_of_one_picture_is_as_it_is_where_none_are_of_four():
    options = {"batch_size": 40, "size": 64, "seed": 2}
    ((alone, _),) = take(training_batches(ONE_EACH, **options), 1)
    ((images, truths),) = take(training_batches(ONE_EACH, box_mosaic=0.5, **options), 1)
    four = (truths["labels"] >= 0).sum(axis=1) > 1
    assert 10 < four.sum() < 30
    np.testing.assert_array_equal(images[~four], alone[~four])


def test_views_of_four_are_reproducible_resumable_and_of_many_sizes():
    options = {"batch_size": 4, "multi_scale": (32, 96), "resize_every": 2, "box_mosaic": 0.5}
    whole = take(training_batches(TEN, **options), 6)
    assert_equal(whole, take(training_batches(TEN, **options), 6))
    assert_equal(whole[3:], take(training_batches(TEN, first_step=3, **options), 3))


def test_pictures_with_boxes_and_with_labels_are_four_at_once_each_by_its_share():
    options = {"batch_size": 40, "classification": LABELLED, "ratio": (1, 1), "flip": False}
    batches = training_batches(ONE_EACH, box_mosaic=1.0, mosaic=0.0, **options, **PLAIN)
    ((_, truths),) = take(batches, 1)
    with_label = truths["image_labels"][:, 0] >= 0
    assert truths["image_labels"].shape == (40, 1)
    assert ((truths["labels"] >= 0).sum(axis=1) == np.where(with_label, 0, 4)).all()


def test_all_pictures_of_a_view_of_four_are_named():
    """`pictures_of` says which may have done harm; here the picture's colour is its number."""
    options = {"batch_size": 12, "flip": False, "box_mosaic": 0.5, "seed": 3}
    ((images, _),) = take(training_batches(ONE_EACH, **options, **PLAIN), 1)
    indices = pictures_of(range(12), 10, box_mosaic=0.5, seed=3)
    for image, four in zip(images, np.reshape(indices, [12, 4]), strict=True):
        shown = image[::32, ::32, 0].reshape(4) / 10
        assert (shown == four).all() or (shown == four[0]).all()
