"""Published networks by name, from a server on this machine."""

import dataclasses
import hashlib

import numpy as np
import pytest

from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.sections import Region, Softmax
from yolov2_tf.darknet.weights import Header, weight_file_size
from yolov2_tf.errors import InputError
from yolov2_tf.models.loading import load_model
from yolov2_tf.zoo import published
from yolov2_tf.zoo.names import model_path
from yolov2_tf.zoo.published import CHECKSUMS, NETWORKS, Published

CFG = """[net]
width=64
height=64
channels=3
[convolutional]
batch_normalize=1
filters=8
size=3
stride=32
pad=1
activation=leaky
[convolutional]
filters=14
size=1
stride=1
activation=linear
[region]
anchors=1,1,2,2
classes=2
num=2
softmax=1
"""


@pytest.fixture
def toy(server, tmp_path, monkeypatch):
    """A network `toy` on the server, in the place of the authors' files."""
    (tmp_path / "toy.cfg").write_text(CFG)
    header = Header(0, 1, 0, 1)
    size = weight_file_size(read_network(tmp_path / "toy.cfg"), header)
    numbers = np.random.default_rng(0).uniform(0.1, 1, (size - 16) // 4).astype("f4")
    server.files |= {
        "/cfg/toy.cfg": CFG.encode(),
        "/data/toy.names": b"ant\nbee\n",
        "/toy.weights": header.to_bytes() + numbers.tobytes(),
    }
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(NETWORKS, "toy", Published("insects", size, "toy.names"))
    for file in ("cfg/toy.cfg", "data/toy.names"):
        content = server.files[f"/{file}"]
        monkeypatch.setitem(CHECKSUMS, file, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(published, "SITE", server.url)
    monkeypatch.setattr(published, "REPOSITORY", server.url)
    return numbers


def test_a_name_is_downloaded_once_and_is_a_model(server, toy, tmp_path):
    files = []
    path = model_path("toy", progress=lambda file, *bytes: files.append(file))
    assert list(dict.fromkeys(files)) == ["toy.cfg", "toy.names", "toy.weights"]
    model = load_model(path)
    assert model.head.class_names == ("ant", "bee")
    np.testing.assert_array_equal(model.get_layer("conv1_bn").beta, toy[:8])
    asked = len(server.asked)
    assert model_path("toy") == path
    assert len(server.asked) == asked
    assert not list((tmp_path / "cache").glob("*.part"))


def test_weights_may_have_the_later_header(server, toy):
    """As `yolov2-tiny.weights` on the authors' page: 44,948,600 bytes, not 44,948,596."""
    numbers = server.files["/toy.weights"][16:]
    server.files["/toy.weights"] = Header(0, 2, 0, 1).to_bytes() + numbers
    model = load_model(model_path("toy"))
    np.testing.assert_array_equal(model.get_layer("conv1_bn").beta, toy[:8])


def test_damaged_weights_are_not_kept(server, toy, tmp_path):
    whole = server.files["/toy.weights"]
    server.files["/toy.weights"] = whole[:100] + b"\xff\xff\xff\x7f" + whole[104:]  # a NaN
    with pytest.raises(InputError, match=r"toy\.weights"):
        model_path("toy")
    assert not (tmp_path / "cache" / "toy.keras").exists()
    server.files["/toy.weights"] = whole
    assert load_model(model_path("toy")).head.class_names == ("ant", "bee")


def test_names_that_are_no_class_of_the_network_are_left_out(server, toy, monkeypatch):
    names = server.files["/data/toy.names"] + b"wasp\n"
    server.files["/data/toy.names"] = names
    monkeypatch.setitem(CHECKSUMS, "data/toy.names", hashlib.sha256(names).hexdigest())
    monkeypatch.setitem(NETWORKS, "toy", dataclasses.replace(NETWORKS["toy"], classes=2))
    assert load_model(model_path("toy")).head.class_names == ("ant", "bee")


def test_paths_come_first_and_near_misses_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "yolov2").mkdir()
    (tmp_path / "yolov2" / "saved_model.pb").touch()
    assert model_path("yolov2").is_dir()
    assert model_path("none.keras").name == "none.keras"
    with pytest.raises(InputError, match="no model is called 'yolov2-vok'") as error:
        model_path("yolov2-vok")
    assert error.value.hint == "yolov2-voc"


def test_what_is_known_of_the_published_files(shared_data):
    """The copies beside the checkout are those of Darknet's repository."""
    for file, checksum in CHECKSUMS.items():
        content = (shared_data / "darknet" / file.split("/")[1]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum, file
    for name, network in NETWORKS.items():
        cfg = read_network(shared_data / "darknet" / f"{name}.cfg")
        assert weight_file_size(cfg, Header(0, 1)) == network.size, name


def test_there_is_a_name_for_each_class_of_the_published_networks(shared_data):
    for name, network in NETWORKS.items():
        layers = read_network(shared_data / "darknet" / f"{name}.cfg").layers
        (classes,) = (
            layer.classes if isinstance(layer, Region) else layer.output_shape[2]
            for layer in layers
            if isinstance(layer, Region | Softmax)
        )
        names = network.class_names(shared_data / "darknet" / network.names)
        assert len(names) == classes, name
