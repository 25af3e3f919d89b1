import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from yolov2_tf.data.readers.voc_xml import CLASS_NAMES, read_voc
from yolov2_tf.errors import InputError


def thing(name="dog", box=(11, 21, 30, 60), difficult=0, extra=""):
    x_min, y_min, x_max, y_max = box
    return (
        f"<object>\n<name>{name}</name>\n<difficult>{difficult}</difficult>\n"
        f"<bndbox><xmin>{x_min}</xmin><ymin>{y_min}</ymin>"
        f"<xmax>{x_max}</xmax><ymax>{y_max}</ymax></bndbox>\n{extra}</object>\n"
    )


def xml(*things, size="<size><width>100</width><height>80</height></size>", filename="x.jpg"):
    return (
        f"<annotation>\n<filename>{filename}</filename>\n{size}\n"
        + "".join(things)
        + "</annotation>"
    )


def write_voc(folder, files, sets=None, pictures=()):
    (folder / "Annotations").mkdir(parents=True)
    (folder / "JPEGImages").mkdir()
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for stem, text in files.items():
        (folder / "Annotations" / f"{stem}.xml").write_text(text)
    for name, lines in (sets or {}).items():
        (folder / "ImageSets" / "Main" / f"{name}.txt").write_text("".join(f"{x}\n" for x in lines))
    for name in pictures:
        Image.new("RGB", (100, 80)).save(folder / "JPEGImages" / name)
    return folder


def test_pixels_are_one_based_as_in_darknet(tmp_path):
    write_voc(tmp_path, {"a": xml(thing(box=(1, 1, 101, 81)), thing(box=(11, 21, 31, 61)))})
    (record,) = read_voc(tmp_path).records
    np.testing.assert_array_equal(record.boxes[0], [0, 0, 1, 1])
    np.testing.assert_allclose(record.boxes[1], [20 / 80, 10 / 100, 60 / 80, 30 / 100])
    assert (record.width, record.height) == (100, 80)


def test_difficult_is_ignored_and_parts_are_no_objects(tmp_path):
    head = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    write_voc(tmp_path, {"a": xml(thing("person", extra=head), thing("cat", difficult=1))})
    dataset = read_voc(tmp_path)
    (record,) = dataset.records
    assert record.ignore.tolist() == [False, True]
    assert dataset.num_boxes == 1
    assert [dataset.class_names[label] for label in record.labels] == ["person", "cat"]


def test_an_image_without_boxes_is_legal(tmp_path):
    write_voc(tmp_path, {"a": xml(), "b": xml(thing())})
    dataset = read_voc(tmp_path)
    assert [len(record.boxes) for record in dataset.records] == [0, 1]


def test_class_names(tmp_path):
    write_voc(tmp_path, {"a": xml(thing("zebra"), thing("dog"))})
    assert read_voc(tmp_path).class_names == ("dog", "zebra")
    assert read_voc(tmp_path, class_names=["zebra", "dog"]).records[0].labels.tolist() == [0, 1]
    write_voc(tmp_path / "two", {"a": xml(thing("person"), thing("car"))})
    assert read_voc(tmp_path / "two").class_names == ("car", "person")
    write_voc(tmp_path / "all", {"a": xml(*map(thing, sorted(CLASS_NAMES, reverse=True)))})
    assert read_voc(tmp_path / "all").class_names == CLASS_NAMES
    with pytest.raises(InputError, match=r"a\.xml:4: unknown class 'zebra' \(expected cat, dog"):
        read_voc(tmp_path, class_names=["cat", "dog"])


def test_image_sets(tmp_path):
    files = {name: xml(thing()) for name in "abcd"}
    sets = {
        "train": ["a", "b"],
        "val": ["c", "b"],
        "dog_train": ["a  1", "b -1"],
        "trainval": ["a", "b", "c"],
    }
    write_voc(tmp_path, files, sets)
    ids = lambda **options: [r.image_id for r in read_voc(tmp_path, **options).records]  # noqa: E731
    assert ids(split="train") == ["a", "b"]
    assert ids(split="val") == ["c", "b"]
    assert ids() == ["a", "b", "c"]
    assert any("train, trainval, val found" in note for note in read_voc(tmp_path).notes)
    with pytest.raises(InputError, match=r"no image set 'dog_train'.*train, trainval, val"):
        ids(split="dog_train")


def test_the_only_image_set_is_taken(tmp_path):
    write_voc(tmp_path, {name: xml(thing()) for name in "ab"}, {"test": ["b"]})
    dataset = read_voc(tmp_path)
    assert [r.image_id for r in dataset.records] == ["b"]
    assert dataset.name == f"{tmp_path.name} test"


