import os

import numpy as np
import pytest
from coco_content import content, many, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolov2_tf.data.readers.coco_json import read_coco
from yolov2_tf.errors import InputError


def test_boxes_labels_and_crowds(tmp_path):
    dataset = read_coco(write(tmp_path, content()))
    assert dataset.class_names == ("car", "toothbrush")  # by category id, gaps closed
    first, second = dataset.records
    np.testing.assert_allclose(first.boxes[0], [20 / 80, 10 / 100, 60.5 / 80, 40 / 100])
    np.testing.assert_array_equal(first.boxes[1], [0, 0, 1, 1])
    assert first.labels.tolist() == [1, 0]
    assert first.ignore.tolist() == [False, True]
    assert (first.image_id, first.width, first.height) == ("7", 100, 80)
    assert second.boxes.shape == (0, 4)
    assert dataset.num_boxes == 1


def test_class_names_of_a_model(tmp_path):
    path = write(tmp_path, content())
    assert read_coco(path, class_names=["toothbrush", "bus", "car"]).records[0].labels[0] == 0
    with pytest.raises(InputError, match="annotation 1: unknown class 'toothbrush'"):
        read_coco(path, class_names=["car"])


@pytest.mark.parametrize(
    "folder", ["annotations/val", "val", "annotations", "images/val", "images", "."]
)
def test_pictures_are_found_near_the_file(tmp_path, folder):
    path = write(tmp_path / "annotations", content())
    (tmp_path / folder).mkdir(exist_ok=True, parents=True)
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / folder / name)
    for record in read_coco(path).records:
        assert os.path.isfile(record.image)
    (tmp_path / folder / "b.jpg").unlink()
    assert read_coco(path, images=tmp_path / folder).notes == ("pictures not found: 1 (9)",)


def test_without_a_size_the_picture_tells_it(tmp_path):
    data = content()
    del data["images"][0]["width"]
    path = write(tmp_path, data)
    with pytest.raises(InputError, match="image 7: neither the size"):
        read_coco(path)
    Image.new("RGB", (100, 80)).save(tmp_path / "a.jpg")
    assert read_coco(path).records[0].width == 100


