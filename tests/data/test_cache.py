import os
import sqlite3

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data import cache
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.readers import voc_file
from yolov2_tf.data.readers.voc_file import read_voc_files
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
    from yolov2_tf.data import image_check

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
    monkeypatch.setattr(image_check, "inspect_image", None)
    second, again = check_images(dataset)
    assert faults == again == [("2", "not a picture, or of an unknown format")]
    assert first.notes == second.notes
    assert [r.orientation for r in second.records] == [1, 6]
    np.testing.assert_array_equal(first.records.boxes, second.records.boxes)
    assert not np.allclose(second.records[0].boxes, second.records[1].boxes)