def test_an_image_set_that_names_a_missing_file_raises_with_its_line(tmp_path):
    write_voc(tmp_path, {"a": xml(thing())}, {"train": ["a", "ghost"]})
    with pytest.raises(InputError, match=r"train\.txt:2: no annotation file for image 'ghost'"):
        read_voc(tmp_path)


def test_an_image_listed_twice_is_read_once_and_told(tmp_path):
    write_voc(tmp_path, {"a": xml(thing()), "b": xml(thing())}, {"train": ["a", "b", "a"]})
    dataset = read_voc(tmp_path)
    assert len(dataset) == 2
    assert any("listed twice" in note and "train.txt:3" in note for note in dataset.notes)


def test_a_devkit_unites_its_years(tmp_path):
    for year, names in (("VOC2007", "ab"), ("VOC2012", "a")):
        files = {name: xml(thing()) for name in names}
        write_voc(tmp_path / "VOCdevkit" / year, files, {"trainval": names}, ["a.jpg"])
    write = tmp_path / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main" / "test.txt"
    write.write_text("b\n")
    for folder in (tmp_path, tmp_path / "VOCdevkit"):
        dataset = read_voc(folder, split="trainval")
        assert [r.image_id for r in dataset.records] == ["VOC2007/a", "VOC2007/b", "VOC2012/a"]
        assert "VOC2012" in dataset.records[2].image
        assert [r.image_id for r in read_voc(folder, split="test").records] == ["VOC2007/b"]


def test_a_folder_of_nothing_but_xml_files(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.xml").write_text(xml(thing()))
    (tmp_path / "._a.xml").write_bytes(b"\0 what some systems leave behind")
    dataset = read_voc(tmp_path)
    assert [r.image_id for r in dataset.records] == ["a", "b"]
    assert [r.image for r in dataset.records] == [None, None]
    assert dataset.notes == ("no pictures found: good for box shapes only",)


def test_pictures_are_found_by_the_name_of_the_xml_file_then_by_its_filename(tmp_path):
    files = {
        "a": xml(thing(), filename="stale.jpg"),
        "b": xml(thing(), filename="/home/somebody/other.png"),
        "c": xml(thing(), filename="gone.jpg"),
        "d": xml(thing(), filename="d.png"),
    }
    write_voc(tmp_path, files, pictures=["a.jpg", "other.png", "d.jpg", "d.png"])
    dataset = read_voc(tmp_path)
    found = [r.image and os.path.basename(r.image) for r in dataset.records]
    assert found == ["a.jpg", "other.png", None, "d.png"]
    assert "pictures not found: 1 (c)" in dataset.notes


def test_pictures_may_be_elsewhere(tmp_path):
    write_voc(tmp_path / "set", {"a": xml(thing())})
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (100, 80)).save(tmp_path / "pictures" / "a.png")
    (record,) = read_voc(tmp_path / "set", images=tmp_path / "pictures").records
    assert record.image == str(tmp_path / "pictures" / "a.png")


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>"])
def test_without_a_size_the_picture_tells_it(tmp_path, size):
    write_voc(tmp_path, {"a": xml(thing(), size=size)}, pictures=["a.png"])
    (record,) = read_voc(tmp_path).records
    assert (record.width, record.height) == (100, 80)
    os.remove(tmp_path / "JPEGImages" / "a.png")
    with pytest.raises(InputError, match=r"a\.xml:1: neither a <size>"):
        read_voc(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xml(thing().replace("<name>dog</name>", "")), r"a\.xml:4: <object> has no <name>"),
        (xml(thing("  ")), r"a\.xml:4: <name> is empty"),
        (xml(thing().replace("<xmax>30</xmax>", "")), r"a\.xml:7: <bndbox> has no <xmax>"),
        (xml("<object><name>dog</name></object>"), r"a\.xml:4: <object> has no <bndbox>"),
        (xml(thing(box=(1, "nan", 3, 4))), r"a\.xml:7: <ymin> 'nan' is not a finite number"),
        (xml(thing(box=(1, 2, "inf", 4))), r"a\.xml:7: <xmax> 'inf' is not a finite number"),
        (xml(thing(box=("", 2, 3, 4))), r"a\.xml:7: <xmin> None is not a finite number"),
        (xml(size="<size><width>9</width></size>"), r"a\.xml:3: <size> has no <height>"),
        ("<html>\n</html>", r"a\.xml:1: the root element is <html>"),
        (xml(thing())[:-20], r"a\.xml:\d+: malformed XML"),
        ("", r"a\.xml:1: malformed XML"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', r"a\.xml.* cannot be read|malf"),
        (
            '<?xml version="1.0"?>\n<!DOCTYPE annotation [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
            + xml(thing("&a;")),
            r"a\.xml:2: XML with a DTD is refused",
        ),
        ('<!DOCTYPE annotation SYSTEM "http://x/y.dtd">' + xml(), r"a\.xml:1: XML with a DTD"),
    ],
)
def test_bad_xml_raises_with_file_and_line(tmp_path, text, message):
    write_voc(tmp_path, {"a": text})
    with pytest.raises(InputError, match=message):
        read_voc(tmp_path, class_names=["dog"])