def change(**changes):
    """The content with the first entry of each named list changed; None removes a field."""
    data = content()
    for key, fields in changes.items():
        data[key][0].update(fields)
        data[key][0] = {k: v for k, v in data[key][0].items() if v is not None}
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{"images":\n [1,}', r"instances_val\.json:2: malformed JSON"),
        ("[]", "no list of objects 'images'"),
        ("[" * 100_000, "cannot be read|malformed"),
        ({**content(), "categories": {}}, "no list of objects 'categories'"),
        ({**content(), "images": []}, "annotation 1: no image has the id 7"),
        (change(annotations={"bbox": [1, 2, 3]}), r"annotation 1: 'bbox' is \[1, 2, 3\]"),
        (change(annotations={"bbox": [1, 2, 3, "x"]}), "annotation 1: 'bbox': 'x' is not a fin"),
        (change(annotations={"bbox": [1, 2, float("nan"), 3]}), "annotation 1: 'bbox': nan is"),
        (change(annotations={"bbox": None}), "annotation 1: 'bbox' is missing"),
        (change(annotations={"category_id": 4}), "annotation 1: unknown category id 4.*3, 90"),
        (change(annotations={"category_id": None}), "annotation 1: 'category_id' is missing"),
        (change(annotations={"image_id": 8}), "annotation 1: no image has the id 8"),
        (change(images={"id": 9}), r"images\[1\]: image id 9 occurs twice"),
        (change(images={"file_name": 3}), r"images\[0\]: 'file_name' is 3"),
        (change(images={"width": "wide"}), "image 7: size: 'wide' is not a finite number"),
        (change(categories={"id": 3}), r"categories\[1\]: category id 3 occurs twice"),
        (change(categories={"name": None}), r"categories\[0\]: 'name' is missing"),
        ({**content(), "images": [], "annotations": []}, "the data set has no images"),
    ],
)
def test_bad_files_raise_with_the_element(tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        read_coco(write(tmp_path, data))


def test_mended_boxes_are_told(tmp_path):
    data = content()
    data["annotations"] += [
        {"id": 5, "image_id": 9, "category_id": 3, "bbox": [10, 10, -5, 5]},
        {"id": 6, "image_id": 9, "category_id": 3, "bbox": [10, 10, 0, 5]},
        {"id": 7, "image_id": 9, "category_id": 3, "bbox": [10, 10, 100, 5]},
    ]
    dataset = read_coco(write(tmp_path, data))
    assert len(dataset.records[1].boxes) == 2
    np.testing.assert_allclose(dataset.records[1].boxes[0], [10 / 40, 5 / 50, 15 / 40, 10 / 50])
    swapped, empty, clipped = dataset.notes[1:]
    assert "annotation 5" in swapped
    assert "annotation 6" in empty
    assert "annotation 7" in clipped


def test_x_y_x_y_is_recognised_over_the_whole_file(tmp_path):
    data = many()
    for i, entry in enumerate(data["annotations"]):
        entry["bbox"] = [40 + i, 30, 80 + i, 70]
    dataset = read_coco(write(tmp_path, data))
    np.testing.assert_allclose(dataset.records[0].boxes[0], [30 / 80, 0.4, 70 / 80, 0.8])
    assert dataset.notes[0] == "'bbox' holds x y x y, not x y width height"
    for entry in data["annotations"]:
        entry["bbox"] = [10, 10, 30, 40]
        entry["area"] = 20 * 30  # fits both ways; the area tells
    dataset = read_coco(write(tmp_path, data))
    np.testing.assert_allclose(dataset.records[0].boxes[0], [10 / 80, 0.1, 40 / 80, 0.3])


def test_a_box_in_another_unit_costs_that_box(tmp_path):
    data = many()
    data["annotations"][3]["bbox"] = [0.1, 0.2, 0.3, 0.4]
    dataset = read_coco(write(tmp_path, data))
    assert dataset.num_boxes == 11
    assert any("boxes in another unit, left out: 1" in note for note in dataset.notes)


def test_more_than_a_few_bad_entries_are_an_error(tmp_path):
    data = many(300)
    for entry in data["annotations"][:29]:
        entry["bbox"] = []
    dataset = read_coco(write(tmp_path, data))
    assert dataset.num_boxes == 271
    assert any("annotations without a box, left out: 29" in note for note in dataset.notes)
    data["annotations"][29]["bbox"] = [1, None, 2, 3]
    with pytest.raises(InputError, match="30 of 300 entries cannot be used"):
        read_coco(write(tmp_path, data))


@pytest.mark.parametrize(
    "start", ["C:\\Users\\me\\set\\", "/home/me/set/", "..\\set\\", "file:///D:/set/", "set/"]
)
def test_pictures_of_another_computer_are_found_with_images(tmp_path, start):
    data = many(2)
    for entry in data["images"]:
        entry["file_name"] = start + entry["file_name"]
    path = write(tmp_path / "json", data)
    (tmp_path / "pictures" / "deep").mkdir(parents=True)
    for i in range(2):
        Image.new("RGB", (100, 80)).save(tmp_path / "pictures" / "deep" / f"{i}.jpg")
    found = [record.image for record in read_coco(path, images=tmp_path / "pictures").records]
    assert found == [str(tmp_path / "pictures" / "deep" / f"{i}.jpg") for i in range(2)]


@pytest.mark.parametrize("size", [(100, 80), ("100", 80.0), (None, None)])
def test_one_picture_under_two_ids_is_one(tmp_path, size):
    data = content()
    data["images"][1].update(file_name="a.jpg", width=size[0], height=size[1])
    data["annotations"][1]["image_id"] = 9
    dataset = read_coco(write(tmp_path, data))
    assert [len(record.boxes) for record in dataset.records] == [2]
    assert "pictures listed under several ids, joined: 1 (ids 9)" in dataset.notes


def test_one_picture_under_two_ids_with_another_size_is_left_out(tmp_path):
    data = many()
    data["images"][1].update(file_name="0.jpg", width=200, height=160)
    dataset = read_coco(write(tmp_path, data))
    assert [record.image_id for record in dataset.records] == ["0", *map(str, range(2, 12))]
    np.testing.assert_allclose(dataset.records[0].boxes, [[10 / 80, 0.1, 50 / 80, 0.4]])
    notes = "\n".join(dataset.notes)
    assert "images listed again with another size, left out: 1" in notes
    assert "boxes of images that are left out, left out: 1" in notes


FIELDS = (
    *("id", "file_name", "width", "height"),
    *("image_id", "category_id", "bbox", "iscrowd", "name"),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["images", "annotations", "categories"]),
    st.sampled_from(FIELDS),
    values,
    st.booleans(),
)
def test_any_field_gives_records_or_input_error(tmp_path, key, field, value, whole):
    data = content()
    if whole:
        data[key] = value
    else:
        data[key][0][field] = value
    path = write(tmp_path, data)
    try:
        dataset = read_coco(path)
    except InputError:
        return
    assert len(dataset) == 2


