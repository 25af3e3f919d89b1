"""Clustering of box shapes: properties, and the figures of two published data sets."""

import re
import tarfile
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from yolov2_tf.detection.loss import YOLOv2Loss
from yolov2_tf.errors import InputError
from yolov2_tf.models import anchors
from yolov2_tf.models.heads import DetectionHead, RegionHead


@pytest.fixture
def shapes():
    """Three clouds of shapes, sizes 0.05 to 0.9."""
    rng = np.random.default_rng(0)
    centers = np.array([(0.1, 0.1), (0.2, 0.6), (0.7, 0.5)])
    return (centers[rng.integers(3, size=300)] * rng.uniform(0.7, 1.3, (300, 2))).clip(0.01, 1)


def slow_average_iou(shapes, centers):
    total = 0.0
    for w, h in shapes:
        best = 0.0
        for cw, ch in centers:
            shared = min(w, cw) * min(h, ch)
            best = max(best, shared / (w * h + cw * ch - shared))
        total += best
    return total / len(shapes)


def test_average_iou_follows_the_definition(shapes):
    centers = np.random.default_rng(1).uniform(0.05, 0.9, (4, 2))
    expected = slow_average_iou(shapes, centers)
    assert anchors.average_iou(shapes, centers) == pytest.approx(expected, rel=1e-6)


def test_cluster_reports_the_average_iou_of_what_it_returns(shapes):
    centers, score = anchors.cluster(shapes, 4)
    assert centers.shape == (4, 2)
    assert centers.dtype == np.float32
    assert score == pytest.approx(slow_average_iou(shapes, centers), rel=1e-4)


def test_cluster_finds_the_clouds(shapes):
    centers, _ = anchors.cluster(shapes, 3)
    np.testing.assert_allclose(centers, [(0.1, 0.1), (0.2, 0.6), (0.7, 0.5)], rtol=0.15)


def test_a_centre_is_the_mean_shape_of_its_members(shapes):
    centers, _ = anchors.cluster(shapes, 5)
    overlap = np.array(
        [[slow_average_iou([shape], [center]) for center in centers] for shape in shapes]
    )
    closest = overlap.argmax(axis=1)
    for i, center in enumerate(centers):
        np.testing.assert_allclose(shapes[closest == i].mean(axis=0), center, rtol=1e-4)


def test_cluster_depends_on_the_seed_alone(shapes):
    first, again = anchors.cluster(shapes, 5, seed=3), anchors.cluster(shapes, 5, seed=3)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
    shuffled = np.random.default_rng(0).permutation(shapes)
    assert np.array_equal(anchors.cluster(shuffled, 5, seed=3)[0], first[0])


def test_centres_are_sorted_by_area(shapes):
    centers, _ = anchors.cluster(shapes, 6)
    assert np.all(np.diff(centers.prod(axis=1)) >= 0)


def test_cluster_does_not_depend_on_the_unit(shapes):
    centers, score = anchors.cluster(shapes, 4)
    in_cells, score_in_cells = anchors.cluster(anchors.to_cells(shapes, 416), 4)
    assert score_in_cells == pytest.approx(score, abs=1e-4)
    np.testing.assert_allclose(in_cells, centers * 13, rtol=1e-3)


def test_as_many_centres_as_shapes_fit_exactly():
    shapes = np.array([(0.1, 0.2), (0.2, 0.1), (0.5, 0.5), (0.9, 0.3)])
    centers, score = anchors.cluster(np.repeat(shapes, 3, axis=0), 4)
    assert score == pytest.approx(1, abs=1e-6)
    assert {tuple(center) for center in centers.round(4)} == {
        tuple(shape) for shape in shapes.astype(np.float32).round(4)
    }


def test_one_centre_is_the_mean():
    shapes = np.array([(0.2, 0.4), (0.4, 0.2), (0.6, 0.6)])
    np.testing.assert_allclose(anchors.cluster(shapes, 1)[0], [(0.4, 0.4)], rtol=1e-6)


def test_repeated_shapes_weigh_as_often_as_they_occur():
    shapes = np.array([(0.2, 0.2), (0.4, 0.4)])
    centers, _ = anchors.cluster(np.repeat(shapes, [3, 1], axis=0), 1)
    np.testing.assert_allclose(centers, [(0.25, 0.25)], rtol=1e-6)


