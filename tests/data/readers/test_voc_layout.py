"""Where tools put XML files, pictures and lists."""

import os

import pytest
from PIL import Image

from yolov2_tf.data.readers.voc_xml import read_voc
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

XML = (
    "<annotation><filename>{}</filename><size><width>100</width><height>80</height></size>"
    "<object><name>dog</name><bndbox><xmin>11</xmin><ymin>21</ymin><xmax>31</xmax>"
    "<ymax>61</ymax></bndbox></object></annotation>"
)

PLACES = (("Annotations/", ".xml"), ("JPEGImages/", ".jpg"))

MARKED = (("3f2a1b4c", "a"), ("3f2a1b4c", "b"), ("4f2a1b4c", "b"))


def build(root, *files):
    """Writes XML files, pictures and lists by their suffix; a list is `path: line, line`."""
    for file in files:
        name, _, lines = file.partition(": ")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".xml"):
            path.write_text(XML.format("stale.jpg"))
        elif name.endswith(".txt"):
            path.write_text("".join(f"{line}\n" for line in lines.split(", ")))
        else:
            Image.new("RGB", (100, 80)).save(path)
    return root


def found(root, split=None, **options):
    """Image id to the path of its picture below the root."""
    return {
        record.image_id: record.image and os.path.relpath(record.image, root)
        for record in open_dataset(root, split=split, **options).records
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["annotations/xmls/a.xml", "images/a.jpg"], {"xmls/a": "images/a.jpg"}),  # Oxford pets
        (["xmls/a.xml", "images/a.jpg"], {"a": "images/a.jpg"}),
        (["labels/a.xml", "JPEGImages/a.jpg"], {"a": "JPEGImages/a.jpg"}),
        (["a.xml", "a.jpg"], {"a": "a.jpg"}),
        (["a.xml", "images/a.jpg"], {"a": "images/a.jpg"}),
        (["Annotations/a.xml", "Annotations/a.png"], {"a": "Annotations/a.png"}),
        (["Annotations/a.XML".lower(), "Images/A.JPG", "Images/a.JPG"], {"a": "Images/a.JPG"}),
        (["Annotations/x/a.xml", "JPEGImages/x/a.jpg"], {"x/a": "JPEGImages/x/a.jpg"}),
        (["Annotations/a.xml", "JPEGImages/x/a.jpg"], {"a": "JPEGImages/x/a.jpg"}),
        (
            ["Annotations/x/a.xml", "Annotations/y/a.xml", "images/x/a.jpg", "images/y/a.jpg"],
            {"x/a": "images/x/a.jpg", "y/a": "images/y/a.jpg"},
        ),
        # A logo in images/ is not where the pictures are.
        (["images/logo.png", "a.xml", "b.xml", "a.jpg", "b.jpg"], {"a": "a.jpg", "b": "b.jpg"}),
        (
            ["train/a.xml", "train/a.jpg", "valid/a.xml", "valid/a.jpg"],
            {"train/a": "train/a.jpg", "valid/a": "valid/a.jpg"},
        ),
    ],
)
def test_pictures_are_found(tmp_path, files, expected):
    assert found(build(tmp_path, *files)) == expected


@pytest.mark.parametrize(
    ("files", "train", "val"),
    [
        (  # Roboflow
            ["train/a.xml", "train/a.jpg", "valid/b.xml", "valid/b.jpg", "test/c.xml"],
            *({"train/a"}, {"valid/b"}),
        ),
        (["train/Annotations/a.xml", "val/Annotations/b.xml"], {"train/a"}, {"val/b"}),
        (["Annotations/train/a.xml", "Annotations/val/b.xml"], {"train/a"}, {"val/b"}),
        (  # CVAT
            [
                *("Annotations/x/f 0.xml", "Annotations/x/f 1.xml"),
                *("ImageSets/Main/train.txt: x/f 0", "ImageSets/Main/val.txt: x/f 1"),
            ],
            *({"x/f 0"}, {"x/f 1"}),
        ),
        (  # lists beside any folder of annotations, with paths and suffixes in them
            [
                *("xmls/a.xml", "xmls/b.xml", "JPEGImages/a.jpg"),
                *("ImageSets/train.txt: JPEGImages\\a.jpg", "ImageSets/val.txt: b.jpg"),
            ],
            *({"a"}, {"b"}),
        ),
        (  # names that look like the second column of VOC's lists of one class
            [
                *("Annotations/frame 0.xml", "Annotations/frame 1.xml", "Annotations/x.xml"),
                *("ImageSets/Main/train.txt: frame 1", "ImageSets/Main/val.txt: frame 0, x"),
            ],
            *({"frame 1"}, {"frame 0", "x"}),
        ),
    ],
)
def test_image_sets_are_kept_apart(tmp_path, files, train, val):
    build(tmp_path, *files)
    assert set(found(tmp_path, "train")) == train
    assert set(found(tmp_path, "val")) == val


