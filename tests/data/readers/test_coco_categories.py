from coco_content import content, many, write

from yolov2_tf.data.readers.coco_json import read_coco


def test_roboflows_root_category_is_no_class_unless_it_has_boxes(tmp_path):
    data = many(2)
    data["categories"] = [
        {"id": 0, "name": "animals", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "animals"},
    ]
    assert read_coco(write(tmp_path, data)).class_names == ("cat",)
    data["annotations"][0]["category_id"] = 0
    assert read_coco(write(tmp_path, data)).class_names == ("animals", "cat")


def test_categories_of_one_name_are_one(tmp_path):
    data = content()
    data["categories"][0]["name"] = "car"
    dataset = read_coco(write(tmp_path, data))
    assert dataset.class_names == ("car",)
    assert "categories of one name" in dataset.notes[0]