def test_coco_sample_agrees_with_pycocotools(shared_data):
    from pycocotools.coco import COCO

    path = shared_data / "coco_sample" / "annotations" / "instances_val2017.json"
    dataset, coco = read_coco(path), COCO(path)
    assert len(dataset) == 79
    assert sum(len(record.boxes) for record in dataset.records) == 624
    assert len(dataset.class_names) == 80
    assert dataset.class_names[:3] == ("person", "bicycle", "car")
    assert all(os.path.isfile(record.image) for record in dataset.records)
    for record in dataset.records:
        truths = coco.loadAnns(coco.getAnnIds(int(record.image_id)))
        names = [coco.cats[truth["category_id"]]["name"] for truth in truths]
        assert [dataset.class_names[label] for label in record.labels] == names
        assert record.ignore.tolist() == [bool(truth["iscrowd"]) for truth in truths]
        y_min, x_min, y_max, x_max = (
            record.boxes.T
            * np.array([record.height, record.width, record.height, record.width])[:, None]
        )
        xywh = np.stack([x_min, y_min, x_max - x_min, y_max - y_min], axis=1)
        np.testing.assert_allclose(xywh, [truth["bbox"] for truth in truths], atol=0.02)


def test_boxes_of_an_id_that_two_pictures_have_are_nobodys(tmp_path):
    data = many()
    again = {**data["images"][3], "file_name": "other.jpg"}
    data["images"] += [again, data["images"][5]]  # and one that is listed twice alike
    dataset = read_coco(write(tmp_path, data))
    ids = [record.image_id for record in dataset.records]
    assert str(data["images"][3]["id"]) not in ids
    assert len(ids) == len(data["images"]) - 3
    assert all(len(record.boxes) == 1 for record in dataset.records)
    notes = " ".join(dataset.notes)
    assert "images whose id occurs twice, left out: 2" in notes
    assert "boxes of images that are left out" in notes


@pytest.mark.parametrize("options", [{}, {"images": "images"}])
def test_pictures_of_image_sets_are_in_the_folders_of_their_purpose(tmp_path, options):
    for name, folder in {"train_boxes": "train", "val_boxes": "valid"}.items():
        write(tmp_path / "annotations", content(), f"{name}.json")
        (tmp_path / "images" / folder).mkdir(parents=True)
        for picture in ("a", "b"):
            Image.new("RGB", (8, 8)).save(tmp_path / "images" / folder / f"{picture}.jpg")
    options = {name: tmp_path / folder for name, folder in options.items()}
    dataset = read_coco(tmp_path, **options)
    folders = {r.image_sets: os.path.basename(os.path.dirname(r.image)) for r in dataset.records}
    assert folders == {("train_boxes",): "train", ("val_boxes",): "valid"}