def test_lists_of_one_class_are_no_image_sets(tmp_path):
    lists = ["train.txt: a, b", "dog_train.txt: a  1, b -1", "cat_val.txt: b  0"]
    build(tmp_path, "Annotations/a.xml", "Annotations/b.xml")
    build(tmp_path / "ImageSets" / "Main", *lists)
    assert set(found(tmp_path)) == {"a", "b"}
    with pytest.raises(InputError, match="expected train"):
        found(tmp_path, "dog_train")


def test_a_few_missing_files_of_a_list_are_counted(tmp_path):
    build(tmp_path, *(f"Annotations/{i}.xml" for i in range(9)))
    build(tmp_path, f"ImageSets/Main/train.txt: {', '.join(map(str, range(9)))}, gone")
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 9
    (note,) = (note for note in dataset.notes if "without an XML file" in note)
    assert "left out: 1 (" in note
    assert "train.txt:10" in note


def test_linked_folders_are_followed_once(tmp_path):
    build(tmp_path / "elsewhere", "x/a.xml", "x/a.jpg")
    (tmp_path / "set").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "set" / "Annotations")
    os.symlink(tmp_path / "elsewhere", tmp_path / "elsewhere" / "x" / "loop")
    assert len(read_voc(tmp_path / "set")) == 1


def test_paths_in_the_xml_are_not_followed(tmp_path):
    build(tmp_path, "secret.jpg", "set/Annotations/a.xml", "set/JPEGImages/b.jpg")
    for name in ("../secret.jpg", str(tmp_path / "secret.jpg"), "..\\..\\secret.jpg"):
        (tmp_path / "set" / "Annotations" / "a.xml").write_text(XML.format(name))
        assert read_voc(tmp_path / "set").records[0].image is None


def test_one_bad_file_costs_one_picture(tmp_path):
    build(tmp_path, *(f"Annotations/{i}.xml" for i in range(5)), "JPEGImages/0.jpg")
    (tmp_path / "Annotations" / "1.xml").write_text("")
    (tmp_path / "Annotations" / "2.xml").write_text("<project/>")
    dataset = read_voc(tmp_path)
    assert [record.image_id for record in dataset.records] == ["0", "3", "4"]
    assert any("XML files that cannot be used, left out: 2" in note for note in dataset.notes)
    (tmp_path / "Annotations" / "3.xml").write_text("<annotation>")
    with pytest.raises(InputError, match="3 of 5 entries cannot be used"):
        read_voc(tmp_path)


def test_pictures_given_by_images_must_be_there(tmp_path):
    build(tmp_path, "set/Annotations/a.xml", "empty/readme.txt: x")
    with pytest.raises(InputError, match="no pictures in this folder"):
        read_voc(tmp_path / "set", images=tmp_path / "empty")


def test_imagenets_detection_layout(tmp_path):
    """`Annotations/DET/val`, `Data/DET/val`, and a list whose lines are numbered."""
    for number in (1, 2, 3):
        name = f"ILSVRC2012_val_{number:08d}"
        for folder in ("Annotations", "Data", "ImageSets"):
            (tmp_path / "ILSVRC" / folder / "DET" / "val").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / f"ILSVRC/Data/DET/val/{name}.JPEG", "JPEG")
        (tmp_path / f"ILSVRC/Annotations/DET/val/{name}.xml").write_text(
            f"<annotation><folder>val</folder><filename>{name}</filename>"
            "<size><width>40</width><height>30</height><depth>3</depth></size>"
            "<object><name>n02084071</name><bndbox><xmin>5</xmin><xmax>21</xmax>"
            "<ymin>4</ymin><ymax>25</ymax></bndbox></object></annotation>"
        )
    lists = tmp_path / "ILSVRC/ImageSets/DET"
    lists.joinpath("val.txt").write_text("ILSVRC2012_val_00000001 1\nILSVRC2012_val_00000003 2\n")
    dataset = open_dataset(tmp_path / "ILSVRC", split="val")
    assert [record.image_id[-1] for record in dataset.records] == ["1", "3"]
    assert dataset.class_names == ("n02084071",)
    assert all(record.image.endswith(".JPEG") for record in dataset.records)
    assert dataset.records[0].boxes[0] == pytest.approx([0.1, 0.1, 0.8, 0.5])


