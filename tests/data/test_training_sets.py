import dataclasses

import pytest
from PIL import Image

from yolov2_tf.data.training_sets import DataSource, open_labelled_sets, open_training_sets
from yolov2_tf.errors import InputError


def write(folder, sets, names="[cat, dog]", label=0):
    """Writes a YOLO data set; `sets` maps a key of the yaml to the number of its pictures."""
    lines = [f"names: {names}"]
    for key, count in sets.items():
        for part in ("images", "labels"):
            (folder / key / part).mkdir(parents=True)
        for i in range(count):
            color = (i, len(key), len(lines))
            Image.new("RGB", (20, 10), color).save(folder / key / "images" / f"{key}{i}.png")
            (folder / key / "labels" / f"{key}{i}.txt").write_text(f"{label} .5 .5 .2 .2\n")
        lines.append(f"{key}: {key}/images")
    (folder / "data.yaml").write_text("\n".join(lines))
    return DataSource(str(folder))


def stems(dataset):
    return {record.image_id.rpartition("/")[2][:-5] for record in dataset.records}


def test_train_trains_val_scores_and_test_is_not_used(tmp_path):
    train, val, notes = open_training_sets(write(tmp_path, {"test": 2, "train": 3, "val": 2}))
    assert stems(train) == {"train"}
    assert stems(val) == {"val"}
    assert notes == ("image sets train, val, test: train trains; val scores; test is not used",)


@pytest.mark.parametrize("sets", [{"train": 10}, {"train": 10, "test": 5}])
def test_without_a_set_to_score_on_a_fifth_is_held_out(tmp_path, sets):
    data = write(tmp_path, sets)
    train, val, notes = open_training_sets(data)
    assert (len(train), len(val)) == (8, 2)
    assert stems(train) == stems(val) == {"train"}
    assert "2 of 10 pictures are held out" in notes[-1]
    train, val, _ = open_training_sets(data, held_out=0.5, seed=3)
    assert (len(train), len(val)) == (5, 5)
    train, val, _ = open_training_sets(data, held_out=0)
    assert (len(train), val) == (10, None)


def test_where_there_is_only_a_set_to_score_on_this_is_told(tmp_path):
    train, _, notes = open_training_sets(write(tmp_path, {"valid": 10}))
    assert stems(train) == {"valid"}
    assert notes[0] == "the only image set is valid, which is to score on: it trains"


def test_what_the_user_picks_is_used(tmp_path):
    data = write(tmp_path, {"train": 5, "val": 2, "test": 3})
    pick = lambda split: DataSource(data.spec, split)  # noqa: E731
    train, val, _ = open_training_sets(pick("val"))
    assert stems(train) == stems(val) == {"val"}
    train, val, _ = open_training_sets(pick("train"))
    assert stems(val) == {"val"}
    train, val, _ = open_training_sets(pick("test"), pick("train"))
    assert (stems(train), stems(val)) == ({"test"}, {"train"})
    with pytest.raises(InputError, match="no image set 'trainval'"):
        open_training_sets(pick("trainval"))


def test_another_data_set_to_score_on(tmp_path):
    data = write(tmp_path / "a", {"train": 3, "val": 2})
    train, val, _ = open_training_sets(data, write(tmp_path / "b", {"train": 4, "test": 1}))
    assert (len(train), stems(val)) == (3, {"test"})
    with pytest.raises(InputError, match="unknown class 'cow'"):
        open_training_sets(data, write(tmp_path / "c", {"train": 1}, names="[cow]"))


def test_only_a_test_set_is_not_trained_on(tmp_path):
    data = write(tmp_path, {"test": 4})
    with pytest.raises(InputError, match=r"only the image set test, which.*--split test"):
        open_training_sets(data)
    assert len(open_training_sets(DataSource(data.spec, "test"))[0]) == 3


def test_pictures_in_both_are_told(tmp_path):
    data = write(tmp_path, {"train": 3, "val": 2})
    (tmp_path / "val/images/val0.png").write_bytes(
        (tmp_path / "train/images/train2.png").read_bytes()
    )
    *_, notes = open_training_sets(data)
    assert "both in training and in validation" in notes[-1]
    assert "1 (val/images/val0.png)" in notes[-1]


def test_a_class_that_only_the_validation_set_has(tmp_path):
    for name, label in (("train", "cat"), ("val", "dog")):
        rows = [f"{name}{i}.png,20,10,{label},1,1,{5 + i},5" for i in range(3)]
        header = "filename,width,height,class,xmin,ymin,xmax,ymax"
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]))
    train, val, notes = open_training_sets(DataSource(str(tmp_path)))
    assert train.class_names == val.class_names == ("cat", "dog")
    assert val.records[0].labels.tolist() == [1]
    assert "nothing trains: dog" in notes[-1]


