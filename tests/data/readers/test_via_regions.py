import csv
import json

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.via_regions import read_via
from yolov2_tf.errors import InputError

RECT = {"name": "rect", "x": 10, "y": 20, "width": 20, "height": 40}
POLYGON = {"name": "polygon", "all_points_x": [10, 30, 20], "all_points_y": [60, 30, 20]}
CIRCLE = {"name": "circle", "cx": 20, "cy": 40, "r": 10}
ELLIPSE = {"name": "ellipse", "cx": 20, "cy": 40, "rx": 10, "ry": 20, "theta": 0}


def write(folder, *regions, project=False, old=False):
    """Writes a.jpg with regions, pairs of shape and attributes, and an empty b.jpg."""
    regions = [{"shape_attributes": s, "region_attributes": a} for s, a in regions]
    regions = dict(enumerate(regions)) if old else regions
    content = {
        "a.jpg1": {"filename": "a.jpg", "size": 1, "regions": regions, "file_attributes": {}},
        "b.jpg1": {"filename": "b.jpg", "size": 1, "regions": [], "file_attributes": {}},
    }
    content = {"_via_settings": {}, "_via_img_metadata": content} if project else content
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (100, 80)).save(folder / name)
    path = folder / "via.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("form", [{}, {"project": True}, {"old": True}])
@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (RECT, [0.25, 0.1, 0.75, 0.3]),
        (POLYGON, [0.25, 0.1, 0.75, 0.3]),
        (ELLIPSE, [0.25, 0.1, 0.75, 0.3]),
        (CIRCLE, [0.375, 0.1, 0.625, 0.3]),
    ],
)
def test_shapes_become_boxes(tmp_path, form, shape, box):
    dataset = read_via(write(tmp_path, (shape, {"what": "dog"}), **form))
    first, second = dataset.records
    np.testing.assert_allclose(first.boxes, [box], atol=1e-7)
    assert dataset.class_names == ("dog",)
    assert len(second.boxes) == 0


def test_csv(tmp_path):
    write(tmp_path)
    path = tmp_path / "via.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["#filename", "region_shape_attributes", "region_attributes"])
        rows.writerow(["a.jpg", json.dumps(RECT), json.dumps({"type": "dog"})])
        rows.writerow(["b.jpg", "{}", "{}"])
    dataset = read_via(path)
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.25, 0.1, 0.75, 0.3]])
    assert len(dataset) == 2


def test_the_class_among_several_attributes(tmp_path):
    path = write(tmp_path, (RECT, {"class": {"dog": True, "cat": False}, "quality": "good"}))
    assert read_via(path).class_names == ("dog",)
    path = write(tmp_path, (RECT, {"kind": "dog", "quality": "good"}))
    with pytest.raises(InputError, match=r"which attribute.*kind, quality"):
        read_via(path)


def test_regions_that_name_no_class_are_all_of_one(tmp_path):
    dataset = read_via(write(tmp_path, (RECT, {})))
    assert dataset.class_names == ("object",)
    assert dataset.notes == ("no region names a class: every box is one of 'object'",)
    with pytest.raises(InputError, match="the region has no 'class'"):
        read_via(write(tmp_path, (RECT, {}), (RECT, {"class": "dog"})))


@pytest.mark.parametrize(
    ("region", "message"),
    [
        (({**RECT, "x": "left"}, {"class": "dog"}), r"a\.jpg1 regions\[0\]: .*'left' is not a fin"),
        (({"name": "point", "cx": 1, "cy": 2}, {"class": "dog"}), "'point' has no box"),
        ((None, {"class": "dog"}), r"regions\[0\]: the region's shape is missing"),
        (({"name": "rect", "x": 1}, {"class": "dog"}), "the region's shape has no 'y'"),
        (
            ({**POLYGON, "all_points_x": []}, {"class": "dog"}),
            r"'all_points_x' is \[\], no list of",
        ),
        (({**POLYGON, "all_points_y": None}, {"class": "dog"}), "'all_points_y' is None, no list"),
        ((RECT, {"class": ""}), "the region has no 'class'"),
    ],
)
def test_bad_regions_raise_with_their_place(tmp_path, region, message):
    with pytest.raises(InputError, match=message):
        read_via(write(tmp_path, region))


@pytest.mark.parametrize("regions", [1.5, 3, True, "rect"])
def test_regions_that_are_no_list_raise_with_their_place(tmp_path, regions):
    path = write(tmp_path, (RECT, {"class": "dog"}))
    content = json.loads(path.read_text())
    content["b.jpg1"]["regions"] = regions
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"b\.jpg1: 'regions' is no list"):
        read_via(path)


def test_missing_pictures_are_left_out_and_told(tmp_path):
    path = write(tmp_path, (RECT, {"class": "dog"}))
    (tmp_path / "b.jpg").unlink()
    assert "left out: 1 (b.jpg: not found)" in read_via(path).notes[0]
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"no picture can be read.*--images"):
        read_via(path)


@pytest.mark.parametrize("turn", np.linspace(0, 2 * np.pi, 9))
def test_a_turned_ellipse_has_the_upright_box_of_its_points(tmp_path, turn):
    t = np.linspace(0, 2 * np.pi, 3600)
    x = 50 + 30 * np.cos(t) * np.cos(turn) - 10 * np.sin(t) * np.sin(turn)
    y = 40 + 30 * np.cos(t) * np.sin(turn) + 10 * np.sin(t) * np.cos(turn)
    ellipse = {"name": "ellipse", "cx": 50, "cy": 40, "rx": 30, "ry": 10, "theta": turn}
    (box,) = read_via(write(tmp_path, (ellipse, {"class": "dog"}))).records[0].boxes
    expected = [y.min() / 80, x.min() / 100, y.max() / 80, x.max() / 100]
    np.testing.assert_allclose(box, expected, atol=1e-5)


def test_fractions_are_no_specks(tmp_path):
    rect = {"name": "rect", "x": 0.1, "y": 0.25, "width": 0.2, "height": 0.5}
    dataset = read_via(write(tmp_path, (rect, {"class": "dog"})))
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.25, 0.1, 0.75, 0.3]], atol=1e-7)
    assert dataset.notes == ("coordinates are fractions of the picture",)
    with pytest.raises(InputError, match="1 of 2 boxes look like fractions"):
        read_via(write(tmp_path, (rect, {"class": "dog"}), (RECT, {"class": "dog"})))
