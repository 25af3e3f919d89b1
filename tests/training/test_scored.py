"""The pictures that a training is scored on, by one process and by two."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError
from yolov2_tf.training import agreement, scored
from yolov2_tf.training.scored import ScoredPictures, share_of


class Two:
    """Two threads that take themselves for two processes; sums are made as soon as both ask."""

    def __init__(self):
        self.local, self.lock, self.sums = threading.local(), threading.Lock(), []

    def worker(self):
        return self.local.number

    def sum_at(self, place):
        """Barrier and summands of a sum; each has its own: an end breaks later ones alone."""
        with self.lock:
            while len(self.sums) <= place:
                self.sums.append((threading.Barrier(2), [None, None]))
            return self.sums[place]

    def total(self, array):
        barrier, given = self.sum_at(self.local.place)
        self.local.place += 1
        given[self.worker()] = np.asarray(array, np.float32)
        barrier.wait(60)
        return given[0] + given[1]

    def run(self, function):
        """What a function of a process' number ends with in each: what it returns or raises."""
        self.sums = []

        def work(number):
            self.local.number, self.local.place = number, 0
            try:
                return function(number)
            except Exception as error:
                self.sum_at(self.local.place)[0].abort()  # as a process that is gone breaks a sum
                return error

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, range(2)))


@pytest.fixture
def two(monkeypatch):
    pair = Two()
    for module in (agreement, scored):
        monkeypatch.setattr(module, "worker", pair.worker)
        monkeypatch.setattr(module, "workers", lambda: 2)
    monkeypatch.setattr(agreement, "total", pair.total)
    cluster = {"worker": ["a:1", "b:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    return pair


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Function of a name: a data set of twenty pictures in a folder of that name."""
    parent = tmp_path_factory.mktemp("pictures")
    encoded = [record.image for record in open_digits("test", count=20, size=64).records]

    def copy(name):
        folder = parent / name
        folder.mkdir()
        records = []
        for i, one in enumerate(encoded):
            (folder / f"{i}.png").write_bytes(one if isinstance(one, bytes) else one())
            none = np.zeros([0, 4]), np.zeros(0, int), np.zeros(0, bool)
            records.append(Record(str(folder / f"{i}.png"), str(i), *none))
        return Dataset("pictures", ("a",), records)

    return copy


def find(dataset):
    """Two rows for each picture of an odd pixel, one for the others: what it is made of."""
    rows = []
    for place, record in enumerate(dataset.records):
        pixels = tf.io.decode_png(tf.io.read_file(record.image)).numpy()
        rows += (1 + int(pixels.sum()) % 2) * [[place, pixels.mean(), pixels.std()]]
    return np.reshape(rows, [-1, 3])


def names(dataset):
    return [record.image_id for record in dataset.records]


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (3, 2), (20, 2), (24, 2), (9, 4), (77, 3)])
def test_each_picture_is_in_its_batch_of_one_process(monkeypatch, count, workers):
    monkeypatch.setattr(scored, "workers", lambda: workers)
    whole = [list(range(start, min(start + 8, count))) for start in range(0, count, 8)]
    batches = []
    for number in range(workers):
        monkeypatch.setattr(scored, "worker", lambda number=number: number)
        own = share_of(count, 8).tolist()
        mine = [own[start : start + 8] for start in range(0, len(own), 8)]
        # A batch that is filled up in one process has a whole one before it here, too.
        assert all(len(mine[0]) == 8 for batch in mine if len(batch) < 8 and len(whole) > 1)
        batches += mine
    assert sorted(batches) == whole


def test_two_processes_find_what_one_finds(two, pictures):
    one = pictures("one")
    seen = [None, None]

    def watched(number):
        def look(dataset):
            seen[number] = names(dataset)
            return find(dataset)

        return ScoredPictures(one).found(look, 8)

    both = two.run(watched)
    expected = np.asarray(find(one), np.float32)
    for rows in both:
        np.testing.assert_array_equal(rows, expected)
    assert seen == [[*map(str, [*range(8), *range(16, 20)])], [*map(str, range(8, 16))]]


@pytest.mark.parametrize("hosts", [(0, 1), (1,)])
def test_a_picture_that_a_process_cannot_read_is_left_out_by_all(two, pictures, hosts):
    """It may be damaged everywhere, or on the disk of its process alone."""
    sets = [pictures(f"{hosts} {number}") for number in range(2)]
    for number in hosts:
        with open(sets[number].records[9].image, "wb"):  # of the second batch, which is worker 1's
            pass
    said = []

    def work(number):
        told = (lambda *what: said.append(what)) if number == 0 else None
        scored = ScoredPictures(sets[number], told)
        rows = scored.found(find, 8)
        return rows, names(scored.dataset), scored.found(find, 8)

    chief, other = two.run(work)
    assert chief[1] == other[1] == [str(i) for i in range(20) if i != 9]
    left = [record for i, record in enumerate(sets[0].records) if i != 9]
    expected = np.asarray(find(Dataset("left", ("a",), left)), np.float32)
    for rows in (chief[0], chief[2], other[0], other[2]):
        np.testing.assert_array_equal(rows, expected)
    [(text, [entry])] = said
    assert entry["picture"] == sets[0].records[9].image
    assert "left out of the score (1 of 20)" in text
    assert (entry["reason"] == "worker 1 (b:2) cannot read it") == (0 not in hosts)


def test_too_many_that_cannot_be_read_end_all_with_the_same_message(two, pictures):
    one = pictures("many")
    for place in (1, 9, 10):
        with open(one.records[place].image, "wb"):
            pass
    for error in two.run(lambda _: ScoredPictures(one).found(find, 8)):
        assert isinstance(error, InputError)
        assert "3 of 20 pictures to score on cannot be read any more" in str(error)


def test_what_is_no_damage_is_raised_where_it_came_up(two, pictures):
    one = pictures("well")

    def fail(dataset):
        if names(dataset)[0] == "8":
            raise InputError("something else")
        return find(dataset)

    chief, other = two.run(lambda _: ScoredPictures(one).found(fail, 8))
    assert isinstance(chief, threading.BrokenBarrierError)  # it waited for the other
    assert "something else" in str(other)