def test_a_dtd_hidden_in_utf_16_is_refused(tmp_path):
    write_voc(tmp_path, {"a": ""})
    text = "<!DOCTYPE annotation [<!ENTITY a 'dog'>]>" + xml(thing("&a;"))
    (tmp_path / "Annotations" / "a.xml").write_bytes(text.encode("utf-16"))
    with pytest.raises(InputError, match="XML with a DTD is refused"):
        read_voc(tmp_path)


def test_mended_boxes_are_told_with_file_and_line(tmp_path):
    write_voc(
        tmp_path,
        {
            "a": xml(thing(), thing(box=(29, 21, 11, 60))),
            "b": xml(thing(box=(11, 21, 30, 100)), thing(box=(31, 21, 31, 60)), thing()),
        },
    )
    dataset = read_voc(tmp_path)
    assert [len(record.boxes) for record in dataset.records] == [2, 2]
    np.testing.assert_allclose(dataset.records[0].boxes[1], [20 / 80, 0.1, 59 / 80, 0.28])
    swapped, empty, clipped = dataset.notes[1:]
    assert "swapped" in swapped
    assert "a.xml:9)" in swapped
    assert "without any area" in empty
    assert "b.xml:9)" in empty
    assert "stick out" in clipped
    assert "b.xml:4)" in clipped


def test_an_empty_folder_is_no_voc(tmp_path):
    (tmp_path / "Annotations").mkdir()
    with pytest.raises(InputError, match="no VOC annotations"):
        read_voc(tmp_path)


tags = st.sampled_from(
    ("annotation", "size", "width", "height", "object", "name", "bndbox", "xmin", "ymin", "xmax")
)
trees = st.recursive(
    st.sampled_from(["dog", "1", "7", "50", "-3", "nan", "", "&amp;", "&x;", "é"]),
    lambda inner: st.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>", tags, st.lists(inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        trees.map(str.encode),
        trees.map(lambda tree: xml(f"<object>{tree}</object>").encode()),
        st.tuples(st.integers(0, 300), st.binary(max_size=3)).map(
            lambda cut: xml(thing()).encode()[: cut[0]] + cut[1] + xml(thing()).encode()[cut[0] :]
        ),
    )
)
@example(b'<?xml version="1.0" encoding="utf-7"?><annotation/>')
@example(b'<?xml version="1.0" encoding="shift-jis"?><annotation/>')
@example(b"<annotation>" * 5000)
def test_any_file_gives_a_record_or_input_error(tmp_path, content):
    path = tmp_path / "fuzzed.xml"
    path.write_bytes(content)
    try:
        dataset = read_voc(tmp_path)
    except InputError:
        return
    assert len(dataset) == 1


def test_bccd(shared_data):
    dataset = read_voc(shared_data / "bccd")
    assert len(dataset) == 364
    # 4,888, two of which have no width: Darknet's reading makes a pixel's extent 0.
    assert sum(len(record.boxes) for record in dataset.records) == 4886
    assert any("without any area in their picture dropped: 2" in note for note in dataset.notes)
    assert dataset.class_names == ("Platelets", "RBC", "WBC")
    assert all(os.path.isfile(record.image) for record in dataset.records)
    assert len(read_voc(shared_data / "bccd", split="test")) == 72


def test_voc2007_sample(shared_data):
    dataset = read_voc(shared_data / "voc2007_sample")
    assert len(dataset) == 413
    assert dataset.class_names == CLASS_NAMES
    first = dataset.records[0]  # a dog and a person, 353 x 500
    np.testing.assert_allclose(first.boxes[0], [239 / 500, 47 / 353, 370 / 500, 194 / 353])
    assert [CLASS_NAMES[label] for label in first.labels] == ["dog", "person"]
    assert any(record.ignore.any() for record in dataset.records)
