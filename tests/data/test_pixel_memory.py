"""Decoded pictures that are kept."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from tests.shallow_networks import ShallowDetection
from tests.training.squares import TINY, squares_in
from yolov2_tf.data import pixel_memory
from yolov2_tf.data.label_pipeline import classification_batches
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.picture_reader import reader
from yolov2_tf.data.pipeline import training_batches
from yolov2_tf.data.pixel_memory import PixelMemory
from yolov2_tf.data.stand_ins import StandIns
from yolov2_tf.training.fit import train

PLENTY = 2**30


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return squares_in(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def labelled(scenes):
    records = [LabelledImage(r.image, int(r.labels[0])) for r in scenes.records]
    return ClassificationDataset("squares", scenes.class_names, records)


def same(left, right):
    for one, other in zip(left, right, strict=True):
        for a, b in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
            np.testing.assert_array_equal(a, b)


def sizes_of(scenes):
    read = reader(scenes.records)
    return [int(tf.size(read(tf.constant(i)))) for i in range(len(scenes))]


def one_less_than_half(scenes):
    return sum(sizes_of(scenes)) // 2 - 1


@pytest.mark.parametrize("limit", [PLENTY, one_less_than_half, 0], ids=["all", "some", "none"])
def test_batches_are_the_same_with_a_memory(scenes, labelled, limit):
    memory = PixelMemory(limit(scenes) if callable(limit) else limit)
    options = {"batch_size": 4, "size": 64, "seed": 3}
    mixed = {**options, "classification": labelled, "ratio": (1, 1), "mosaic": 0.5}
    plain = list(training_batches(scenes, **mixed).take(6))
    same(plain, training_batches(scenes, **mixed, memory=memory).take(6))
    assert memory.bytes <= memory.limit
    everything = 2 * len(scenes)
    assert memory.pictures == everything if limit == PLENTY else memory.pictures < everything
    assert (memory.pictures > 0) == (limit != 0)


def test_a_classifier_sees_the_same_pictures(labelled):
    options = {"batch_size": 4, "sizes": ((0, 64), (2, 96)), "seed": 1}
    memory = PixelMemory(PLENTY)
    same(
        classification_batches(labelled, **options).take(4),
        classification_batches(labelled, **options, memory=memory).take(4),
    )
    assert memory.pictures == len(labelled)


def test_what_is_kept_is_not_read_again(tmp_path):
    scenes = squares_in(tmp_path)
    memory = PixelMemory(PLENTY)
    options = {"batch_size": 4, "size": 64}
    before = list(training_batches(scenes, **options, memory=memory).take(3))
    assert memory.bytes == sum(sizes_of(scenes))
    for record in scenes.records:
        (tmp_path / record.image).unlink()
    same(before, training_batches(scenes, **options, memory=memory).take(3))


def test_what_cannot_be_read_says_why_when_it_is_wanted(tmp_path):
    scenes = squares_in(tmp_path)
    damaged = scenes.records[2].image
    with open(damaged, "wb") as file:
        file.write(b"no picture")
    memory = PixelMemory(PLENTY)
    read = memory.keeping(reader(scenes.records), len(scenes))
    assert memory.pictures == len(scenes) - 1
    np.testing.assert_array_equal(
        read(tf.constant(3)), reader(scenes.records)(tf.constant(3, tf.int32))
    )
    with pytest.raises(tf.errors.InvalidArgumentError):
        read(tf.constant(2))


def test_what_stands_in_for_a_damaged_picture_does_so_with_a_memory_too(tmp_path):
    scenes = squares_in(tmp_path)
    (tmp_path / scenes.records[2].image).write_bytes(b"no picture")
    stand_ins, memory = StandIns(len(scenes)), PixelMemory(PLENTY)
    options = {"batch_size": 4, "size": 64}
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(training_batches(scenes, **options, memory=memory).take(len(scenes)))
    stand_ins.faults[2] = "damaged"
    plain = training_batches(scenes, **options, stand_ins=stand_ins).take(len(scenes))
    same(
        list(plain),
        training_batches(scenes, **options, stand_ins=stand_ins, memory=memory).take(len(scenes)),
    )
    assert memory.pictures == len(scenes) - 1


@pytest.mark.parametrize(("patience", "lines"), [(-1, 2), (60, 1)])
def test_it_says_what_takes_long(scenes, monkeypatch, patience, lines):
    monkeypatch.setattr(pixel_memory, "PATIENCE", patience)
    said = []
    PixelMemory(PLENTY, say=said.append).keeping(reader(scenes.records), len(scenes))
    assert len(said) == lines
    assert all("in memory" in line for line in said)


def test_of_a_large_set_nothing_is_kept(scenes, monkeypatch):
    monkeypatch.setattr(pixel_memory, "MOST_PICTURES", len(scenes) - 1)
    memory = PixelMemory(PLENTY)
    memory.keeping(reader(scenes.records), len(scenes))
    assert (memory.pictures, memory.bytes) == (0, 0)


def test_it_ends_where_it_is_enough(scenes):
    answers = iter([False, False, True])
    memory = PixelMemory(PLENTY, enough=lambda: next(answers))
    read = memory.keeping(reader(scenes.records), len(scenes))
    assert memory.pictures == 2
    for index in (0, 1, 2, 11):
        np.testing.assert_array_equal(
            read(tf.constant(index)), reader(scenes.records)(tf.constant(index))
        )


def test_a_training_keeps_its_pictures_and_says_so(scenes, tmp_path):
    console = Console(record=True, width=300)
    train(ShallowDetection(scenes), TINY, tmp_path / "run", console=console)
    assert "12 decoded pictures in memory" in console.export_text()


@pytest.mark.parametrize("free", [1000, 10**12])
def test_no_more_is_kept_than_a_share_of_what_is_free(monkeypatch, free):
    monkeypatch.setattr(pixel_memory, "free_bytes", lambda: free)
    assert PixelMemory().limit == min(pixel_memory.SHARE * free, pixel_memory.MOST_BYTES)


def test_large_pictures_are_kept_as_small_as_their_views_allow(tmp_path):
    scenes = squares_in(tmp_path)
    records = []
    for record in scenes.records:
        small = tf.io.decode_png(tf.io.read_file(record.image))
        large = tf.repeat(tf.repeat(small, 10, axis=0), 10, axis=1)
        tf.io.write_file(record.image, tf.io.encode_png(large))
        records.append(record)
    large = dataclasses.replace(scenes, records=records)
    memory = PixelMemory(PLENTY)
    sides = [int(np.sqrt(size / 3)) for size in sizes_of(large)]
    kept = sum(3 * len(range(s // 128 // 2, s, s // 128)) ** 2 for s in sides)
    next(iter(training_batches(large, batch_size=4, size=64, jitter=0.0, memory=memory)))
    assert memory.bytes == kept < 3 * sum(side**2 for side in sides)
