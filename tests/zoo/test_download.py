"""Downloads from a server that answers rightly, breaks off, lies or vanishes."""

import hashlib

import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.zoo.download import download

CONTENT = np.random.default_rng(0).bytes(1_000_000)
CHECKS = {"sizes": (len(CONTENT),), "sha256": hashlib.sha256(CONTENT).hexdigest()}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "net.weights"


@pytest.fixture(autouse=True)
def content(server):
    server.files["/net.weights"] = CONTENT


def names(file):
    return sorted(path.name for path in file.parent.iterdir())


def test_brings_the_file_once_and_says_how_far_it_is(server, file):
    seen = []
    url = f"{server.url}/net.weights"
    path = download(url, file, **CHECKS, progress=lambda *bytes: seen.append(bytes))
    assert path.read_bytes() == CONTENT
    assert names(file) == ["net.weights"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert download(url, file, **CHECKS) == path
    assert len(server.asked) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_goes_on_where_the_connection_broke(server, file, ranges):
    server.ranges = ranges
    server.cut["/net.weights"] = 400_000
    url = f"{server.url}/net.weights"
    with pytest.raises(InputError, match=r"broke off, after [\d,]+ bytes") as error:
        download(url, file, **CHECKS)
    assert error.value.hint == "the same command goes on from there"
    assert names(file) == ["net.weights.part"]
    arrived = (file.parent / "net.weights.part").stat().st_size
    assert 300_000 < arrived <= 400_000
    assert download(url, file, **CHECKS).read_bytes() == CONTENT
    assert server.asked[-1] == ("/net.weights", f"bytes={arrived}-")
    assert names(file) == ["net.weights"]


@pytest.mark.parametrize(
    "known", [CHECKS, {"sizes": CHECKS["sizes"]}, {"sha256": CHECKS["sha256"]}]
)
@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT + b"x"])
def test_refuses_another_file_and_starts_anew(server, file, wrong, known):
    server.files["/net.weights"] = wrong
    url = f"{server.url}/net.weights"
    with pytest.raises(InputError, match="not the file it should be"):
        download(url, file, **known)
    assert names(file) == []
    server.files["/net.weights"] = CONTENT
    assert download(url, file, **known).read_bytes() == CONTENT


def test_refuses_a_file_of_the_right_size_with_another_content(server, file):
    server.files["/net.weights"] = bytes(len(CONTENT))
    with pytest.raises(InputError, match="has the checksum"):
        download(f"{server.url}/net.weights", file, **CHECKS)
    assert names(file) == []


def test_a_file_that_vanished(server, file):
    with pytest.raises(InputError, match="the server answers 404") as error:
        download(f"{server.url}/gone.weights", file, **CHECKS)
    assert str(file) in error.value.hint


def test_without_a_connection_it_says_where_to_put_the_file(server, file):
    url = f"{server.url}/net.weights"
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="cannot be reached") as error:
        download(url, file, **CHECKS)
    assert error.value.hint == f"put the file at {file}"
    assert names(file) == []
    file.write_bytes(CONTENT)
    assert download(url, file, **CHECKS) == file
