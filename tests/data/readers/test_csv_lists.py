import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.errors import InputError

CORNERS = np.array([[10, 20, 30, 60], [40, 10, 60, 50], [90, 30, 180, 90]])
SIDES = np.concatenate([CORNERS[:, :2], CORNERS[:, 2:] - CORNERS[:, :2]], axis=1)


def write(folder, header, rows):
    Image.new("RGB", (200, 100)).save(folder / "a.jpg")
    path = folder / "boxes.csv"
    path.write_text("\n".join([header, *rows]))
    return path


@pytest.mark.parametrize("form", ['"[{}.0, {}.0, {}.0, {}.0]"', '"({},{},{},{})"', "{} {} {} {}"])
def test_a_column_of_lists(tmp_path, form):
    rows = [f"a,200,100,{form.format(*box)},usask_1" for box in SIDES]
    path = write(tmp_path, "image_id,width,height,bbox,source", [*rows, "b,200,100,,usask_1"])
    dataset = read_csv(path)
    first, second = dataset.records
    np.testing.assert_allclose(first.boxes[:, [1, 0, 3, 2]] * (200, 100, 200, 100), CORNERS, 1e-5)
    assert dataset.class_names == ("object",)
    assert len(second.boxes) == 0
    assert "the column of lists is read as xmin,ymin,box_width,box_height" in dataset.notes


def test_lists_of_corners_are_told_by_the_sizes(tmp_path):
    rows = ["a,200,100,{} {} {} {},dog".format(*box) for box in [*CORNERS, [150, 60, 190, 90]]]
    rows = rows[2:]  # both stick out of their picture, if the last numbers were sides
    dataset = read_csv(write(tmp_path, "image,width,height,bbox,label", rows))
    found = dataset.records[0].boxes[:, [1, 0, 3, 2]] * (200, 100, 200, 100)
    np.testing.assert_allclose(found, [CORNERS[2], [150, 60, 190, 90]], 1e-5)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,10 20 30 40,dog", "may be x,y,width,height or xmin,ymin,xmax,ymax"),
        ("a,10 20 30,dog", r"csv:2: '10 20 30' is no box"),
        ("a,10 20 x 40,dog", r"csv:2: '10 20 x 40' is no box"),
        ("a,10 20 30 40", r"csv:2: 2 columns"),
    ],
)
def test_lists_that_are_refused(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        read_csv(write(tmp_path, "image,bbox,label", [row]))
