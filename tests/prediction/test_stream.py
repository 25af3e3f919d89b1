"""Sources go through a detector in their order, a few at a time, however many there are."""

import itertools

import cv2
import numpy as np
import pytest
from peak_memory import measured
from PIL import Image

from yolov2_tf.data.ahead import ahead
from yolov2_tf.data.records import Record
from yolov2_tf.drawing.media_finder import stream_media
from yolov2_tf.prediction.outputs import Outputs
from yolov2_tf.prediction.rows import JsonLines
from yolov2_tf.prediction.stream import READ_AHEAD, look_at, look_at_records


class Brightness:
    """Finds one box in each picture, whose score is how bright it is; takes `batch` at once."""

    class_names = ("light",)

    def __init__(self, batch=3):
        self.batch, self.taken = batch, []

    def detect(self, pictures):
        if isinstance(pictures, np.ndarray):
            return self._found(pictures)
        return self._each(iter(pictures))

    def _each(self, pictures):
        while some := list(itertools.islice(pictures, self.batch)):
            self.taken.append(len(some))
            yield from map(self._found, some)

    def _found(self, picture):
        score = np.float32([picture.mean() / 255])
        return {"boxes": np.float32([[0, 0, 1, 1]]), "labels": np.int32([0]), "scores": score}


def gray(path, value, size=(12, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)


@pytest.fixture
def folder(tmp_path):
    """Pictures whose brightness is their number; 0, 5, 6 and 19 are none."""
    for i in range(20):
        gray(tmp_path / f"{i:02}.png", 10 * i)
    for i in (0, 5, 6, 19):
        (tmp_path / f"{i:02}.png").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.parametrize("singly", [False, True])
@pytest.mark.parametrize("batch", [1, 3, 8, 100])
def test_each_picture_in_its_turn(folder, batch, singly):
    detector = Brightness(batch)
    seen = list(look_at(detector, stream_media([folder]), singly=singly))
    assert [one.name for one in seen] == [str(folder / f"{i:02}.png") for i in range(20)]
    assert [i for i, one in enumerate(seen) if one.error] == [0, 5, 6, 19]
    for i, one in enumerate(seen):
        if not one.error:
            assert one.found["scores"][0] == pytest.approx(10 * i / 255)
            assert one.picture[0, 0, 0] == 10 * i
    assert sum(detector.taken) == (0 if singly else 16)


def test_each_record_in_its_turn(folder):
    none = (np.zeros((0, 4), np.float32), np.zeros(0, np.int32), np.zeros(0, bool))
    records = [Record(str(folder / f"{i:02}.png"), f"no. {i}", *none) for i in range(20)]
    seen = list(look_at_records(Brightness(), records))
    assert all(one.source is record for one, record in zip(seen, records, strict=True))
    assert [one.name for one in seen] == [f"no. {i}" for i in range(20)]
    assert [i for i, one in enumerate(seen) if one.error] == [0, 5, 6, 19]
    for i, one in enumerate(seen):
        if not one.error:
            assert one.found["scores"][0] == pytest.approx(10 * i / 255)


def test_films_and_pictures_take_turns(folder):
    writer = cv2.VideoWriter(str(folder / "03x.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 32))
    for value in range(0, 250, 50):
        writer.write(np.full((32, 32, 3), value, np.uint8))
    writer.release()
    (folder / "04x.mp4").write_bytes(b"no film")
    seen = list(look_at(Brightness(), stream_media([folder])))
    names = [one.name.removeprefix(f"{folder}/") for one in seen]
    assert names[3:11] == [
        "03.png", *(f"03x.avi#{i}" for i in range(5)), "04.png", "04x.mp4",
    ]  # fmt: skip
    assert seen[10].error
    scores = [255 * one.found["scores"][0] for one in seen[4:9]]
    np.testing.assert_allclose(scores, range(0, 250, 50), atol=6)


def test_no_more_is_read_than_waits(folder):
    read = []
    sources = (read.append(source) or source for source in stream_media([folder] * 50))
    for number, _ in enumerate(look_at(Brightness(4), sources), start=1):
        assert len(read) <= number + 4 + READ_AHEAD + 4  # and the unreadable ones among them


def test_work_ahead_keeps_order_and_raises_in_its_turn():
    assert list(ahead(lambda i: i * i, range(50), threads=4)) == [i * i for i in range(50)]
    assert list(ahead(str, [], threads=2)) == []
    answers = ahead(lambda i: 1 // (3 - i), range(9), threads=4)
    assert [next(answers) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(answers)


def predict(folder, path):
    lines = JsonLines(path)
    outputs = Outputs(Brightness.class_names, 0.0, lines.write, show=False, save=None, crop=False)
    seen = look_at(Brightness(8), stream_media([folder]))
    for source, frames in itertools.groupby(seen, key=lambda one: one.source):
        outputs.take(source, frames)
    lines.close()
    with open(path) as written:
        return sum(1 for _ in written)


def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    """What grows is a name in a list of names.

    A decoded picture takes 0.5 MB. The allocator itself keeps some 10 MB more or less from one
    run to the next, 5 kB a picture here, so that a twentieth of a picture is the least to tell.
    """
    gray(tmp_path / "picture.png", 90, (480, 360))
    growth = {}
    for number in (100, 100, 2100):  # the first to get what is got once
        folder = tmp_path / f"{len(growth)}-{number}"
        folder.mkdir()
        for i in range(number):
            (folder / f"{i}.png").hardlink_to(tmp_path / "picture.png")
        with measured() as peak:
            assert predict(folder, tmp_path / f"{folder.name}.jsonl") == number
        growth[number] = peak.growth
    slope = (growth[2100] - growth[100]) / 2000
    print(f"{slope:.0f} bytes a picture")
    assert slope < 480 * 360 * 3 / 20
