import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from yolov2_tf.cli import app
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError


@pytest.fixture
def coco(tmp_path):
    """Three pictures: two boxes, one of them a crowd; a rotated one; background."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for i in range(3):
        Image.new("RGB", (100, 80)).save(tmp_path / f"{i}.jpg", exif=exif if i == 1 else b"")
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 100, "height": 80} for i in range(3)]
    boxes = [
        {"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 20, 30, 40], "iscrowd": 0},
        {"id": 2, "image_id": 0, "category_id": 1, "bbox": [50, 20, 30, 40], "iscrowd": 1},
        {"id": 3, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], "iscrowd": 0},
    ]
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "instances_all.json").write_text(json.dumps(content))
    return str(tmp_path / "instances_all.json")


def run(*args):
    result = CliRunner().invoke(app, ["convert", *map(str, args)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_convert_writes_what_opens_again(coco, tmp_path):
    result = run(coco, tmp_path / "out", "--to", "voc", "--pictures", "link")
    assert result.exit_code == 0
    dataset = open_dataset(tmp_path / "out")
    assert [len(record.boxes) for record in dataset.records] == [2, 1, 0]
    assert dataset.num_boxes == 2
    turned = dataset.records[1]  # its box was drawn as stored; VOC gets it upright
    assert (turned.width, turned.height) == (80, 100)
    assert turned.boxes[0] * (100, 80, 100, 80) == pytest.approx([10, 20, 40, 60], abs=0.01)
    run(coco, tmp_path / "yolo", "--to", "yolo", "--drop-ignored")
    assert (tmp_path / "yolo" / "labels" / "0.txt").read_text().count("\n") == 1


def test_ids_of_coco_are_kept(coco, tmp_path):
    """Results of other programs name pictures and classes by them."""
    content = json.loads((tmp_path / "instances_all.json").read_text())
    content["categories"] = [{"id": 17, "name": "cat"}, {"id": 90, "name": "dog"}]
    for entry in content["images"]:
        entry["id"] = 400 - 7 * entry["id"]
    for entry in content["annotations"]:
        entry["image_id"] = 400 - 7 * entry["image_id"]
        entry["category_id"] = 17
    (tmp_path / "instances_all.json").write_text(json.dumps(content))
    for options, names in ((), ["cat", "dog"]), (("--only", "dog,cat"), ["dog", "cat"]):
        out = tmp_path / "_".join(["out", *names])
        assert run(coco, out, "--to", "coco", *options).exit_code == 0
        written = json.loads((out / "annotations" / "instances_all.json").read_text())
        ids = {entry["file_name"]: entry["id"] for entry in written["images"]}
        assert ids == {"0.jpg": 400, "1.jpg": 393, "2.jpg": 386}
        assert [(c["id"], c["name"]) for c in written["categories"]] == [
            ({"cat": 17, "dog": 90}[name], name) for name in names
        ]
        boxes = [(box["image_id"], box["category_id"]) for box in written["annotations"]]
        assert boxes == [(400, 17), (400, 17), (393, 17)]


def test_what_the_data_hold_as_numbers(coco, tmp_path):
    result = run(coco, tmp_path / "out", "--to", "csv", "--json", "-")
    found = json.loads(result.stdout)
    assert found["classes"] == ["cat"]
    (numbers,) = found["image_sets"].values()
    assert numbers["pictures"] == 3
    assert numbers["boxes_per_class"] == {"cat": 2}
    assert (numbers["ignored_boxes"], numbers["background_pictures"]) == (1, 1)
    assert found["counts"] == {"boxes ignored (crowd)": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "pascal"), "--to 'pascal'.*voc, coco, yolo, csv, tfrecord"),
        (("--to", "voc", "--pictures", "move"), "--pictures 'move'.*copy, link, none"),
        (("--to", "voc", "--split", "val"), "no image set 'val'"),
    ],
)
def test_bad_options_are_one_message(coco, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        run(coco, tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(coco, tmp_path):
    with pytest.raises(InputError, match="not empty"):
        run(coco, tmp_path, "--to", "voc")


@pytest.mark.parametrize(
    ("command", "options"), [("convert", ["--to", "coco"]), ("prepare", ["--shards", "1"])]
)
def test_of_two_forms_the_one_that_is_asked_for(tmp_path, command, options):
    """The advice of the error is an option of the command."""
    Image.new("RGB", (200, 100)).save(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("0 .5 .5 .2 .2")
    (tmp_path / "boxes.csv").write_text("a.jpg,10,20,60,70,dog\na.jpg,80,20,90,70,dog\n")
    out = tmp_path.parent / f"{tmp_path.name}-out"
    arguments = [command, str(tmp_path), str(out), *options]
    refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, InputError)
    assert "--format yolo or --format csv" in str(refused.exception)
    assert not out.exists()
    assert CliRunner().invoke(app, [*arguments, "--format", "csv"]).exit_code == 0
    assert open_dataset(out).num_boxes == 2


def test_some_classes_alone(tmp_path):
    (tmp_path / "boxes.csv").write_text(
        "image,xmin,ymin,xmax,ymax,label\na.png,1,1,9,9,cat\na.png,2,2,8,8,dog\nb.png,1,1,5,5,cat\n"
    )
    for name in "ab":
        Image.new("RGB", (10, 10)).save(tmp_path / f"{name}.png")
    result = run(tmp_path / "boxes.csv", tmp_path / "dogs", "--to", "coco", "--only", "dog")
    assert result.exit_code == 0
    dogs = open_dataset(tmp_path / "dogs")
    assert dogs.class_names == ("dog",)
    assert [len(record.labels) for record in dogs.records] == [1, 0]
    with pytest.raises(InputError, match=r"unknown class 'cat'.*--only A,B"):
        open_dataset(tmp_path / "boxes.csv", class_names=["dog"])


@pytest.mark.parametrize("form", ["voc", "coco", "csv", "tfrecord"])
def test_pictures_that_cannot_be_read_are_left_out(tmp_path, form):
    data = tmp_path / "data"
    data.mkdir()
    for name in "ab":
        Image.new("RGB", (100, 80)).save(data / f"{name}.jpg")
        (data / f"{name}.txt").write_text("0 .5 .5 .2 .2\n")
    (data / "broken.jpg").write_bytes(b"none")
    result = run(data, tmp_path / "out", "--to", form)
    assert result.exit_code == 0
    assert "left out: 1 (broken.jpg: not a picture" in " ".join(result.stderr.split())
    assert "2 pictures, 2 boxes" in " ".join(result.output.split())
    assert len(open_dataset(tmp_path / "out")) == 2


def test_where_no_picture_can_be_read_it_is_an_error(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.jpg").write_bytes(b"none")
    (tmp_path / "data" / "a.txt").write_text("0 .5 .5 .2 .2\n")
    with pytest.raises(InputError, match=r"the size of the picture is unknown"):
        run(tmp_path / "data", tmp_path / "out", "--to", "coco")
