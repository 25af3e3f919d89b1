"""Addresses on the command line: models and shards are fetched, all else is refused clearly."""

import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest
from command_line import call
from PIL import Image

from yolov2_tf.cli.evaluate import evaluate
from yolov2_tf.cli.import_darknet import import_darknet
from yolov2_tf.cli.local import LocalText, local_parameters
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.images import to_png_bytes
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.tfds_writer import write_shards
from yolov2_tf.zoo.names import model_path
from yolov2_tf.zoo.shipped import path

RUN = ("--epochs", "1")


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A storage at `memory://`, and a cache of its own."""
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/", recursive=True)


@pytest.fixture
def model(memory):
    memory.pipe("/nets/tiny.keras", path("starter-tiny").read_bytes())
    return "memory://nets/tiny.keras"


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "digits", "--out", "s3://bucket/run"),
        ("train", "digits", "--out", "run", "--images", "gs://bucket/pictures"),
        ("evaluate", "starter-tiny", "digits", "--json", "gs://bucket/scores.json"),
        ("predict", "starter-tiny", "a.jpg", "--out", "hf://buckets/me/drawn"),
        ("export", "starter-tiny", "--out", "s3://bucket/exported"),
        ("convert", "digits", "s3://bucket/out", "--to", "coco"),
        ("prepare", "digits", "gs://bucket/shards"),
        ("inspect", "digits", "--json", "s3://bucket/report.json"),
        ("inspect", "digits", "--json", "file:///tmp/report.json"),
        ("narrow", "starter-tiny", "s3://bucket/small.keras"),
        ("import-darknet", "a.cfg", "s3://bucket/a.weights", "a.keras"),
        ("classify", "train", "digits", "--out", "s3://bucket/run"),
        ("wordtree", "show", "gs://bucket/9k.tree"),
        ("predict", "starter-tiny", "a.jpg", "--json", "-", "--threshold", "s3://bucket/t.json"),
        ("train", "digits", "--out", "run", "--classes", "hf://me/nets/names.txt"),
    ],
    ids=" ".join,
)
def test_where_something_local_is_needed_it_says_so(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    assert call(*arguments) == 2
    said = capsys.readouterr().err
    given = next(argument for argument in arguments if "://" in argument)
    assert "takes no address" in said
    assert f"where: {given}" in said
    assert "expected: a path on this machine" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--license", "--split"])
def test_a_text_may_be_an_address(option, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("export", "missing.keras", "--out", "a.tflite", "--quantize", "int8")
    assert call(*words, "--calibrate", "digits", option, "https://example.org/terms") == 2
    said = capsys.readouterr().err
    assert "takes no address" not in said
    assert "missing.keras" in said


def files_and_texts(one: Path, many: list[Path] | None, out: LocalText | None, said: str | None):
    """A command of each kind of parameter."""


def test_the_type_of_a_parameter_says_whether_it_is_here():
    assert local_parameters(files_and_texts) == {"one", "many", "out"}
    assert {"images", "json", "plot", "report"} <= local_parameters(evaluate)
    assert {"cfg", "weights", "out"} <= local_parameters(import_darknet)
    assert not {"model", "data", "against", "split"} & local_parameters(evaluate)


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (("predict", "s3://bucket/model.keras", "0", "--out", "drawn"), "s3fs"),
        (("export", "gs://bucket/model.keras", "--out", "exported.tflite"), "gcsfs"),
        (("describe", "hf://me/nets/model.keras"), "huggingface_hub"),
        (("train", "digits", "--weights", "s3://bucket/m.keras", "--out", "run"), "s3fs"),
        (("train", "digits", "--model", "gs://bucket/m.keras", "--out", "run"), "gcsfs"),
        (("train", "s3://bucket/shards", "--out", "run", *RUN), "s3fs"),
        (("inspect", "gs://bucket/shards", "--json", "-"), "gcsfs"),
        (("evaluate", "starter-tiny", "hf://datasets/me/shards"), "huggingface_hub"),
        (("convert", "s3://bucket/shards", "out", "--to", "coco"), "s3fs"),
        (("prepare", "s3://bucket/shards", "out"), "s3fs"),
        (("classify", "train", "s3://bucket/shards", "--out", "run"), "s3fs"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_package_that_is_missing_is_named(arguments, package, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setitem(sys.modules, package, None)
    assert call(*arguments) == 2
    said = capsys.readouterr().err
    assert f"is not installed: {package}" in said
    assert f"try: pip install {package}" in said
    assert next(argument for argument in arguments if "://" in argument) in said
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_fetched_once_and_again_when_it_changed(model, memory):
    seen = []
    first = model_path(model, progress=lambda *step: seen.append(step))
    assert first.read_bytes() == path("starter-tiny").read_bytes()
    size = first.stat().st_size
    assert seen[-1] == ("tiny.keras", size, size)
    seen.clear()
    assert model_path(model, progress=lambda *step: seen.append(step)) == first
    assert seen == []
    memory.pipe("/nets/tiny.keras", b"another one")
    second = model_path(model)
    assert (second.read_bytes(), second != first) == (b"another one", True)


def test_commands_take_a_model_by_its_address(model, capsys):
    assert call("describe", model) == 0
    address = capsys.readouterr().out
    assert call("describe", "starter-tiny") == 0
    shipped = capsys.readouterr().out
    assert address.splitlines()[1:] == shipped.splitlines()[1:]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("memory://nets/other.keras", "no such file"),
        ("memory://nets", "no model that can be read from an address"),
        ("memory://nets/saved_model", "no model that can be read from an address"),
        ("nothing://nets/a.keras", "nothing:// is not known"),
    ],
)
def test_what_is_no_model_says_so(given, what, model, capsys, tmp_path):
    assert call("describe", given) == 2
    said = capsys.readouterr().err
    assert what in said
    assert given in said


def test_a_copy_that_breaks_off_leaves_nothing(model, memory, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(type(memory), "size", lambda self, path: 10**9)
    assert call("describe", model) == 2
    assert "bytes came" in capsys.readouterr().err
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_shards_are_fetched_once(memory, tmp_path, capsys):
    pytest.importorskip("tensorflow_datasets")
    noise = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    encoded = [to_png_bytes(Image.fromarray(pixels)) for pixels in noise]
    box, label, counts = np.float32([[0.1, 0.2, 0.6, 0.7]]), np.zeros(1, np.int32), np.ones(1, bool)
    records = [Record(image, str(i), box, label, ~counts) for i, image in enumerate(encoded)]
    write_shards(Dataset("set", ("cat",), records), tmp_path / "shards", shards=2)
    memory.put(str(tmp_path / "shards"), "/data/shards", recursive=True)
    address = "memory://data/shards"
    near, far = open_dataset(tmp_path / "shards"), open_dataset(address)
    assert f"{address}: " in far.notes[0]
    assert str(tmp_path / "cache") in far.notes[0]
    assert [r.image() for r in far.records] == [r.image() for r in near.records]
    assert sorted(r.image() for r in far.records) == sorted(encoded)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "remote").rglob("*")}
    assert call("inspect", address, "--json", "-") == 0
    assert "cat" in capsys.readouterr().out
    after = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "remote").rglob("*")}
    assert before == after
    memory.rm("/data/shards/dataset_info.json")
    assert call("inspect", address, "--json", "-") == 2
    assert "no prepared data set there" in capsys.readouterr().err