def test_clusters_beat_random_picks(shapes):
    rng = np.random.default_rng(5)
    _, score = anchors.cluster(shapes, 5)
    picks = [anchors.average_iou(shapes, rng.permutation(shapes)[:5]) for _ in range(20)]
    assert score > max(picks)


def test_more_centres_fit_better(shapes):
    swept = anchors.sweep(shapes, range(1, 6))
    assert list(swept) == [1, 2, 3, 4, 5]
    scores = [score for _, score in swept.values()]
    assert scores == sorted(scores)
    assert all(centers.shape == (k, 2) for k, (centers, _) in swept.items())


@pytest.mark.parametrize("bad", [[(0.1, 0.0)], [(0.1, -0.2)], [(np.nan, 0.1)], [(np.inf, 0.1)],
                                 [0.1, 0.2], [(0.1, 0.2, 0.3)]])  # fmt: skip
def test_shapes_must_be_positive_pairs(bad):
    with pytest.raises(ValueError, match="finite and positive"):
        anchors.cluster(np.array(bad), 1)


@pytest.mark.parametrize("k", [0, 3])
def test_k_is_at_most_the_number_of_distinct_shapes(k):
    with pytest.raises(ValueError, match="1 to 2"):
        anchors.cluster([(0.1, 0.1), (0.2, 0.2), (0.2, 0.2)], k)


@pytest.mark.parametrize(
    "bad", [[], [(1, 0)], [(-1, 2)], [(1, np.nan)], [(np.inf, 1)], [1, 2, 3], "voc", None]
)
def test_anchors_that_are_no_shapes_are_refused_wherever_they_are_given(bad):
    for take in (anchors.checked_anchors, YOLOv2Loss):
        with pytest.raises(InputError, match="anchors are"):
            take(bad)
    for head in (DetectionHead, RegionHead):
        with pytest.raises(InputError, match="anchors are"):
            head(bad, ["ant"])


def test_cells_are_32_pixels():
    np.testing.assert_allclose(anchors.to_cells([(0.5, 1.0)], 416), [(6.5, 13.0)])


@pytest.mark.parametrize(
    ("name", "cfg"),
    [("voc", "yolov2-voc"), ("coco", "yolov2"), ("coco", "yolov2-tiny"),
     ("tiny-voc", "yolov2-tiny-voc"), ("yolo9000", "yolo9000")],
)  # fmt: skip
def test_published_anchors_are_those_of_the_cfg_files(shared_data, name, cfg):
    text = (shared_data / "darknet" / f"{cfg}.cfg").read_text()
    numbers = re.search(r"^anchors\s*=(.*)$", text, re.MULTILINE)[1].split(",")
    expected = np.array(numbers, np.float32).reshape(-1, 2)
    assert anchors.published(name).dtype == np.float32
    np.testing.assert_allclose(anchors.published(name), expected, rtol=1e-6)


@pytest.fixture(scope="module")
def voc_shapes(shared_data):
    """Shapes of VOC 2007 and 2012 trainval, and which of them are `difficult`."""
    shapes, difficult = [], []
    with tarfile.open(shared_data / "voc_trainval_annotations.tar.xz", "r|xz") as archive:
        for member in archive:
            if not member.name.endswith(".xml"):
                continue
            root = ElementTree.parse(archive.extractfile(member)).getroot()
            size = [float(root.findtext(f"size/{side}")) for side in ("width", "height")]
            for thing in root.findall("object"):
                x_min, y_min, x_max, y_max = (
                    float(thing.findtext(f"bndbox/{tag}"))
                    for tag in ("xmin", "ymin", "xmax", "ymax")
                )
                # As Darknet's scripts/voc_label.py measures them.
                shapes.append([(x_max - x_min) / size[0], (y_max - y_min) / size[1]])
                difficult.append(thing.findtext("difficult") == "1")
    return np.array(shapes), np.array(difficult)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("k", "with_difficult", "expected"),
    [(5, True, 59.0), (9, True, 65.9), (5, False, 61.6), (9, False, 68.4)],
)
def test_voc_average_iou_is_the_published_one(voc_shapes, k, with_difficult, expected):
    """Figures of an independent program, printed to one decimal; ours is compared as printed."""
    shapes, difficult = voc_shapes
    assert len(shapes) == 15_662 + 31_561
    _, score = anchors.cluster(shapes if with_difficult else shapes[~difficult], k)
    assert round(100 * score, 1) == pytest.approx(expected, abs=0.3 + 1e-6)