def test_digits():
    train, val, notes = open_training_sets(DataSource("digits"))
    assert (train.name, val.name) != ("", "")
    assert len(train) > len(val)
    assert "train trains; val scores; test is not used" in notes[0]


def test_the_classes_can_be_given(tmp_path):
    data = dataclasses.replace(write(tmp_path, {"train": 5}), class_names=("dog", "eel", "cat"))
    train, val, _ = open_training_sets(data)
    assert train.class_names == val.class_names == ("dog", "eel", "cat")
    assert {int(label) for record in train.records for label in record.labels} == {2}
    with pytest.raises(InputError, match="cat"):
        open_training_sets(dataclasses.replace(data, class_names=("dog", "eel")))


def test_copies_of_one_picture_are_not_held_out(tmp_path):
    data = write(tmp_path, {"train": 3})
    first = (tmp_path / "train" / "images" / "train0.png").read_bytes()
    for picture in (tmp_path / "train" / "images").iterdir():
        picture.write_bytes(first)
    train, val, notes = open_training_sets(data)
    assert (len(train), val) == (3, None)
    assert "only one picture" in notes[-1]


def test_a_split_of_a_form_without_image_sets_is_refused(tmp_path):
    row = "Car 0.00 0 1.5 10 5 15 9 1.5 1.6 3.7 1 2 8 1.5\n"
    for part in ("image_2", "label_2"):
        (tmp_path / part).mkdir()
    for i in range(3):
        Image.new("RGB", (20, 10), (i, 0, 0)).save(tmp_path / "image_2" / f"{i}.png")
        (tmp_path / "label_2" / f"{i}.txt").write_text(row)
    assert len(open_training_sets(DataSource(str(tmp_path)), held_out=0)[0]) == 3
    with pytest.raises(InputError, match="no image set 'train'"):
        open_training_sets(DataSource(str(tmp_path), split="train"))


# === Pictures with a label each ===


def labelled(root, *sets, kinds=("cat", "dog")):
    for name, count in sets:
        for i in range(count):
            for kind in kinds:
                path = root / name / kind / f"{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (8, 8)).save(path)
    return str(root)


@pytest.mark.parametrize(
    ("sets", "trains", "scores"),
    [
        ((("train", 4), ("val", 2), ("test", 3)), 8, 4),
        ((("Training", 4), ("Testing", 3)), 8, None),
        ((("training_set/training_set", 4), ("test_set/test_set", 3)), 8, None),
        ((("trainval", 4), ("val", 2)), 8, None),
        ((("", 4),), 8, None),
    ],
)
def test_labelled_pictures_that_score_do_not_train(tmp_path, sets, trains, scores):
    train, scored, notes = open_labelled_sets(labelled(tmp_path, *sets))
    assert train.class_names == ("cat", "dog")
    assert len(train) == trains
    assert (None if scored is None else len(scored)) == scores
    assert len(notes) == (len(sets) > 1)
    if scored is not None:
        assert not {r.image for r in train.records} & {r.image for r in scored.records}


def test_labelled_pictures_that_are_asked_for(tmp_path):
    data = labelled(tmp_path / "a", ("train", 4), ("val", 2), ("test", 3))
    train, scored, notes = open_labelled_sets(data, "test", data, "train")
    assert (len(train), len(scored)) == (6, 8)
    assert "train, val are not used" in notes[0]
    other = labelled(tmp_path / "b", ("train", 5), ("test", 1))
    _, scored, _ = open_labelled_sets(data, None, other)
    assert len(scored) == 2
    only_tests = labelled(tmp_path / "c", ("test", 1))
    with pytest.raises(InputError, match="only the image set test"):
        open_labelled_sets(only_tests)


def test_pictures_that_nobody_has_sorted_do_not_score(tmp_path):
    data = labelled(tmp_path, ("train", 3))
    labelled(tmp_path, ("val", 2), ("test", 2), kinds=["images"])  # as Tiny ImageNet has them
    train, scored, notes = open_labelled_sets(data)
    assert (train.class_names, scored) == (("cat", "dog"), None)
    assert notes[1] == "val has none of the classes that train, but images: nothing scores"
    with pytest.raises(InputError, match="unknown class 'images'"):
        open_labelled_sets(data, validation_split="val")


@pytest.mark.parametrize("asked_for", [None, "val"])
def test_a_class_that_only_scores_is_told(tmp_path, asked_for):
    data = labelled(tmp_path, ("train", 3), ("val", 2))
    labelled(tmp_path, ("val", 2), kinds=["eel"])
    train, scored, notes = open_labelled_sets(data, validation_split=asked_for)
    assert train.class_names == scored.class_names == ("cat", "dog", "eel")
    assert notes[1] == "classes that only the validation set has, which nothing trains: eel"


def test_digits_that_score_do_not_train():
    train, scored, notes = open_labelled_sets("digits")
    assert (train.name, scored.name) == ("digits train", "digits val")
    assert "test is not used" in notes[0]
