"""Labelled pictures from folders, TFDS sets and digits; views of them for training."""

import itertools
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.data.augment import ASPECT, random_crop, take_turned_view, take_view
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import load_image
from yolov2_tf.data.label_pipeline import classification_batches, evaluation_batches
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.labels import map_onto_tree, open_classification
from yolov2_tf.errors import InputError
from yolov2_tf.resize import PADDING, resize_image
from yolov2_tf.trees.wordtree import WordTree


def write(path, value=0, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


@pytest.fixture
def folders(tmp_path):
    """Two image sets; the class `cat` is in one of them only."""
    for place in ("train/cat/1.png", "train/dog/more/2.JPG", "val/dog/3.webp", "val/.cache/4.png"):
        write(tmp_path / place)
    for name in ("notes.txt", "._2.JPG"):
        (tmp_path / "train" / "dog" / name).write_text("no picture")
    return tmp_path


def labels(dataset):
    return {record.image_id: dataset.class_names[record.label] for record in dataset.records}


# === Folders ===


def test_folders_of_classes_are_read(folders):
    dataset = open_classification(folders / "train")
    assert dataset.class_names == ("cat", "dog")
    assert labels(dataset) == {"cat/1.png": "cat", "dog/more/2.JPG": "dog"}
    assert dataset.name == "train"
    assert dataset.notes == ()


def test_image_sets_share_their_classes(folders):
    train, val = (open_classification(folders, split) for split in ("train", "val"))
    assert train.class_names == val.class_names == ("cat", "dog")
    assert labels(val) == {"val/dog/3.webp": "dog"}
    assert val.notes == ()
    both = open_classification(folders)
    assert len(both) == 3
    assert "train, val found: all are used" in both.notes[0]


def test_pictures_that_nobody_has_sorted_are_no_class(folders):
    write(folders / "test" / "unknown" / "5.png")
    names = ["cat", "dog"]
    for split, count in (("train", 2), ("val", 1)):
        dataset = open_classification(folders, split, class_names=names)
        assert (dataset.class_names, len(dataset)) == (("cat", "dog"), count)
    assert open_classification(folders, "test").class_names == ("unknown",)
    write(folders / "test" / "dog" / "6.png")  # now they are the classes of all
    assert open_classification(folders, "train").class_names == ("cat", "dog", "unknown")


def test_an_image_set_that_is_not_there_is_said(folders):
    with pytest.raises(InputError, match=r"no image set 'test' \(expected train, val\)"):
        open_classification(folders, "test")
    with pytest.raises(InputError, match="no image set 'val', nor any other"):
        open_classification(folders / "train", "val")


def test_labels_index_the_names_of_a_model(folders):
    dataset = open_classification(folders, "val", class_names=["bird", "dog", "cat"])
    assert dataset.class_names == ("bird", "dog", "cat")
    assert [record.label for record in dataset.records] == [1]
    with pytest.raises(InputError, match=r"unknown class 'cat' \(expected dog, bird\)"):
        open_classification(folders, "val", class_names=["dog", "bird"])


def test_a_class_called_train_is_a_class(tmp_path):
    for name in ("train", "tram"):
        write(tmp_path / name / "1.png")
    assert open_classification(tmp_path).class_names == ("train", "tram")


def test_folders_beside_what_may_be_an_image_set_are_told(tmp_path):
    for name in ("bus", "tram", "train"):
        write(tmp_path / name / "more" / "1.png")
    (tmp_path / "docs").mkdir()
    dataset = open_classification(tmp_path)
    assert dataset.notes == ("folders beside the image sets, not used: bus, tram",)
    write(tmp_path / "val" / "1.png")
    assert open_classification(tmp_path, "train").notes == (
        "folders beside the image sets, not used: bus, tram, val",
    )


def test_classes_without_pictures_are_told(folders):
    (folders / "train" / "eel").mkdir()
    dataset = open_classification(folders, "train")
    assert dataset.class_names == ("cat", "dog", "eel")
    assert dataset.notes == ("classes without a picture: 1 (eel)",)


def test_what_is_no_data_set_is_said(tmp_path):
    with pytest.raises(InputError, match="no pictures in folders of classes"):
        open_classification(tmp_path)
    with pytest.raises(InputError, match="no such data set"):
        open_classification(tmp_path / "nowhere")


def test_unreadable_pictures_are_left_out_and_named(folders):
    (folders / "train" / "cat" / "0.jpg").write_bytes(b"no picture")
    dataset, faults = check_images(open_classification(folders, "train"))
    assert [record.image_id for record in dataset.records] == [
        "train/cat/1.png",
        "train/dog/more/2.JPG",
    ]
    assert faults == [("train/cat/0.jpg", "not a picture, or of an unknown format")]
    assert "left out: 1 (train/cat/0.jpg" in dataset.notes[0]


def test_turned_and_converted_pictures_are_seen_upright(tmp_path):
    turned = Image.new("RGB", (40, 30))
    turned.paste((255, 255, 255), (0, 0, 40, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # upright after a quarter turn to the right
    (tmp_path / "a").mkdir()
    turned.save(tmp_path / "a" / "turned.png", exif=exif)
    Image.new("L", (20, 20), 128).save(tmp_path / "a" / "gray.tif")
    dataset, faults = check_images(open_classification(tmp_path))
    assert not faults
    for (images, _), record in zip(
        evaluation_batches(dataset, batch_size=1, size=32), dataset.records, strict=True
    ):
        path = tmp_path / record.image_id
        np.testing.assert_array_equal(images[0], resize_image(load_image(str(path)), 32))


def test_links_are_followed_and_hidden_folders_are_not(folders):
    """Jupyter keeps copies of what was looked at in `.ipynb_checkpoints`."""
    copies = folders / "train" / "cat" / ".ipynb_checkpoints"
    copies.mkdir()
    shutil.copy(folders / "train" / "cat" / "1.png", copies / "1-checkpoint.png")
    (folders / "val" / "dog").rename(folders / "elsewhere")
    (folders / "val" / "dog").symlink_to(folders / "elsewhere")
    assert labels(open_classification(folders, "train")).keys() == {
        "train/cat/1.png",
        "train/dog/more/2.JPG",
    }
    assert labels(open_classification(folders, "val")) == {"val/dog/3.webp": "dog"}


# === Other sources ===


def test_digits_are_read(monkeypatch):
    dataset = open_classification("digits")
    assert dataset.class_names == tuple("0123456789")
    assert "train is used" in dataset.notes[0]
    assert len({record.image_id for record in dataset.records}) == len(dataset) == 2000
    test = open_classification("digits", "test")
    assert test.notes == ()
    counts = np.bincount([record.label for record in test.records])
    assert (counts == len(test) / 10).all()
    assert load_image(test.records[3].image).shape[2] == 3
    with pytest.raises(InputError, match="no split 'all'"):
        open_classification("digits", "all")


# === Trees ===

TREE = WordTree(["pet", "wild", "n1", "n2"], [-1, -1, 0, 0])


def test_classes_are_found_among_the_nodes():
    records = [LabelledImage(b"", label) for label in (0, 1, 2)]
    dataset = ClassificationDataset("some", ("wild", "n2", "pet"), records)
    mapped = map_onto_tree(dataset, TREE)
    assert mapped.class_names == TREE.names
    assert [record.label for record in mapped.records] == [1, 3, 0]

    people = ("house pet", "wild thing", "tom cat", "dog")
    dataset = ClassificationDataset("some", ("Tom_cat", "dog", "wild"), records)
    mapped = map_onto_tree(dataset, TREE, people)
    assert mapped.class_names == people
    assert [record.label for record in mapped.records] == [2, 3, 1]
    with pytest.raises(InputError, match="no single node for 2 of the classes: Tom_cat, dog"):
        map_onto_tree(dataset, TREE)


# === Views ===


def test_a_view_of_the_whole_is_the_plain_resize(monkeypatch):
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (37, 53, 3)), tf.uint8)
    monkeypatch.setattr("yolov2_tf.data.augment.ASPECT", 1.0)
    view = random_crop(tf.constant([37, 53]), 64, (1.0, 1.0), [1, 2])
    np.testing.assert_array_equal(take_view(image, view, 64), resize_image(image, 64))
    view = random_crop(tf.constant([37, 53]), 64, (1.0, 1.0), [1, 2], letterbox=True)
    seen = take_view(image, view, 64)
    np.testing.assert_array_equal(tf.shape(seen), [64, 64, 3])
    inside = int(view.inner[0])
    assert inside == round(64 * 37 / 53)
    np.testing.assert_allclose(
        seen[view.before[0] : view.before[0] + inside], tf.image.resize(image, [inside, 64])
    )


@pytest.mark.parametrize("letterbox", [False, True])
@pytest.mark.parametrize("zoom", [(0.5, 0.5), (2.0, 2.0), (1.5, 3.0)])
def test_windows_have_the_size_that_the_zoom_says(zoom, letterbox):
    height, width, size = 300, 200, 96
    whole = np.array([300, 300] if letterbox else [300, 200])
    for seed in range(20):
        view = random_crop(tf.constant([height, width]), size, zoom, [seed, 7], letterbox)
        start, extent, inner, before = (np.array(part) for part in view)
        assert (start >= 0).all()
        assert (start + extent <= [height, width]).all()
        assert (before >= 0).all()
        assert (before + inner <= size).all()
        scale = inner / extent * whole / size  # per axis; its product knows no aspect
        aspect = scale[1] / scale[0]
        assert zoom[0] * 0.95 < np.sqrt(scale.prod()) < zoom[1] * 1.05
        assert 0.95 / ASPECT < aspect < ASPECT * 1.05


def test_pictures_may_be_named_after_imagenets_ids(tmp_path):
    for name in ("n02084071_1.JPEG", "n02084071_2.JPEG", "n02121620_cat.JPEG"):
        write(tmp_path / "flat" / name)
    dataset = open_classification(tmp_path / "flat")
    assert dataset.class_names == ("n02084071", "n02121620")
    assert [record.label for record in dataset.records] == [0, 0, 1]
    write(tmp_path / "flat" / "holiday.png")
    with pytest.raises(InputError, match="no pictures in folders of classes"):
        open_classification(tmp_path / "flat")


def test_a_turned_view_is_the_view_turned():
    image = tf.constant(np.random.default_rng(0).integers(0, 256, (37, 53, 3)), tf.uint8)
    view = random_crop(tf.constant([37, 53]), 64, (1.2, 1.2), [1, 2])
    inside = np.s_[2:-2, 2:-2]  # at the borders it sees what the picture has beyond the view
    plain = take_view(image, view, 64).numpy()
    unturned, quarter = (take_turned_view(image, view, 64, angle) for angle in (0.0, 90.0))
    np.testing.assert_allclose(unturned[inside], plain[inside], atol=1e-2)
    np.testing.assert_allclose(quarter[inside], np.rot90(plain, -1)[inside], atol=1e-1)
    corner = take_turned_view(image, random_crop([37, 53], 64, (0.5, 0.5), [3, 4]), 64, 7.0)
    assert (corner.numpy()[0, 0] == PADDING).all()


def test_every_stage_has_its_own_crops_and_turns_change_pictures(ten):
    options = {"batch_size": 10, "sizes": [(0, 32), (1, 64)], "flip": False, "colours": False}
    whole = {**options, "zoom": (1.0, 1.0)}
    per_stage = take(classification_batches(ten, **options, zoom=((1.0, 1.0), (2.0, 2.0))), 2)
    same = take(classification_batches(ten, **whole), 2)
    turned = take(classification_batches(ten, **whole, rotation=7.0), 1)
    np.testing.assert_array_equal(per_stage[0][0], same[0][0])
    assert (per_stage[1][0] != same[1][0]).any()
    differing = (turned[0][0] != same[0][0]).mean(axis=(1, 2, 3))
    assert (differing > 0.05).all()


def test_small_zooms_show_the_whole_picture_and_large_ones_reach_every_part():
    corners = []
    for seed in range(60):
        view = random_crop(tf.constant([100, 100]), 64, (2.0, 2.0), [seed, 3])
        corners.append(np.concatenate([view.start, 100 - view.start - view.extent]))
        small = random_crop(tf.constant([100, 100]), 64, (0.57, 0.57), [seed, 3])
        assert small.extent.numpy().tolist() == [100, 100]
    corners = np.array(corners)  # rows and columns above, left, below, right of the window
    assert (corners >= 0).all()
    assert (corners.min(axis=0) < 5).all()
    assert (corners.max(axis=0) > 40).all()


# === Batches ===


@pytest.fixture(scope="module")
def ten():
    digits = open_classification("digits", "val")
    records = digits.records[:10]
    return check_images(ClassificationDataset("ten", digits.class_names, records))[0]


def take(batches, count):
    return [(i.numpy(), j.numpy()) for i, j in itertools.islice(batches, count)]


def assert_equal(left, right):
    for (images, labels), (other_images, other_labels) in zip(left, right, strict=True):
        np.testing.assert_array_equal(images, other_images)
        np.testing.assert_array_equal(labels, other_labels)


def test_batches_are_a_function_of_seed_and_step(ten):
    options = {"batch_size": 4, "sizes": [(0, 32), (2, 64)]}
    whole = take(classification_batches(ten, seed=3, **options), 4)
    assert [images.shape for images, _ in whole] == [(4, s, s, 3) for s in (32, 32, 64, 64)]
    assert {images.dtype for images, _ in whole} == {np.dtype("uint8")}
    assert_equal(whole[1:], take(classification_batches(ten, seed=3, first_step=1, **options), 3))
    shares = [
        take(classification_batches(ten, seed=3, share=(k, 4), **options), 4) for k in range(4)
    ]
    assert_equal(
        whole, [map(np.concatenate, zip(*each, strict=True)) for each in zip(*shares, strict=True)]
    )
    other = take(classification_batches(ten, seed=4, **options), 4)
    assert any((a[0] != b[0]).any() for a, b in zip(whole, other, strict=True))


def test_an_epoch_sees_every_picture_once(ten):
    batches = take(classification_batches(ten, batch_size=5, sizes=[(0, 32)]), 4)
    for first in (0, 2):
        seen = np.concatenate([labels for _, labels in batches[first : first + 2]])
        assert sorted(seen) == list(range(10))


def test_labels_stay_with_their_pictures(ten):
    plain = {"zoom": (1.0, 1.0), "flip": False, "colours": False}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yolov2_tf.data.augment.ASPECT", 1.0)
        ((images, labels),) = take(classification_batches(ten, batch_size=10, **plain), 1)
    for image, label in zip(images, labels, strict=True):
        expected = resize_image(load_image(ten.records[label].image), 224)  # labels go round
        np.testing.assert_allclose(image, expected, atol=0.51)


def test_one_dataset_has_one_signature_over_all_sizes(ten):
    batches = classification_batches(ten, batch_size=4, sizes=[(0, 32), (2, 64)])
    assert batches.element_spec[0].shape.as_list() == [4, None, None, 3]
