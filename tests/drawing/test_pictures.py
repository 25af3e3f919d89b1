"""Drawings: where colour appears, that text stays inside, that odd names and boxes are harmless."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolov2_tf.drawing.pictures import class_colors, contact_sheet, draw_detections

GREY = np.full((240, 320, 3), 128, np.uint8)
BOX = [[0.25, 0.25, 0.75, 0.75]]


def changed(before, after):
    """`(y, x)` rows of the pixels that differ."""
    return np.argwhere((before != after).any(axis=-1))


def test_box_is_drawn_at_its_pixels_in_its_class_colour():
    drawn = draw_detections(GREY, BOX, [7], class_names=["x"] * 8)
    is_color = (drawn == class_colors([7])[0]).all(axis=-1)
    assert is_color[60:180, 80].all()  # left edge: pixels 80..239 of 320, 60..179 of 240
    assert is_color[60:180, 239].all()
    assert is_color[60, 80:240].all()
    assert is_color[179, 80:240].all()
    assert not is_color[70:170, 90:230].any()  # hollow
    assert not is_color[181:].any()
    assert not is_color[:, 241:].any()


def test_input_is_not_changed_and_no_boxes_change_nothing():
    image = GREY.copy()
    drawn = draw_detections(image, BOX, [0], [0.9])
    assert np.array_equal(image, GREY)
    assert drawn.shape == GREY.shape
    assert drawn.dtype == np.uint8
    assert np.array_equal(draw_detections(GREY, np.empty((0, 4)), []), GREY)


def test_padding_and_boxes_that_are_not_finite_are_left_out():
    boxes = [*BOX, [np.nan, 0, 1, 1], BOX[0]]
    labels, scores = [0, 1, -1], [0.5, 0.6, 0.7]
    drawn = draw_detections(GREY, boxes, labels, scores, ["a", "b"])
    assert np.array_equal(drawn, draw_detections(GREY, BOX, [0], [0.5], ["a", "b"]))


def test_order_of_the_detections_does_not_matter():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 0.6, (12, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.1, 0.4, (12, 2))], axis=1)
    labels, scores = rng.integers(0, 5, 12), rng.permutation(12) / 12
    order = rng.permutation(12)
    one = draw_detections(GREY, boxes, labels, scores)
    other = draw_detections(GREY, boxes[order], labels[order], scores[order])
    assert np.array_equal(one, other)


def test_name_and_score_are_written():
    plain, named, scored = (
        draw_detections(GREY, BOX, [0], scores, ["zebra"] if named else [""])
        for scores, named in ((None, False), (None, True), ([0.87], True))
    )
    assert len(changed(plain, named)) > 50
    assert len(changed(named, scored)) > 50
    assert changed(named, scored)[:, 0].max() < 70  # above the box


def tag_pixels(image, box, name):
    """Pixels that the name changes, against a drawing without the name."""
    return changed(*(draw_detections(image, [box], [0], class_names=[n]) for n in ("", name)))


@pytest.mark.parametrize(
    "box", [[0, 0, 0.2, 0.2], [0, 0.9, 0.2, 1], [0.95, 0.9, 1, 1], [-1, -1, 2, 2]]
)
def test_name_stays_inside_the_picture(box):
    """A name at the border is moved, not cut: as many dark pixels as in the middle."""
    dark = []
    for place in (BOX[0], box):
        drawn = draw_detections(GREY, [place], [0], class_names=["crossing"])
        dark.append(int((drawn.max(axis=-1) < 60).sum()))
    assert dark[0] > 30
    assert dark[1] == dark[0]


def test_names_of_near_boxes_do_not_cover_each_other():
    boxes = [[0.4, 0.3, 0.8, 0.8], [0.4, 0.31, 0.8, 0.81]]
    both = draw_detections(GREY, boxes, [0, 0], [0.9, 0.8], ["wheel"])
    texts = [
        int((draw_detections(GREY, [b], [0], [s], ["wheel"]).max(axis=-1) < 60).sum())
        for b, s in zip(boxes, (0.9, 0.8), strict=True)
    ]
    assert int((both.max(axis=-1) < 60).sum()) == sum(texts)


def test_lines_and_text_grow_with_the_picture():
    large = np.full((2400, 3200, 3), 128, np.uint8)
    small, big = (draw_detections(i, BOX, [0], class_names=["cat"]) for i in (GREY, large))
    middle = [(i[i.shape[0] // 2] == class_colors([0])[0]).all(axis=-1).sum() for i in (small, big)]
    assert middle[1] > 4 * middle[0] >= 4
    heights = [np.ptp(tag_pixels(i, BOX[0], "cat")[:, 0]) for i in (GREY, large)]
    assert heights[1] > 4 * heights[0]


def test_truths_are_dashed_white_and_leave_the_detections_visible():
    drawn = draw_detections(GREY, np.empty((0, 4)), [], truth_boxes=BOX)
    left = drawn[60:180, 80]
    white = (left == 255).all(axis=-1)
    assert 0.3 < white.mean() < 0.8
    assert (left.max(axis=-1) < 60)[~white].all()
    on_top = draw_detections(GREY, BOX, [0], class_names=["a"], truth_boxes=BOX)
    assert (on_top[60:180, 80] == class_colors([0])[0]).all()


@pytest.mark.parametrize(
    "name", ["naïve", "кот", "名前", "🦊", "a\nb", "\ud800", "\x00", "", "x" * 500]
)
def test_any_name_can_be_drawn(name):
    drawn = draw_detections(GREY, BOX, [0], [0.5], [name])
    assert len(changed(GREY, drawn)) > 0


def test_accented_letters_are_letters():
    """Pillow's own font draws the same empty box for each of them."""
    one, other = (draw_detections(GREY, BOX, [0], class_names=[n]) for n in ("é", "ж"))
    assert not np.array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    boxes=st.lists(st.lists(st.floats(-2, 3), min_size=4, max_size=4), max_size=4),
    name=st.text(max_size=8),
)
def test_no_picture_box_or_name_is_too_odd(size, boxes, name):
    image = np.zeros((*size, 3), np.uint8)
    drawn = draw_detections(
        image, boxes, [0] * len(boxes), [0.5] * len(boxes), [name], truth_boxes=boxes
    )
    assert drawn.shape == image.shape


