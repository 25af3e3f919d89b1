import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.csv_table import read_csv
from yolov2_tf.errors import InputError


def write(folder, rows):
    Image.new("RGB", (200, 100)).save(folder / "a.jpg")
    path = folder / "boxes.csv"
    path.write_text("\n".join(rows))
    return path


def boxes(count, seed=0):
    """Whole corners in a picture of 200 x 100, and classes below 3."""
    random = np.random.default_rng(seed)
    start = random.integers(0, (100, 50), (count, 2))
    return np.concatenate([start, start + random.integers(20, 50, (count, 2))], axis=1), (
        random.integers(0, 3, count)
    )


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_number_as_label_stands_where_all_rows_let_it(tmp_path, first, seed):
    corners, labels = boxes(20, seed)
    rows = [
        ",".join(map(str, ["a.jpg", label, *box] if first else ["a.jpg", *box, label]))
        for box, label in zip(corners.tolist(), labels.tolist(), strict=True)
    ]
    dataset = read_csv(write(tmp_path, ["b.jpg,,,,,", *rows]), class_names=["0", "1", "2"])
    (record,) = [record for record in dataset.records if record.width]
    found = record.boxes[:, [1, 0, 3, 2]] * (200, 100, 200, 100)
    np.testing.assert_allclose(found, corners, atol=1e-4)
    assert record.labels.tolist() == labels.tolist()
    assert any("first number of a row is taken as its label" in n for n in dataset.notes) == first


def test_one_row_that_may_be_either_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"label,x1,y1,x2,y2 or x1,y1,x2,y2,label.*names the col"):
        read_csv(write(tmp_path, ["a.jpg,0,10,20,40,60"]))
    assert read_csv(write(tmp_path, ["a.jpg,10,20,40,60,0"])).class_names == ("0",)


def test_an_image_without_a_box_may_come_first(tmp_path):
    dataset = read_csv(write(tmp_path, ["b.jpg,,,,,", "a.jpg,dog,.1,.2,.3,.4"]))
    assert dataset.class_names == ("dog",)


@pytest.mark.parametrize("row", ["dog,.1,.2,.3,.4,a.jpg", "dog,20,20,60,40,a.jpg"])
def test_the_picture_may_stand_last(tmp_path, row):
    dataset = read_csv(write(tmp_path, [row]))
    assert dataset.class_names == ("dog",)
    assert dataset.records[0].image_id == "a.jpg"
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.2, 0.1, 0.4, 0.3]], atol=1e-6)
