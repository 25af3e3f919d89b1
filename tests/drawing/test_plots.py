"""Plots: files that are pictures, values where they belong, nothing written when it fails."""

import csv

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.records import Record
from yolov2_tf.drawing.plot_files import SUFFIXES
from yolov2_tf.drawing.plots import (
    plot_anchor_sweep,
    plot_anchors,
    plot_history,
    plot_precision_recall,
    plot_speed_and_accuracy,
)
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.models.anchors import average_iou, cluster


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written, to look at what they hold."""
    figures = []
    save = matplotlib.figure.Figure.savefig

    def spy(self, *args, **kwargs):
        figures.append(self)
        return save(self, *args, **kwargs)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", spy)
    return figures


def assert_picture(png):
    with Image.open(png) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture.convert("RGB"))
    assert min(pixels.shape[:2]) > 300
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20  # lines and text, not a blank sheet
    assert [p for p in png.parent.iterdir() if p.suffix != ".csv"] == [png]


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines()}


HISTORY = [
    {"epoch": 1, "seconds": 9.5, "loss": 30.0, "loss_box": 12.0, "recall": 0.1, "val_map": ""},
    {"epoch": 2, "seconds": 9.1, "loss": 20.0, "loss_box": 8.0, "recall": 0.3, "val_map": 0.25},
    {"epoch": 3, "seconds": 9.2, "loss": 15.0, "loss_box": 7.0, "recall": 0.4, "val_map": ""},
    {"epoch": 4, "seconds": 9.0, "loss": 14.0, "loss_box": 6.0, "recall": 0.5, "val_map": 0.2},
]


def test_history_from_a_csv_with_gaps(tmp_path, drawn):
    with open(tmp_path / "history.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, HISTORY[0])
        writer.writeheader()
        writer.writerows(HISTORY)
    plot_history(tmp_path / "history.csv", tmp_path / "history.png")
    assert_picture(tmp_path / "history.png")
    losses, qualities = drawn[0].axes
    assert set(lines(losses)) == {"total", "box"}
    np.testing.assert_allclose(lines(losses)["box"], [[1, 12], [2, 8], [3, 7], [4, 6]])
    np.testing.assert_allclose(lines(qualities)["validation mAP"], [[2, 25], [4, 20]])
    assert [text.get_text() for text in qualities.texts] == ["25.0"]  # the best epoch
    assert losses.get_xlabel() == qualities.get_xlabel() == "epoch"


def test_history_of_one_epoch_without_evaluation(tmp_path, drawn):
    plot_history([{"epoch": "1", "loss": "3.5"}], tmp_path / "h.png")
    assert_picture(tmp_path / "h.png")
    assert lines(drawn[0].axes[1]) == {}


def test_history_without_epochs_writes_nothing(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss\n")
    with pytest.raises(InputError, match=r"history\.csv: no epochs"):
        plot_history(tmp_path / "history.csv", tmp_path / "h.png")
    with pytest.raises(InputError, match="column 'epoch'"):
        plot_history([{"loss": 1}], tmp_path / "h.png")
    assert not (tmp_path / "h.png").exists()


def evaluation(names, metric="voc10"):
    """Class 0 has a hit, a miss and a hit; class 1 has a truth and no detection; 2 has nothing."""
    boxes = np.array([[0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.7, 0.7], [0.8, 0.1, 0.9, 0.2]])
    record = Record(None, "a", boxes, np.array([0, 0, 1]), np.zeros(3, bool), 200, 100)
    found = {
        "boxes": boxes[[0, 2, 1]],
        "labels": np.zeros(3, int),
        "scores": np.array([0.9, 0.8, 0.7]),
    }
    return evaluate(Dataset("one", names, [record]), [found], metric)


def test_precision_recall_draws_the_envelope_of_each_class(tmp_path, drawn):
    plot_precision_recall(evaluation(("a", "cost in $ or $", "c")), tmp_path / "pr.png")
    assert_picture(tmp_path / "pr.png")
    curves = lines(drawn[0].axes[0])
    assert list(curves) == ["83.3%  a", r"0.0%  cost in \$ or \$"]
    expected = [[0, 100], [50, 100], [50, 200 / 3], [100, 200 / 3]]
    np.testing.assert_allclose(curves["83.3%  a"], expected)
    assert "mAP 41.7%" in drawn[0].axes[0].get_title("left")


def test_precision_recall_of_coco_and_of_many_classes(tmp_path, drawn):
    result = evaluation(("a", "b", "c"), "coco")
    plot_precision_recall(result, tmp_path / "pr.png", most=1)
    assert_picture(tmp_path / "pr.png")
    assert len(lines(drawn[0].axes[0])) == 1
    assert "1 most frequent of 2 classes" in drawn[0].axes[0].get_title("left")


def test_a_long_name_leaves_room_for_the_curves(tmp_path, drawn):
    plot_precision_recall(evaluation(("a", "b" * 300, "c")), tmp_path / "pr.png")
    figure, (axes,) = drawn[0], drawn[0].axes
    assert axes.get_position().width > 0.4
    assert axes.get_legend().get_window_extent().x1 <= figure.bbox.x1


def test_precision_recall_without_truths_writes_nothing(tmp_path):
    empty = Record(None, "a", np.empty((0, 4)), np.empty(0, int), np.empty(0, bool))
    found = {"boxes": np.empty((0, 4)), "labels": [], "scores": []}
    result = evaluate(Dataset("none", ("a",), [empty]), [found])
    with pytest.raises(InputError, match="no class has truths"):
        plot_precision_recall(result, tmp_path / "pr.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("paper", [False, True])
def test_anchor_sweep(tmp_path, drawn, paper):
    plot_anchor_sweep([1, 2, 3], [0.3, 0.45, 0.5], tmp_path / "s.png", paper=paper)
    assert_picture(tmp_path / "s.png")
    curves = lines(drawn[0].axes[0])
    np.testing.assert_allclose(curves["these boxes"], [[1, 30], [2, 45], [3, 50]])
    assert ("paper, VOC" in curves) == paper


def test_anchors_with_their_shapes(tmp_path, drawn):
    shapes = np.random.default_rng(0).uniform(0.05, 0.9, (300, 2))
    anchors, _ = cluster(shapes, 4, restarts=1)
    anchors[-1] = (1.3, 1.2)  # wider than the picture, as yolov2-voc's largest at small inputs
    plot_anchors(shapes, anchors, tmp_path / "a.png")
    assert_picture(tmp_path / "a.png")
    scatter, outlines = drawn[0].axes
    assert f"300 boxes, average IoU {average_iou(shapes, anchors):.1%}" in scatter.get_title("left")
    sides = [(p.get_width(), p.get_height()) for p in outlines.patches]
    np.testing.assert_allclose(sides, 100 * anchors, rtol=1e-6)
    assert scatter.get_xlim()[1] == pytest.approx(130)


def test_leaves_matplotlibs_settings_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    plot_anchor_sweep([1, 2], [0.3, 0.4], tmp_path / "s.png")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_that_is_named_can_be_written(tmp_path, suffix):
    plot_anchor_sweep([1, 2], [0.5, 0.6], tmp_path / f"a{suffix.upper()}")
    assert (tmp_path / f"a{suffix.upper()}").stat().st_size > 1000


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.txt"])
def test_others_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="not a name for a plot"):
        plot_anchor_sweep([1, 2], [0.5, 0.6], tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("speeds", "labels"),
    [
        ((70.5, 86.9), ["60", "70", "80", "90", "100"]),
        ((5, 90), ["5", "10", "20", "50", "100"]),
    ],
)
def test_speeds_have_some_labels_however_close_they_are(tmp_path, drawn, speeds, labels):
    points = [(speed, 50.0, "224") for speed in speeds]
    plot_speed_and_accuracy({"here": points}, "a model", tmp_path / "speed.png")
    axis = drawn[0].axes[0].xaxis
    low, high = axis.get_view_interval()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    shown = [tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high]
    assert sorted(filter(None, shown), key=float) == labels