def test_class_colors_are_stable_distinct_and_enough_for_yolo9000():
    colors = class_colors(np.arange(9418))
    assert colors.shape == (9418, 3)
    assert colors.dtype == np.uint8
    assert np.array_equal(class_colors([3, 9000]), colors[[3, 9000]])
    assert len(np.unique(colors[:256], axis=0)) == 256
    first = cv2.cvtColor(colors[None, :20].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    distance = np.linalg.norm(first[:, None] - first[None], axis=-1)
    assert distance[~np.eye(20, dtype=bool)].min() > 15  # 2.3 is just noticeable
    assert np.ptp(colors.astype(int), axis=1).min() > 30  # none is grey


def test_contact_sheet_places_every_picture():
    images = [np.full((40, 80, 3), v, np.uint8) for v in (10, 20, 30)]
    images += [np.full((80, 40, 3), 40, np.uint8), np.full((1, 500, 3), 50, np.uint8)]
    sheet = contact_sheet(images, 2, tile=40, gap=4)
    assert sheet.shape == (4 + 20 + 4 + 40 + 4 + 1 + 4, 4 + 40 + 4 + 40 + 4, 3)
    counts = [int((sheet == v).all(axis=-1).sum()) for v in (10, 20, 30, 40, 50)]
    assert counts == [800, 800, 800, 800, 40]
    assert (sheet[:4] == 255).all()
    assert (sheet[14, 4:44] == 10).all()
    assert contact_sheet(images[:1], 4, tile=40, gap=4).shape == (28, 48, 3)


def test_needs_no_tensorflow_and_no_matplotlib():
    code = (
        "import sys, numpy as np, yolov2_tf.drawing.pictures as v, yolov2_tf.drawing.plots;"
        "import yolov2_tf.evaluation.detections;"
        "v.draw_detections(np.zeros((50, 50, 3), np.uint8), [[0, 0, 1, 1]], [0], [0.5], ['é']);"
        "late = {'tensorflow', 'keras', 'matplotlib', 'rich', 'faster_coco_eval'};"
        "print(*late & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


@pytest.mark.parametrize("name", ["8", "a rather long name of a class", "名前", "x" * 300])
@pytest.mark.parametrize("size", [(60, 40), (120, 90), (480, 640), (30, 2000), (2000, 30)])
def test_the_tag_is_whole_inside_the_picture_and_the_score_stands_apart(monkeypatch, name, size):
    from PIL import ImageDraw

    parts = []
    for kind in ("rectangle", "text"):
        drawn = getattr(ImageDraw.ImageDraw, kind)

        def record(self, place, *rest, kind=kind, drawn=drawn, **options):
            if kind == "text" or options.get("fill") is not None:
                parts.append((kind, place, options.get("fill"), *rest))
            return drawn(self, place, *rest, **options)

        monkeypatch.setattr(ImageDraw.ImageDraw, kind, record)
    gray = np.full((*size, 3), 128, np.uint8)
    draw_detections(gray, [[0.1, 0.6, 0.9, 0.99]], [0], [0.91], [name])
    places = [part[1] for part in parts if part[0] == "rectangle"]
    for x_min, y_min, x_max, y_max in places:
        assert 0 <= x_min <= x_max < size[1]
        assert 0 <= y_min <= y_max < size[0]
    texts = [part[3] for part in parts if part[0] == "text"]
    if min(size) >= 60:
        assert texts[-1] == "91 %"
    if len(texts) == 2:
        (_, _, name_end, _), (score_start, *_) = places
        assert score_start == name_end + 1
        fills = [part[2] for part in parts if part[0] == "rectangle"]
        assert fills[0] != fills[1]