def test_pictures_beside_the_xml_come_before_those_of_a_folder_above(tmp_path):
    root = build(tmp_path / "batch2", "a.xml", "a.jpg")
    build(tmp_path, "images/a.jpg")
    assert found(root) == {"a": "a.jpg"}
    sets = build(tmp_path / "sets", "train/a.xml", "train/a.jpg", "valid/a.xml", "valid/a.jpg")
    build(sets, "images/a.jpg")
    assert found(sets) == {"train/a": "train/a.jpg", "valid/a": "valid/a.jpg"}


def test_a_missing_picture_is_not_taken_from_beside_the_set(tmp_path):
    root = build(tmp_path / "set", "a.xml", "b.xml", "a.jpg")
    build(tmp_path, "images/a.jpg", "images/b.jpg")
    assert found(root) == {"a": "a.jpg", "b": None}


def test_where_all_pictures_lie_beside_the_set_a_note_names_their_folder(tmp_path):
    root = build(tmp_path / "xml", "a.xml", "b.xml")
    build(tmp_path, "images/a.jpg", "images/b.jpg")
    dataset = open_dataset(root)
    assert found(root) == {"a": "../images/a.jpg", "b": "../images/b.jpg"}
    assert f"pictures taken from beside the data set: {tmp_path / 'images'}" in dataset.notes


def test_a_folder_above_that_may_not_be_listed_is_passed_over(tmp_path, monkeypatch):
    root = build(tmp_path / "set", "a.xml")
    listdir = os.listdir

    def refusing(folder):
        if os.fspath(folder) == os.fspath(tmp_path):
            raise PermissionError(13, "Permission denied", os.fspath(folder))
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", refusing)
    assert found(root) == {"a": None}


def test_xml_in_the_folder_does_not_hide_that_in_folders_below(tmp_path):
    root = build(tmp_path / "root", "a.xml", "a.jpg", "batch2/b.xml", "batch2/b.jpg")
    assert found(root) == {"root/a": "a.jpg", "batch2/b": "batch2/b.jpg"}


def test_what_is_in_no_image_set_is_one_of_its_own(tmp_path):
    root = build(tmp_path / "root", "new.xml", "new.jpg", "train/a.xml", "train/a.jpg")
    build(root, "extra/b.xml", "extra/b.jpg")
    sets = {record.image_id: record.image_sets for record in open_dataset(root).records}
    assert sets == {"root/new": ("root",), "train/a": ("train",), "extra/b": ("extra",)}
    assert found(root, split="train") == {"train/a": "train/a.jpg"}


def test_xml_of_a_program_beside_the_image_sets_is_none_of_theirs(tmp_path):
    root = build(tmp_path, "train/a.xml", "train/a.jpg", "valid/b.xml", "valid/b.jpg")
    (root / "build.xml").write_text("<project/>")
    assert found(root) == {"train/a": "train/a.jpg", "valid/b": "valid/b.jpg"}


def test_pictures_and_lists_may_differ_in_case(tmp_path):
    root = build(tmp_path, "Annotations/img_1.xml", "JPEGImages/IMG_1.JPG")
    build(root, "Annotations/b.xml", "JPEGImages/b.jpg", "ImageSets/Main/train.txt: IMG_1, B")
    assert found(root, split="train") == {"img_1": "JPEGImages/IMG_1.JPG", "b": "JPEGImages/b.jpg"}


def test_pictures_in_folders_of_the_image_sets(tmp_path):
    build(tmp_path, "annotations/train/a.xml", "train/a.jpg", "annotations/val/a.xml", "val/a.jpg")
    assert found(tmp_path) == {"train/a": "train/a.jpg", "val/a": "val/a.jpg"}


