"""Shards by the workers of Apache Beam, in an environment that pip makes from the extra."""

import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.tfds_writer import write_shards
from yolov2_tf.errors import InputError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
LOCAL = "runner=DirectRunner,direct_num_workers=2,direct_running_mode=multi_processing"


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """`yolov2` of an environment with the package and its extra `beam`."""
    folder = tmp_path_factory.mktemp("beam")
    venv.create(folder / "environment", with_pip=True)
    programs = folder / "environment" / "bin"
    quiet = ("--quiet", "--disable-pip-version-check")
    pip = [programs / "python", "-m", "pip", "install", *quiet, f"{ROOT}[beam]"]
    subprocess.run(pip, check=True)
    return programs / "yolov2"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """200 pictures in a CSV of two image sets."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    heading = "image,xmin,ymin,xmax,ymax,label"
    for split, numbers in (("train", range(150)), ("val", range(150, 200))):
        rows = [heading]
        for i in numbers:
            pixels = rng.integers(0, 256, (20, 30 + i, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
            rows += [f"{i}.png,{j},2,{j + 9},12,{'cat' if j else 'dog'}" for j in range(i % 3)]
        (folder / f"{split}_labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def prepare(command, *arguments):
    run = subprocess.run(
        [command, "prepare", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=command.parent,
    )
    return run.returncode, run.stderr


def test_workers_write_what_one_process_writes(command, data, tmp_path):
    options = ("--shards", 3, "--beam-pipeline-options", LOCAL)
    code, err = prepare(command, data, tmp_path / "many", *options)
    assert code == 0, err
    write_shards(open_dataset(data), tmp_path / "one", shards=3)
    names = sorted(path.name for path in (tmp_path / "one").glob("*array_record*"))
    assert len(names) == 6
    assert sorted(path.name for path in (tmp_path / "many").glob("*array_record*")) == names
    for split in ("train_labels", "val_labels"):
        one, many = (open_dataset(tmp_path / name, split=split) for name in ("one", "many"))
        assert len(one) == len(many) > 0
        of = {record.image_id: record for record in many.records}
        for record in one.records:
            np.testing.assert_array_equal(record.boxes, of[record.image_id].boxes)
            np.testing.assert_array_equal(record.labels, of[record.image_id].labels)


@pytest.mark.parametrize("options", ["runner=NoSuchRunner", "no_such_option=1"])
def test_what_beam_does_not_take_is_one_message(command, data, tmp_path, options):
    code, err = prepare(command, data, tmp_path / "out", "--beam-pipeline-options", options)
    assert code == 2, err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_picture_that_a_worker_cannot_read_leaves_nothing(command, data, tmp_path):
    bad = tmp_path / "data"
    bad.mkdir()
    for path in data.iterdir():
        (bad / path.name).write_bytes(path.read_bytes())
    picture = bad / "151.png"
    Image.open(picture).save(picture, "GIF")  # is decoded; PNG and JPEG are written as they are
    picture.write_bytes(picture.read_bytes()[:900])  # its header is whole
    options = ("--no-check", "--beam-pipeline-options", LOCAL)
    code, err = prepare(command, bad, tmp_path / "out", *options)
    _, _, message = err.rpartition("error: ")  # behind what the worker itself tells
    assert (code, "151.png" in message, "Traceback" in message) == (2, True, False), err
    assert not (tmp_path / "out").exists()


def test_without_beam_it_says_what_to_install(data, tmp_path):
    pytest.importorskip("tensorflow_datasets", reason="needs tensorflow-datasets")
    with pytest.raises(InputError, match="Apache Beam is not installed"):
        write_shards(open_dataset(data), tmp_path / "out", beam_options=["runner=DirectRunner"])
