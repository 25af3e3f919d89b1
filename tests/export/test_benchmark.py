"""The benchmark's arithmetic on stand-ins, and its peers on a real network."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.records import Dataset, Record
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.export.benchmark import Row, benchmark, draw_side_by_side, markdown, plot
from yolov2_tf.export.check import unmatched
from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.forms import SCORE_THRESHOLD, Form, OpenCvForm
from yolov2_tf.export.runtime import TFLiteDetector, resize
from yolov2_tf.export.tail import cut_behind_head, tail_share


def record(number, picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    box = np.array([[0.1, 0.2, 0.6, 0.8]], np.float32)
    return Record(file.getvalue(), str(number), box, np.zeros(1, np.int32), np.zeros(1, bool))


@pytest.fixture(scope="module")
def dataset(pictures):
    records = [record(i, picture) for i, picture in enumerate(pictures[:3])]
    return Dataset("pets", ("cat", "dog", "bird"), records)


class StandIn:
    """Finds the true box, or nothing."""

    runtime = "none"

    def __init__(self, found):
        self.found, self.runs = found, 0

    def run(self, resized):
        assert resized.shape == (96, 96, 3)
        self.runs += 1

    def detect(self, image):
        count = int(self.found)
        return {
            "boxes": np.array([[0.1, 0.2, 0.6, 0.8]], np.float32)[:count],
            "labels": np.zeros(count, np.int32),
            "scores": np.ones(count, np.float32),
        }


def test_rows_tell_size_time_and_loss(dataset, small_model, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(1_000_000))
    (tmp_path / "b").write_bytes(bytes(500_000))
    good, bad = StandIn(True), StandIn(False)
    forms = [
        Form("good", tmp_path / "folder", lambda: good, lambda pictures: len(pictures) / 10),
        Form("bad", tmp_path / "b", lambda: bad),
    ]
    first, second = benchmark(small_model.head, forms, dataset, runs=7)
    assert (good.runs, bad.runs) == (16, 16)  # eight pictures, one to warm up; each twice
    assert (first.tail_share, second.tail_share) == (0.7, None)
    assert (first.form, first.map, first.map_loss) == ("good", 1.0, 0.0)
    assert (second.form, second.map, second.map_loss) == ("bad", 0.0, 1.0)
    assert (first.megabytes, second.megabytes) == (1.0, 0.5)
    assert 0 <= first.median_ms <= first.p95_ms
    assert first.load_ms >= 0


ROWS = [
    Row("Keras", "Keras 3", 2.31, 12.0, 20.04, 30.0, None, 0.345, 0.0),
    Row("TFLite int8", "LiteRT 2", 0.7, 1.0, 5.06, 6.0, 0.031, 0.342, 0.003),
]


def test_markdown_and_plot(tmp_path):
    header, ruler, *lines = markdown(ROWS).splitlines()
    assert {len(line) for line in (header, ruler, *lines)} == {len(header)}
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["Keras", "Keras 3", "2.3", "12", "20.0", "30.0", "", "34.50", "+0.00"]
    assert cells[1][4:] == ["5.1", "6.0", "3.1 %", "34.20", "+0.30"]
    plot(ROWS, tmp_path / "plot.png")
    drawn = np.asarray(Image.open(tmp_path / "plot.png").convert("L"))
    assert drawn.shape[1] > 1000
    assert 0.02 < (drawn < 200).mean() < 0.6
    assert dataclasses.asdict(ROWS[0])["map_loss"] == 0.0


def test_opencv_detects_what_the_model_detects(small_model, pictures, tmp_path):
    pytest.importorskip("cv2", reason="needs opencv-python-headless")
    from yolov2_tf.darknet.writer import export_darknet

    peer = OpenCvForm(small_model, export_darknet(small_model, tmp_path).paths, threads=1)
    expected = detect(detector(small_model, SCORE_THRESHOLD, max_detections=300), pictures)
    for picture, wanted in zip(pictures[:3], expected, strict=False):
        found = peer.detect(picture)
        assert len(wanted["labels"]) > 3
        assert unmatched(wanted, found) + unmatched(found, wanted) <= 2  # one at a threshold


def test_pictures_are_drawn_through_every_form(pictures, tmp_path):
    forms = [
        Form("good", Path(), lambda: StandIn(True)),
        Form("bad", Path(), lambda: StandIn(False)),
    ]
    draw_side_by_side(forms[:1], ("cat",), pictures[:2], tmp_path / "one.png")
    draw_side_by_side(forms, ("cat",), pictures[:2], tmp_path / "two.png")
    one, two = (Image.open(tmp_path / f"{name}.png") for name in ("one", "two"))
    assert (one.width, 2 * one.height) == two.size


def test_decoding_and_suppression_can_be_cut_off(exported, pictures):
    path = exported["int8"][0]
    file = unpack(bytearray(path.read_bytes()))
    cut_behind_head(file)
    assert operator_names(file)[-1] == "CONV_2D"
    assert list(file.subgraphs[0].tensors[file.subgraphs[0].outputs[0]].shape) == [1, 3, 3, 40]
    resized = [resize(picture, 96, "letterbox")[0] for picture in pictures]
    assert 0 <= tail_share(path, resized * 3, threads=1) < 1
    assert TFLiteDetector(path).detect(pictures[0])  # the file itself is as it was
