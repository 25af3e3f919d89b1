import os
import sqlite3

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data import cache, picture_infos
from yolov2_tf.data import same_pictures as same
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.readers import voc_file, yolo_rows
from yolov2_tf.data.readers.voc_file import read_voc_files
from yolov2_tf.data.records import Record
from yolov2_tf.data.same_pictures import same_pictures
from yolov2_tf.data.source import open_dataset

XML = (
    "<annotation><size><width>100</width><height>80</height></size><object><name>dog</name>"
    "<difficult>1</difficult><bndbox><xmin>11</xmin><ymin>21</ymin><xmax>31.5</xmax>"
    "<ymax>61</ymax></bndbox></object><object><name>cat</name></object></annotation>"
)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("YOLOV2_CACHE", str(folder))
    return folder


def old(path, content=b"x", age=60):
    """Writes a file that was last changed a minute ago."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    seen = stamp(path)
    os.utime(path, ns=(seen[1], seen[1] - age * 10**9))
    return str(path)


def test_what_was_found_is_known_until_the_file_changes(tmp_path):
    path, other = old(tmp_path / "a"), old(tmp_path / "sub" / "a")
    stamps = {path: stamp(path), other: stamp(other)}
    assert recall("kind/1", stamps) == {}
    remember("kind/1", stamps, {path: [1, "é", None]})
    assert recall("kind/1", stamps) == {path: [1, "é", None]}
    assert recall("kind/2", stamps) == {}
    old(tmp_path / "a", b"longer")
    assert recall("kind/1", {path: stamp(path)}) == {}
    remember("kind/1", {path: stamp(path)}, {path: 2})
    assert recall("kind/1", {path: stamp(path)}) == {path: 2}


def test_a_file_that_just_changed_is_not_remembered(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    stamps = {str(tmp_path / "a"): stamp(tmp_path / "a")}
    remember("kind/1", stamps, {str(tmp_path / "a"): 1})
    assert recall("kind/1", stamps) == {}


def test_a_broken_or_forbidden_cache_is_no_cache(tmp_path, cache_folder, monkeypatch):
    path = old(tmp_path / "a")
    stamps = {path: stamp(path)}
    cache_folder.mkdir()
    (cache_folder / "found.sqlite").write_bytes(b"no database" * 1000)
    assert recall("kind/1", stamps) == {}
    remember("kind/1", stamps, {path: 1})
    remember("kind/1", stamps, {path: 1})
    assert recall("kind/1", stamps) == {path: 1}  # begun anew
    monkeypatch.setenv("YOLOV2_CACHE", "")
    assert recall("kind/1", stamps) == {}
    monkeypatch.setenv("YOLOV2_CACHE", os.devnull)
    remember("kind/1", stamps, {path: 1})
    assert recall("kind/1", stamps) == {}


def test_a_cache_that_grew_too_large_is_begun_anew(tmp_path, cache_folder, monkeypatch):
    first, second = old(tmp_path / "a"), old(tmp_path / "b")
    stamps = {first: stamp(first), second: stamp(second)}
    remember("kind/1", stamps, {first: 1})
    monkeypatch.setattr(cache, "LIMIT", 100)
    remember("kind/1", stamps, {second: 2})
    assert recall("kind/1", stamps) == {second: 2}
    with sqlite3.connect(cache_folder / "found.sqlite") as table:
        assert table.execute("SELECT COUNT(*) FROM found").fetchone() == (1,)


def test_xml_files_are_parsed_once_and_say_the_same_the_second_time(tmp_path, monkeypatch):
    paths = [old(tmp_path / f"{i}.xml", XML.encode()) for i in range(3)]
    first = read_voc_files(paths)
    monkeypatch.setattr(voc_file, "read_voc_file", None)
    assert read_voc_files(paths) == first
    assert first[paths[0]].names == ["dog"]
    assert first[paths[0]].faults == [["objects without a box", "<object> has no <bndbox>", 1]]


def test_pictures_are_decoded_once(tmp_path, monkeypatch):
    for i, orientation in enumerate((1, 6)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.new("RGB", (100, 80)).save(tmp_path / f"{i}.jpg", exif=exif)
        old(tmp_path / f"{i}.jpg", (tmp_path / f"{i}.jpg").read_bytes())
    old(tmp_path / "2.jpg", b"no picture")
    for i in range(3):
        (tmp_path / f"{i}.xml").write_text(XML.replace("<object><name>cat</name></object>", ""))
    dataset = open_dataset(tmp_path)
    first, faults = check_images(dataset)
    monkeypatch.setattr(picture_infos, "inspect_image", None)
    second, again = check_images(dataset)
    assert faults == again == [("2", "not a picture, or of an unknown format")]
    assert first.notes == second.notes
    assert [r.orientation for r in second.records] == [1, 6]
    np.testing.assert_array_equal(first.records.boxes, second.records.boxes)
    assert not np.allclose(second.records[0].boxes, second.records[1].boxes)


def opened_once(folder, monkeypatch, module, name, change):
    """Opens a data set thrice: the second time nothing is read, the third what changed."""
    first = open_dataset(folder)
    read = getattr(module, name)
    with monkeypatch.context() as patch:
        patch.setattr(module, name, None)
        second = open_dataset(folder)
    assert (second.notes, second.class_names) == (first.notes, first.class_names)
    for one, other in zip(first.records, second.records, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert (one.width, one.height) == (other.width, other.height)
        assert one.image_id == other.image_id
    change()
    seen = []
    monkeypatch.setattr(module, name, lambda path, *more: seen.append(path) or read(path, *more))
    return first, open_dataset(folder), seen


def picture(path, size):
    Image.new("RGB", size).save(path)
    return old(path, path.read_bytes())


def test_headers_of_pictures_are_read_once(tmp_path, monkeypatch):
    for i in range(3):
        picture(tmp_path / f"{i}.png", (100, 80))
    rows = [f"{i}.png,10,20,50,60,dog" for i in range(3)]
    (tmp_path / "boxes.csv").write_text("\n".join(["image,xmin,ymin,xmax,ymax,label", *rows]))
    first, last, seen = opened_once(
        tmp_path, monkeypatch, picture_infos, "inspect_image",
        lambda: picture(tmp_path / "1.png", (200, 160)),
    )  # fmt: skip
    assert seen == [str(tmp_path / "1.png")]
    assert last.records.sizes.tolist() == [[100, 80], [200, 160], [100, 80]]
    np.testing.assert_array_equal(last.records.boxes[1], first.records.boxes[1] / 2)


def test_what_was_decoded_needs_no_header_any_more(tmp_path, monkeypatch):
    paths = [picture(tmp_path / f"{i}.png", (100, 80)) for i in range(2)]
    paths.append(old(tmp_path / "2.png", b"no picture"))
    assert isinstance(picture_infos.look_at(paths, decode=True)[2], str)
    seen, read = [], picture_infos.inspect_image
    monkeypatch.setattr(
        picture_infos, "inspect_image", lambda path: seen.append(path) or read(path)
    )
    assert list(picture_infos.picture_sizes(paths).values()) == [(100, 80), (100, 80), (0, 0)]
    assert seen == paths[2:]  # a reason may be of its pixels only


def test_label_files_are_parsed_once(tmp_path, monkeypatch):
    for i in range(3):
        picture(tmp_path / f"{i}.png", (100, 80))
        old(tmp_path / f"{i}.txt", b"0 .5 .5 .25 .125\n1 .1 .2 .1 .1\n# tool\n")
    first, last, seen = opened_once(
        tmp_path, monkeypatch, yolo_rows, "read_rows",
        lambda: old(tmp_path / "1.txt", b"1 .5 .5 .5 .5\n"),
    )  # fmt: skip
    assert seen == [str(tmp_path / "1.txt")]
    assert any("comments skipped: 3" in note for note in first.notes)
    assert any("comments skipped: 2" in note for note in last.notes)
    assert last.records.counts.tolist() == [2, 1, 2]
    np.testing.assert_allclose(last.records[1].boxes, [[0.25, 0.25, 0.75, 0.75]])


def test_pictures_of_one_size_are_compared_once(tmp_path, monkeypatch):
    names = [old(tmp_path / f"{i}.jpg", content) for i, content in enumerate((b"a", b"b", b"a"))]
    records = [Record(name, name, np.zeros((0, 4)), np.zeros(0), np.zeros(0)) for name in names]
    assert same_pictures(records) == [[0, 2]]
    monkeypatch.setattr(same, "_digest", None)
    assert same_pictures(records) == [[0, 2]]
    monkeypatch.undo()
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path / "cache"))
    old(tmp_path / "1.jpg", b"a", age=30)
    assert same_pictures(records) == [[0, 1, 2]]
