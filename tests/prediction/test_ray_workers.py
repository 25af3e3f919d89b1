"""Pictures through Ray's workers: the rows of one process, also if a worker is killed."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.images import load_image
from yolov2_tf.errors import InputError

MODEL = Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "assets"
MODEL /= "digits.tflite"

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs ray[data]: pip install '.[ray]'"
)


def test_without_ray_there_is_one_message(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    rows = tmp_path / "rows.jsonl"
    command = ("predict", "starter", tmp_path, "--jsonl", rows, "--workers", 2)
    code, _, err = run(*command)
    assert code == 2
    assert "--workers needs Ray Data" in err
    assert "[ray]" in err
    assert not rows.exists()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Four scenes under many names, and one file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for i, record in enumerate(open_digits("test", count=4).records):
        Image.fromarray(load_image(record.image)).save(folder / f"{i}.png")
    for i in range(4, 400):
        (folder / f"{i}.png").hardlink_to(folder / f"{i % 4}.png")
    (folder / "17x.png").write_bytes(b"no picture")
    return folder


def command(folder, rows, *more):
    line = [sys.executable, "-m", "yolov2_tf.cli", "predict", MODEL, folder, "--jsonl", rows, *more]
    return list(map(str, line))


def workers_of(process):
    """Ray's workers below a process that hold a detector."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ended in between
            if "MapWorker" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.fixture(scope="module")
def alone(photos, tmp_path_factory):
    """The file that one process writes."""
    rows = tmp_path_factory.mktemp("alone") / "rows.jsonl"
    subprocess.run(command(photos, rows), check=True, capture_output=True)
    assert len(rows.read_bytes().splitlines()) == 400
    return rows


@needs_ray
@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_all_is_there_once(photos, alone, tmp_path):
    rows = tmp_path / "rows.jsonl"
    process = subprocess.Popen(
        command(photos, rows, "--workers", 2), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while process.poll() is None and len(workers_of(process)) < 2:
        time.sleep(0.05)
    while process.poll() is None and not (rows.exists() and rows.stat().st_size):
        time.sleep(0.01)
    killed = workers_of(process)[0]
    os.kill(killed.pid, signal.SIGKILL)
    after = rows.read_bytes().count(b"\n")
    out, err = map(bytes.decode, process.communicate(timeout=300))
    assert process.returncode == 0, err
    assert after < 400
    assert rows.read_bytes() == alone.read_bytes()
    assert "400 pictures" in out
    assert err.count("skipped") == 1
    assert len(err.splitlines()) == 1, err  # Ray's own words are left out


@needs_ray
@pytest.mark.slow
def test_a_killed_prediction_goes_on_with_workers(photos, alone, tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(alone.read_bytes()[: alone.stat().st_size // 3])
    done = subprocess.run(
        command(photos, rows, "--workers", 2, "--resume"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "were done before" in done.stdout
    assert rows.read_bytes() == alone.read_bytes()


@needs_ray
@pytest.mark.slow
def test_what_a_worker_refuses_is_one_message(photos, tmp_path):
    model = tmp_path / "model.tflite"
    shutil.copy(MODEL, model)
    model.write_bytes(model.read_bytes()[:5000])
    line = command(photos, tmp_path / "rows.jsonl", "--workers", 1)
    line[line.index(str(MODEL))] = str(model)
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert str(model) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "rows.jsonl").exists()


@needs_ray
@pytest.mark.slow
def test_a_picture_that_kills_every_worker_ends_it(photos, tmp_path, monkeypatch):
    """It is tried again a few times, not for ever."""
    from yolov2_tf.prediction import ray_workers

    class Deadly(ray_workers._Worker):
        def __call__(self, batch):
            if any(name.endswith(b"/13.png") for name in batch["name"]):
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__call__(batch)

    monkeypatch.setattr(ray_workers, "_Worker", Deadly)
    names = sorted(str(path) for path in photos.iterdir())
    settings = {"model": MODEL, "least": 0.25, "limits": 0.25, "settings": {}}
    with pytest.raises(InputError, match="the workers cannot go on"):
        list(ray_workers.rows_by_workers(names, 1, **settings))


def test_rows_of_workers_are_those_of_a_process(photos, alone):
    """The worker itself, without Ray around it."""
    from yolov2_tf.prediction.ray_workers import _Worker

    worker = _Worker(MODEL, 0.25, 0.25, {}, 2)
    names = [os.fsencode(photos / name) for name in ("0.png", "17x.png", "1.png")]
    answer = worker({"name": names})
    wanted = {json.loads(line)["image"]: line for line in alone.read_text().splitlines()}
    assert answer["row"].tolist() == [
        wanted[os.fsdecode(names[0])],
        "",
        wanted[os.fsdecode(names[2])],
    ]
    assert "not a picture" in answer["error"][1]
    assert not any(answer["refused"])
