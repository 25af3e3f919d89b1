import os
import unicodedata

import pytest
from PIL import Image

from yolov2_tf.data.picture_finder import as_posix, find_pictures, walk_pictures
from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

DATED = "20240115-a.jpg"  # no mark of Label Studio


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("images/a.jpg", "images/a.jpg"),
        ("images/a.jpg", r"images\a.jpg"),
        ("images/a.jpg", r"C:\Users\me\images\a.jpg"),
        ("images/a.jpg", "/home/me/set/images/a.jpg"),
        ("a.jpg", "/home/me/set/images/a.jpg"),
        ("a.jpg", "./a.jpg"),
        ("a.jpg", "../../a.jpg"),
        ("a b.jpg", "a%20b.jpg"),
        ("a%20b.jpg", "a%20b.jpg"),
        ("a.jpg", "https://host/some/a.jpg?key=1"),
        ("a.jpg", "gs://bucket/some/a.jpg"),
        ("a.jpg", "file:///C:/some/a.jpg"),
        ("a.jpg", "/data/local-files/?d=some/a.jpg"),
        ("a.JPG", "a.jpg"),
        ("A.jpeg", "a.jpeg"),
        ("a.jpg", "a"),
        ("a.b.jpg", "a.b"),
        ("a.jpg", " a.jpg "),
        (unicodedata.normalize("NFD", "é.jpg"), unicodedata.normalize("NFC", "é.jpg")),
        (unicodedata.normalize("NFC", "é.jpg"), unicodedata.normalize("NFD", "é.jpg")),
        ("é.jpg", "%C3%A9.jpg"),
        ("a.jpg", "3f2a1b4c-a.jpg"),
        ("a.jpg", r"..\media\upload\1\3f2a1b4c-a.jpg"),
    ],
)
def test_names_from_elsewhere(tmp_path, there, name):
    touch(tmp_path, there, "other.jpg")
    assert find_pictures([name], [tmp_path]) == {name: str(tmp_path / there)}


@pytest.mark.parametrize("name", ["b.jpg", "", "a.png", "a\0.jpg", "/", "..", "a.txt", DATED])
def test_names_of_no_picture(tmp_path, name):
    touch(tmp_path, "a.jpg", "._b.jpg", "a.txt")
    assert find_pictures([name], [tmp_path], [tmp_path]) == {}


def test_a_picture_with_the_mark_of_label_studio_comes_first(tmp_path):
    touch(tmp_path, "a.jpg", "below/3f2a1b4c-A.jpg", "b.jpg")
    names = ["3f2a1b4c-a.jpg", "3f2a1b4c-b.jpg", "4f2a1b4c-b.jpg"]
    found = find_pictures(names, [tmp_path], [tmp_path])
    assert found == {names[0]: str(tmp_path / "below/3f2a1b4c-A.jpg")}


def test_the_longest_common_end_of_the_path_is_meant(tmp_path):
    touch(tmp_path, "x/train/a.jpg", "x/val/a.jpg", "x/val/b.jpg")
    names = [r"D:\set\val\a.jpg", "train/a.jpg", "b.jpg"]
    assert find_pictures(names, [tmp_path], [tmp_path]) == {
        names[0]: str(tmp_path / "x/val/a.jpg"),
        names[1]: str(tmp_path / "x/train/a.jpg"),
        names[2]: str(tmp_path / "x/val/b.jpg"),
    }
    with pytest.raises(InputError, match=r"two pictures could be meant by 'a\.jpg'"):
        find_pictures(["a.jpg"], [tmp_path], [tmp_path])


def test_a_picture_of_another_image_set_is_not_meant(tmp_path):
    touch(tmp_path, "set/images/val/a.jpg", "set/flat/b.jpg")
    names = ["images/train/a.jpg", "images/train/b.jpg"]
    found = find_pictures(names, [tmp_path], [tmp_path / "set"])
    assert found == {names[1]: str(tmp_path / "set/flat/b.jpg")}


def test_nothing_is_searched_below_other_folders(tmp_path):
    touch(tmp_path, "x/a.jpg")
    assert find_pictures(["a.jpg"], [tmp_path]) == {}


def test_linked_folders_are_followed_once(tmp_path):
    touch(tmp_path, "real/a.jpg", "set/b.jpg", "set/.hidden/c.jpg")
    (tmp_path / "set" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "set")
    found = [os.path.basename(path) for path in walk_pictures(tmp_path / "set")]
    assert found == ["b.jpg", "a.jpg"]


def test_as_posix():
    assert as_posix("C:\\a\\b.jpg") == "/a/b.jpg"
    assert as_posix("a:b.jpg") == "a:b.jpg"
    assert as_posix("what?.jpg") == "what?.jpg"


def test_devices_and_pipes_are_no_files(tmp_path):
    """Nothing waits for what a device or a pipe may one day say."""
    os.mkfifo(tmp_path / "pipe")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg")
    assert list(walk_pictures(tmp_path)) == [str(tmp_path / "a.jpg")]
    with pytest.raises(InputError, match="no ordinary file"):
        read_text(tmp_path / "pipe")


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "a.jpg").touch()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")  # which its reader will say
    found = [os.path.basename(path) for path in walk_pictures(tmp_path)]
    assert found == ["a.jpg", "gone.jpg"]


def test_no_picture_is_given_to_two_names(tmp_path):
    touch(tmp_path, "images/1.jpg", "images/2.jpg")
    names = ["cam1/1.jpg", "cam2/1.jpg", "images/2.jpg", "cam3/2.jpg", "elsewhere/images/2.jpg"]
    found = find_pictures(names, [tmp_path / "images", tmp_path])
    assert found == {"images/2.jpg": str(tmp_path / "images/2.jpg")}


def test_spellings_of_one_name_have_one_picture(tmp_path):
    touch(tmp_path, "a b.jpg")
    names = ["a b.jpg", "./a b.jpg", "a b", "A%20B.jpg", r".\a b.jpg"]
    assert find_pictures(names, [tmp_path]) == dict.fromkeys(names, str(tmp_path / "a b.jpg"))


def test_a_name_that_is_cut_is_not_found_in_another_image_set(tmp_path):
    touch(tmp_path, "val/a.jpg", "train/images/b.jpg", "my_test_set/c.jpg")
    names = ["train/a.jpg", "valid/a.jpg"]
    assert find_pictures(names, [tmp_path / "val"]) == {names[1]: str(tmp_path / "val/a.jpg")}
    assert find_pictures(["val/b.jpg"], [tmp_path / "train/images"]) == {}
    c = str(tmp_path / "my_test_set/c.jpg")
    assert find_pictures(["train/c.jpg"], [tmp_path / "my_test_set"]) == {"train/c.jpg": c}


def test_a_name_that_could_mean_two_costs_itself_alone(tmp_path):
    touch(tmp_path, "1/a.jpg", "1/b.jpg", "2/a.jpg", "2/b.jpg")
    names = ["1/a.jpg", "2/b.jpg", "3/a.jpg"]
    found = find_pictures(names, [tmp_path], [tmp_path])
    assert found == {name: str(tmp_path / name) for name in names[:2]}
