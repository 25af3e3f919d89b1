"""The benchmark's arithmetic on stand-ins and a clock of our own; its peers on real networks."""

import io
import os
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.cli.benchmark import thread_counts
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export import benchmark as measure
from yolov2_tf.export import tail, timing
from yolov2_tf.export.benchmark import Row, markdown, plot
from yolov2_tf.export.check import unmatched
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.forms import Form
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.opencv import OpenCvDetector
from yolov2_tf.trees.wordtree import WordTree


def record(number, picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    box = np.array([[0.1, 0.2, 0.6, 0.8]], np.float32)
    return Record(file.getvalue(), str(number), box, np.zeros(1, np.int32), np.zeros(1, bool))


@pytest.fixture(scope="module")
def dataset(pictures):
    records = [record(i, picture) for i, picture in enumerate(pictures[:3])]
    return Dataset("pets", ("cat", "dog", "bird"), records)


class Clock:
    """Time that passes only when told to."""

    def __init__(self):
        self.seconds = 100.0

    def perf_counter(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (timing, tail):
        monkeypatch.setattr(module, "time", clock)
    return clock


class StandIn(Detector):
    """Finds the true box, or nothing; each run takes the next of some times."""

    runtime = "none"
    class_names, tree, input_size = ("cat", "dog", "bird"), None, 96
    layout = types.SimpleNamespace(resize="letterbox")
    label = 0

    def __init__(self, found, clock=None, times=()):
        self.found, self.clock, self.times, self.shapes = found, clock, iter(times), set()

    def run(self, resized):
        self.shapes.add(resized.shape)
        self.clock.seconds += next(self.times)

    def _detect_each(self, pictures):
        count = int(self.found)
        for _ in pictures:
            yield {
                "boxes": np.array([[0.1, 0.2, 0.6, 0.8]], np.float32)[:count],
                "labels": np.full(count, self.label, np.int32),
                "scores": np.ones(count, np.float32),
            }


def opening(detector, clock, seconds):
    def open_it(threads):
        clock.seconds += seconds
        return detector

    return open_it


def test_rows_tell_size_time_and_loss(dataset, clock, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(bytes(1_000_000))
    (tmp_path / "b").write_bytes(bytes(500_000))
    # The first picture warms up, and of the two runs of each the second counts.
    steady = [9, 9, *[9, 0.002] * 7]
    rising = [9, 9, *(t for n in range(1, 8) for t in (9, n / 1000))]
    good, bad = StandIn(True, clock, steady), StandIn(False, clock, rising)

    def share_of(pictures, threads):
        return len(pictures) / threads / 10

    forms = [
        Form("good", tmp_path / "folder", opening(good, clock, 0.5), share_of),
        Form("bad", tmp_path / "b", opening(bad, clock, 0.25)),
    ]
    first, second = measure.benchmark(forms, dataset, runs=7, threads=(1,))
    assert good.shapes == bad.shapes == {(96, 96, 3)}
    assert (list(good.times), list(bad.times)) == ([], [])
    assert (first.tail_share, second.tail_share) == (0.7, None)
    assert (first.form, first.map, first.map_loss) == ("good", 1.0, 0.0)
    assert (second.form, second.map, second.map_loss) == ("bad", 0.0, 1.0)
    assert (first.megabytes, second.megabytes) == (1.0, 0.5)
    assert [first.median_ms, first.p95_ms, first.load_ms] == pytest.approx([2, 2, 500])
    assert [second.median_ms, second.p95_ms, second.load_ms] == pytest.approx([4, 6.7, 250])
    assert {(row.threads, row.batch) for row in (first, second)} == {(1, 1)}


class Threaded(StandIn):
    """Takes a second for a batch, shared by its threads."""

    def __init__(self, clock, threads, opened):
        super().__init__(True, clock)
        self.threads, self.opened = threads, opened
        opened.append(threads)

    def run(self, resized):
        self.clock.seconds += 1 / self.threads

    def run_batch(self, images):
        assert images.shape == (4, 96, 96, 3)
        assert len({image.tobytes() for image in images}) == 3  # different ones, in turns
        self.clock.seconds += 1 / self.threads


def test_each_number_of_threads_and_each_batch_is_timed(dataset, clock, tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    opened = []
    forms = [
        Form("one", tmp_path / "file", lambda threads: Threaded(clock, threads, opened)),
        Form("four", tmp_path / "file", lambda threads: Threaded(clock, threads, opened), batch=4),
    ]
    rows = measure.benchmark(forms, dataset, runs=3, threads=(1, 2))
    told = [(row.form, row.threads, row.batch, round(row.median_ms)) for row in rows]
    assert told == [
        ("one", 1, 1, 1000),
        ("four", 1, 4, 250),
        ("one", 2, 1, 500),
        ("four", 2, 4, 125),
    ]
    assert {row.map for row in rows} == {1.0}  # scored once for all numbers of threads
    assert opened == [1, 1, 1, 2, 2, 1]


@pytest.mark.parametrize(("text", "counts"), [("2", (2,)), ("1, 4", (1, 4)), ("1,1,3", (1, 3))])
def test_numbers_of_threads_are_read(text, counts):
    assert thread_counts(text) == counts


def test_all_threads_are_those_of_this_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert thread_counts("1,all") == (1, 3)


@pytest.mark.parametrize("text", ["0", "", "1,", "-1", "two", "1.5"])
def test_what_is_no_number_of_threads_is_refused(text):
    with pytest.raises(InputError, match=r"--threads '.*expected numbers from 1 on, or all"):
        thread_counts(text)


def test_labels_of_a_tree_count_as_evaluate_counts_them(pictures, clock, tmp_path):
    """The true box is an animal; a dog at that place is one, a thing is none."""
    tree = WordTree(("animal", "thing", "dog"), (-1, -1, 0))
    (tmp_path / "file").write_bytes(b"1")
    dataset = Dataset("pets", tree.names, [record(0, pictures[0])])
    maps = {}
    for label, name in enumerate(tree.names):
        detector = StandIn(True, clock, [1] * 4)
        detector.class_names, detector.tree, detector.label = tree.names, tree, label
        form = Form(name, tmp_path / "file", lambda _, detector=detector: detector)
        (row,) = measure.benchmark([form], dataset, runs=1)
        found = detector.detect(pictures[:1])
        assert row.map == evaluate(dataset, found, tree=tree).map
        maps[name] = row.map
    assert maps == {"animal": 1.0, "thing": 0.0, "dog": 1.0}


ROWS = [
    Row("Keras", "Keras 3", 2.31, 12.0, 20.04, 30.0, None, 0.345, 0.0, 2, 1),
    Row("TFLite int8", "LiteRT 2", 0.7, 1.0, 5.06, 6.0, 0.031, 0.342, 0.003, 2, 1),
]


def test_markdown_and_plot(tmp_path):
    header, ruler, *lines = markdown(ROWS).splitlines()
    assert {len(line) for line in (header, ruler, *lines)} == {len(header)}
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["Keras", "Keras 3", "2", "2.3", "12", "20.0", "30.0", "", "34.50", "+0.00"]
    assert cells[1][5:] == ["5.1", "6.0", "3.1 %", "34.20", "+0.30"]
    plot(ROWS, tmp_path / "plot.png")
    drawn = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB")).astype(int)
    blue = np.abs(drawn - [0x25, 0x63, 0xEB]).max(axis=2) < 20
    middle = drawn.shape[1] // 2
    lengths = [np.sort(half.sum(axis=1))[::-1] for half in (blue[:, :middle], blue[:, middle:])]
    # In each half two bars: as long as the figures, 20.04 and 5.06 ms, 34.5 and 34.2 %.
    for half, ratio in zip(lengths, (5.06 / 20.04, 0.342 / 0.345), strict=True):
        bars = half[half > 0]
        assert bars[-1] / bars[0] == pytest.approx(ratio, abs=0.02)


def test_opencv_detects_what_the_model_detects(small_model, pictures, tmp_path):
    pytest.importorskip("cv2", reason="needs opencv-python-headless")
    from yolov2_tf.darknet.writer import export_darknet

    paths = export_darknet(small_model, tmp_path).paths
    peer = OpenCvDetector(small_model.head, paths, threads=1, thresholds=EVALUATION)
    expected = detect(detector(small_model, EVALUATION.score, max_detections=300), pictures)
    for picture, wanted in zip(pictures[:3], expected, strict=False):
        found = peer.detect(picture)
        assert len(wanted["labels"]) > 3
        assert unmatched(wanted, found) + unmatched(found, wanted) <= 2  # one at a threshold


def test_pictures_are_drawn_through_every_form(pictures, tmp_path):
    forms = [
        Form("one", Path(), lambda _: StandIn(True)),
        Form("one", Path(), lambda _: StandIn(False)),
    ]
    for name, shown in (("good", forms[:1]), ("bad", forms[1:]), ("both", forms)):
        path = tmp_path / f"{name}.png"
        measure.draw_side_by_side(shown, ("cat",), pictures[:2], path)
    good, bad, both = (
        np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")).astype(int)
        for name in ("good", "bad", "both")
    )
    assert both.shape == (2 * len(good), *good.shape[1:])
    assert (np.abs(good - bad).max(axis=2) > 50).mean() > 0.005  # the frame and its name


def test_decoding_and_suppression_can_be_cut_off(exported, pictures):
    path = exported["int8"][0]
    content = path.read_bytes()
    whole, cut = unpack(bytearray(content)), unpack(bytearray(content))
    tail.cut_behind_head(cut)
    assert operator_names(cut)[-1] == "CONV_2D"
    assert list(cut.subgraphs[0].tensors[cut.subgraphs[0].outputs[0]].shape) == [1, 3, 3, 40]
    assert operator_names(cut) == operator_names(whole)[: len(operator_names(cut))]
    resized = [resize(picture, 96, "letterbox")[0] for picture in pictures]
    assert tail.tail_share(path, resized, threads=1) < 1
    assert path.read_bytes() == content


@pytest.mark.parametrize(("without", "share"), [(0.003, 0.25), (0.004, 0.0), (0.005, 0.0)])
def test_the_share_of_the_tail_is_what_the_network_alone_saves(
    without, share, exported, monkeypatch
):
    """By the median, the first picture left out, and never below nothing."""

    def runner(content, threads):
        names = operator_names(unpack(bytearray(content)))
        usual = 0.004 if "NON_MAX_SUPPRESSION_V4" in names else without
        times = iter([9.0, usual, 7.0, usual, usual])
        return lambda picture: next(times)

    monkeypatch.setattr(tail, "_runner", runner)
    pictures = [np.zeros((96, 96, 3), np.float32)] * 4
    assert tail.tail_share(exported["int8"][0], pictures) == pytest.approx(share)
