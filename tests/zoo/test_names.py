"""Models by an address of the web."""

import types
from pathlib import Path

import pytest

from yolov2_tf.data.remote import address
from yolov2_tf.errors import InputError
from yolov2_tf.zoo.names import model_path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path))


def test_a_model_of_the_web_is_downloaded_once(server, tmp_path):
    server.files["/nets/a.keras"] = b"weights"
    seen = []
    file = model_path(f"{server.url}/nets/a.keras", progress=lambda *step: seen.append(step))
    assert (file.name, file.read_bytes()) == ("a.keras", b"weights")
    assert tmp_path in file.parents
    assert seen[-1] == ("a.keras", 7, 7)
    # A `Path`, as the command line makes, has one slash of two.
    assert model_path(Path(f"{server.url}/nets/a.keras")) == file
    assert len(server.asked) == 1
    with pytest.raises(InputError, match="the server answers 404"):
        model_path(f"{server.url}/nets/b.keras")


@pytest.mark.parametrize(
    "name", ["starter-tiny", "a/b.keras", "/a/b.keras", "C:/a.keras", "tfds:/a"]
)
def test_what_is_no_address(name):
    assert address(name) is None


@pytest.mark.parametrize("name", ["hdfs:///user/a.keras", "gs://b/a.keras", "FILE:///a"])
def test_addresses_with_and_without_a_host(name):
    assert address(name) == name.replace("FILE", "file")


def test_a_folder_of_such_a_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert address(Path("gs://b/c")) == "gs://b/c"
    (tmp_path / "gs:").mkdir()
    assert address(Path("gs://b/c")) is None
    assert address("gs://b/c") == "gs://b/c"


def test_without_a_cache_it_says_so(monkeypatch):
    monkeypatch.setenv("YOLOV2_CACHE", "")
    with pytest.raises(InputError, match=r"\$YOLOV2_CACHE is empty"):
        model_path("http://127.0.0.1:9/a.keras")


def test_what_is_neither_path_nor_name_is_refused():
    for wrong in (None, 5, b"starter"):
        with pytest.raises(InputError, match=f"a {type(wrong).__name__} is no model by its path"):
            model_path(wrong)
    network = types.SimpleNamespace(layers=[])
    with pytest.raises(InputError, match=r"yolov2_tf\.detector\(model\) for a network in memory"):
        model_path(network)
