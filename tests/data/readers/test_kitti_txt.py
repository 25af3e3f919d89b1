import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.readers.kitti_txt import find_kitti_labels, read_kitti
from yolov2_tf.errors import InputError

ROW = "Car 0.00 0 1.5 10 20 30 60 1.5 1.6 3.7 1 2 8 1.5\n"
REGION = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10\n"


def write(folder, text, pictures=("000.png",)):
    for name in ("image_2", "label_2"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in pictures:
        Image.new("RGB", (100, 80)).save(folder / "image_2" / name)
    (folder / "label_2" / "000.txt").write_text(text)
    return folder


@pytest.mark.parametrize("above", ["", "training"])
def test_corners_are_pixels(tmp_path, above):
    write(tmp_path / above, ROW + REGION)
    dataset = read_kitti(tmp_path)
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.25, 0.1, 0.75, 0.3]])
    assert dataset.class_names == ("Car",)
    assert dataset.counts == {"regions left out (DontCare)": 1}


def test_faults(tmp_path):
    with pytest.raises(InputError, match=r"000\.txt:2: no line of KITTI"):
        read_kitti(write(tmp_path, ROW + "Car 1 2 3\n"))
    with pytest.raises(InputError, match="no picture can be read"):
        read_kitti(write(tmp_path / "bare", ROW, pictures=()))


@pytest.mark.parametrize("row", ["0 .5 .5 .1 .1", "0 .1 .1 .2 .2 .3 .3 .4", "car", ""])
def test_other_labels_are_not_taken_for_it(tmp_path, row):
    assert find_kitti_labels(write(tmp_path, row)) is None


def test_fractions_are_no_specks(tmp_path):
    dataset = read_kitti(write(tmp_path, ROW.replace("10 20 30 60", ".1 .25 .3 .75") + REGION))
    np.testing.assert_allclose(dataset.records[0].boxes, [[0.25, 0.1, 0.75, 0.3]], atol=1e-7)
    assert dataset.notes[0] == "coordinates are fractions of the picture"
    with pytest.raises(InputError, match="1 of 2 boxes look like fractions"):
        read_kitti(write(tmp_path, ROW + ROW.replace("10 20 30 60", ".1 .25 .3 .75")))


def test_pictures_of_nothing_do_not_hide_the_others(tmp_path):
    names = [f"{i:03}" for i in range(9)]
    write(tmp_path, "", [f"{name}.png" for name in names])
    for name in names[1:]:
        (tmp_path / "label_2" / f"{name}.txt").write_text("\n" if name < "008" else "\n" + ROW)
    assert [len(record.boxes) for record in read_kitti(tmp_path).records] == [0] * 8 + [1]


def test_a_picture_without_a_label_file_is_background_and_told(tmp_path):
    training = write(tmp_path / "training", ROW, ("000.png", "001.png", "002.jpg", "._003.png"))
    testing = tmp_path / "testing" / "image_2"
    testing.mkdir(parents=True)
    (training / "image_2" / "000.png").rename(training / "image_2" / "000.PNG")
    Image.new("RGB", (100, 80)).save(testing / "009.png")
    dataset = read_kitti(tmp_path)
    assert [(r.image_id, len(r.boxes)) for r in dataset.records] == [
        *(("000", 1), ("001", 0), ("002", 0))
    ]
    assert dataset.notes == (
        "pictures without a label file, taken as background: 2 "
        "(training/image_2/001.png, training/image_2/002.jpg)",
    )


def test_pictures_of_other_sets_in_a_common_folder_are_no_background(tmp_path):
    write(tmp_path, ROW, ("000.png", "001.png"))
    dataset = read_kitti(tmp_path, images=tmp_path / "image_2")
    assert [record.image_id for record in dataset.records] == ["000"]
