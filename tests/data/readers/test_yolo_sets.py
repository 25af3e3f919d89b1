import re
import shutil

import pytest
from PIL import Image

from yolov2_tf.data.readers.yolo_sets import holds_labels
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.training_sets import DataSource, open_training_sets
from yolov2_tf.errors import InputError

GOOD = "0 0.5 0.5 0.2 0.2\n"
KITTI = "Car 0.00 0 1.5 10 20 30 60 1.5 1.6 3.7 1 2 8 1.5\n"
DAMAGED = {
    "a typo": "0 0.5 0.5 0.2 0.2O\n",
    "too short": "0 0.5 0.5\n",
    "zeroed": "\0" * 40,
    "no text": b"\xff\xfe\0\xd8\xff",
}


def write(folder, *labels):
    """Writes a folder as Label Studio leaves it; `labels` are text or bytes by picture."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number, content in enumerate(labels):
        Image.new("RGB", (40, 30)).save(folder / "images" / f"{number:02}.png")
        content = content if isinstance(content, bytes) else content.encode()
        (folder / "labels" / f"{number:02}.txt").write_bytes(content)
    (folder / "classes.txt").write_text("dog\n")
    return folder


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("others", [(), (GOOD,), (GOOD,) * 3, ("", GOOD)])
def test_a_damaged_file_is_named_not_the_form(tmp_path, damage, others):
    write(tmp_path, DAMAGED[damage], *others)
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "labels" / "00.txt"))):
        open_dataset(tmp_path)


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("other", [KITTI, "a dog on a bed", "2 dogs on 1 bed", "dog", "0 1"])
def test_damaged_files_make_no_other_form_yolo(tmp_path, damage, other):
    assert not holds_labels(write(tmp_path, DAMAGED[damage], other))


@pytest.mark.parametrize("other", [KITTI, "a dog on a bed"])
def test_a_few_that_look_like_it_make_no_other_form_yolo(tmp_path, other):
    assert not holds_labels(write(tmp_path, GOOD, other, other))
    assert holds_labels(write(tmp_path / "mixed", other, GOOD, GOOD))


def test_pictures_of_nothing_have_no_voice(tmp_path):
    assert not holds_labels(write(tmp_path, "", "\n", "# nothing\n"))
    assert holds_labels(write(tmp_path / "more", *[""] * 30, GOOD))


def test_an_export_in_the_folder_of_another_reads_its_own_pictures(tmp_path):
    yaml = "train: ../train/images\nval: ../valid/images\nnames: [{}]\n"
    for folder, name in ((tmp_path, "cat"), (tmp_path / "second", "dog")):
        for part in ("train", "valid"):
            (folder / part / "labels").mkdir(parents=True)
            (folder / part / "images").mkdir()
            Image.new("RGB", (40, 30)).save(folder / part / "images" / f"{name}.png")
            (folder / part / "labels" / f"{name}.txt").write_text(GOOD)
        (folder / "data.yaml").write_text(yaml.format(name))
    for folder, name in ((tmp_path, "cat"), (tmp_path / "second", "dog")):
        ids = [record.image_id for record in open_dataset(folder).records]
        assert ids == [f"train/images/{name}.png", f"valid/images/{name}.png"]
    shutil.rmtree(tmp_path / "second" / "valid")
    dataset = open_dataset(tmp_path / "second")
    assert [record.image_id for record in dataset.records] == ["train/images/dog.png"]
    assert any("image set left out: 'val'" in note for note in dataset.notes)


def export(folder, name):
    for part in ("images", "labels"):
        (folder / part / "train").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(folder / "images" / "train" / f"{name}.png")
    (folder / "labels" / "train" / f"{name}.txt").write_text(GOOD)
    return folder


@pytest.mark.parametrize("place", ["pets", "datasets/pets", "../pets", "../datasets/pets"])
@pytest.mark.parametrize("path", ["pets", "./pets"])
def test_a_path_may_mean_the_folder_datasets(tmp_path, place, path):
    code = tmp_path / "code"
    code.mkdir()
    export(code / place, "a")
    (code / "pets.yaml").write_text(f"path: {path}\ntrain: images/train\nnames: [dog]\n")
    assert open_dataset(code / "pets.yaml").records[0].image_id == "images/train/a.png"


@pytest.mark.parametrize("path", ["pets", "/content/pets"])
def test_a_path_leads_to_no_other_set_where_this_one_is_here(tmp_path, path):
    export(tmp_path / "pets", "other")
    folder = export(tmp_path / "mine", "own")
    (folder / "pets.yaml").write_text(f"path: {path}\ntrain: images/train\nnames: [dog]\n")
    assert open_dataset(folder).records[0].image_id == "images/train/own.png"


def test_image_sets_of_a_description_in_any_case(tmp_path):
    export(tmp_path, "a")
    (tmp_path / "data.yaml").write_text("Train: images/train\nnames: [dog]\n")
    assert open_dataset(tmp_path).records[0].image_sets == ("Train",)


def test_a_missing_image_set_to_train_on_is_not_replaced_by_that_to_score_on(tmp_path):
    export(tmp_path, "a")
    (tmp_path / "data.yaml").write_text("train: images/none\nval: images/train\nnames: [dog]\n")
    with pytest.raises(InputError, match="'train' is 'images/none'"):
        open_training_sets(DataSource(str(tmp_path)))
    dataset = open_dataset(tmp_path)
    assert dataset.records[0].image_sets == ("val",)
    assert any("image set left out: 'train'" in note for note in dataset.notes)
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/none\nnames: [dog]\n")
    assert open_training_sets(DataSource(str(tmp_path)))[0].records[0].image_sets == ("train",)


@pytest.mark.parametrize("names", ["", "null", "~"])
def test_names_without_any_are_none(tmp_path, names):
    export(tmp_path, "a")
    (tmp_path / "data.yaml").write_text(f"train: images/train\nnames: {names}\nnc: 2\n")
    assert open_dataset(tmp_path).class_names == ("0", "1")
