import json

import pytest
from coco_content import content, many, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolov2_tf.data.readers.coco_json import read_coco
from yolov2_tf.errors import InputError


def test_a_folder_with_several_files(tmp_path):
    for split in ("train", "val"):
        write(tmp_path / "annotations", content(), f"instances_{split}.json")
    dataset = read_coco(tmp_path)
    assert [r.image_id for r in dataset.records] == ["train/7", "train/9", "val/7", "val/9"]
    assert "train, val found: all are used" in dataset.notes[0]
    assert [r.image_id for r in read_coco(tmp_path, split="val").records] == ["7", "9"]
    with pytest.raises(InputError, match="no image set 'test'"):
        read_coco(tmp_path, split="test")


@pytest.mark.parametrize(
    "files",
    [
        ["train/_annotations.coco.json", "valid/_annotations.coco.json"],  # Roboflow
        ["annotations/instances_train.json", "annotations/instances_val.json"],
        ["train.json", "val.json"],
        ["train/labels.json", "val/labels.json"],
    ],
)
def test_files_of_image_sets_are_kept_apart(tmp_path, files):
    for i, file in enumerate(files):
        path = tmp_path / file
        write(path.parent, many(3 + i), path.name)
    assert len(read_coco(tmp_path, split="train")) == 3
    assert len(read_coco(tmp_path, split="val")) == 4
    assert len(read_coco(tmp_path)) == 7
    assert read_coco(tmp_path).records[0].image_sets == ("train",)


def test_other_files_beside_the_boxes_are_left_alone(tmp_path):
    write(tmp_path / "annotations", many(2), "instances_val.json")
    write(tmp_path / "annotations", {"images": [], "annotations": []}, "captions_val.json")
    write(tmp_path, {"name": "no coco"}, "package.json")
    assert len(read_coco(tmp_path)) == 2


def test_results_are_refused_by_name(tmp_path):
    results = [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5}]
    with pytest.raises(InputError, match="COCO results: detections"):
        read_coco(write(tmp_path, results))


def test_a_file_may_have_an_id_of_its_own(tmp_path):
    assert len(read_coco(write(tmp_path, {"id": 5, **content()}))) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["instances_val.json", "labels.json"])
def test_encodings(tmp_path, encoding, name):
    data = content()
    data["categories"][1]["name"] = "voiture électrique"
    text = json.dumps(data, ensure_ascii=False)
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert "voiture électrique" in read_coco(tmp_path).class_names
    (tmp_path / name).write_bytes(text.encode("cp1252"))
    with pytest.raises(InputError, match=rf"{name}:1: not UTF-8 text"):
        read_coco(tmp_path / name)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40))
def test_any_bytes_give_input_error(tmp_path, junk):
    path = tmp_path / "instances_val.json"
    path.write_bytes(junk)
    with pytest.raises(InputError):
        read_coco(path)