def test_xml_files_that_no_list_names_are_told(tmp_path):
    files = [f"Annotations/{name}.xml" for name in "abcd"]
    build(tmp_path, *files, "ImageSets/Main/train.txt: a, b", "ImageSets/Main/val.txt: c")
    for split in (None, "train"):
        notes = open_dataset(tmp_path, split=split).notes
        assert "XML files that no image set lists, not used: 1 (d)" in notes
    build(tmp_path, "ImageSets/Main/test.txt: d")
    assert not any("no image set lists" in note for note in open_dataset(tmp_path).notes)


def test_sets_as_folders_of_xml_beside_folders_of_pictures(tmp_path):
    parts = [(part, name) for part in ("train", "val") for name in "ab"]
    build(tmp_path, *(f"labels/{part}/{name}.xml" for part, name in parts))
    build(tmp_path, *(f"images/{part}/{name}.jpg" for part, name in parts))
    assert found(tmp_path) == {f"{p}/{n}": f"images/{p}/{n}.jpg" for p, n in parts}
    assert len(open_dataset(tmp_path, split="val")) == 2


def test_lists_that_lie_beside_the_folders(tmp_path):
    files = [f"{folder}/{name}" for name in "abc" for folder in ("annotations", "images")]
    files = [name + (".xml" if name.startswith("a") else ".jpg") for name in files]
    lists = [
        "train.txt: ./images/a.jpg ./annotations/a.xml",
        "test.txt: images/b.jpg annotations/b.xml, images/c.jpg annotations/c.xml",
        "label_list.txt: dog",
        "train_notes.txt: all by hand",
    ]
    build(tmp_path, *files, *lists)
    assert found(tmp_path, "train") == {"a": "images/a.jpg"}
    assert found(tmp_path, "test") == {"b": "images/b.jpg", "c": "images/c.jpg"}


def test_lists_name_pictures_with_blanks_around_their_names(tmp_path):
    names = ["photo ", " photo", "photo", "a\u0308", "\u00e4"]
    files = [f"{place}{name}{suffix}" for name in names for place, suffix in PLACES]
    build(tmp_path, *files, f"ImageSets/Main/train.txt: {', '.join(names)}")
    assert list(found(tmp_path, "train")) == names


def test_blanks_of_a_list_are_none_of_the_names(tmp_path):
    build(tmp_path, *(f"{place}a{suffix}" for place, suffix in PLACES))
    build(tmp_path, "ImageSets/Main/train.txt:  a \t")
    assert list(found(tmp_path, "train")) == ["a"]


def test_pictures_without_the_mark_of_label_studio(tmp_path):
    marked = [f"Annotations/{mark}-{name}.xml" for mark, name in MARKED]
    build(tmp_path, *marked, "images/a.jpg", "images/b.jpg")
    assert found(tmp_path) == {"3f2a1b4c-a": "images/a.jpg", "3f2a1b4c-b": None, "4f2a1b4c-b": None}


@pytest.mark.parametrize("pictures", ["images/", "JPEGImages/", ""])
def test_pictures_in_folders_that_are_image_sets(tmp_path, pictures):
    places = {"a": "train", "B": "train", "c": "Test"}
    build(tmp_path, *(f"Annotations/{name.lower()}.xml" for name in places))
    build(tmp_path, *(f"{pictures}{place}/{name}.jpg" for name, place in places.items()))
    assert {*found(tmp_path, "train")} == {"a", "b"}
    assert found(tmp_path, "test") == {"c": f"{pictures}Test/c.jpg"}
    build(tmp_path, "Annotations/d.xml", f"{pictures}d.jpg")
    assert {*found(tmp_path, "train")} == {"a", "b"}
    assert {*found(tmp_path, "other")} == {"d"}


def test_pictures_of_one_name_in_folders_that_are_image_sets(tmp_path):
    pairs = [("cam1", "train"), ("cam2", "train"), ("cam1", "val")]
    xml = [f"Annotations/{cam}/{place}0.xml" for cam, place in pairs]
    build(tmp_path, *xml, *(f"images/{place}/{cam}/{place}0.jpg" for cam, place in pairs))
    assert {*found(tmp_path, "train")} == {"cam1/train0", "cam2/train0"}
    assert {*found(tmp_path, "val")} == {"cam1/val0"}


def test_pictures_in_one_folder_that_is_an_image_set_are_none(tmp_path):
    build(tmp_path, "Annotations/a.xml", "Annotations/b.xml", "images/test/a.jpg", "images/b.jpg")
    assert {record.image_sets for record in open_dataset(tmp_path).records} == {()}
