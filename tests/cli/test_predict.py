"""`yolov2 predict` as users call it: what it draws, saves, cuts out and shows."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset

SHIPPED = Path(__file__).parents[2] / "android_demo" / "app" / "src" / "main" / "assets"


@pytest.fixture(scope="module")
def model():
    path = SHIPPED / "digits.tflite"
    return path if path.is_file() else pytest.skip("needs the shipped digits.tflite")


@pytest.fixture(scope="module")
def scenes():
    return [load_image(record.image) for record in open_digits("test", count=4).records]


@pytest.fixture
def photos(scenes, tmp_path):
    """A folder with two pictures of one name, and one that EXIF turns."""
    folder = tmp_path / "photos"
    for name, scene in zip(("a.png", "b/a.png", "b/turned.jpg"), scenes, strict=False):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if "turned" in name:  # stored on its side
            exif[0x0112], scene = 6, np.rot90(scene)[:, :180]
        Image.fromarray(scene).save(folder / name, exif=exif)
    return folder


@pytest.mark.parametrize("form", ["yolo", "voc", "coco"])
def test_annotations_give_the_same_boxes_back(run, model, photos, tmp_path, form):
    out = tmp_path / "out"
    code, text, _ = run("predict", model, photos, "--out", out, "--save", form, "--json", "-")
    assert code == 0
    found = {row["image"]: row["detections"] for row in json.loads(text)}
    assert sum(map(len, found.values())) >= 3
    dataset = open_dataset(out / form)
    assert len(dataset) == len(found)
    back = []
    for record in dataset.records:
        shape = load_image(record.image).shape[:2]
        rows = [
            (dataset.class_names[label], *(box * np.tile(shape, 2)).tolist())
            for box, label in zip(record.boxes, record.labels, strict=True)
        ]
        back.append((shape, sorted(rows)))
    expected = []
    for name, detections in found.items():
        shape = load_image(name).shape[:2]
        rows = [
            (one["label"], *(np.clip(one["box"], 0, 1) * np.tile(shape, 2)).tolist())
            for one in detections
        ]
        expected.append((shape, sorted(rows)))
    for (shape, rows), (other_shape, others) in zip(sorted(back), sorted(expected), strict=True):
        assert shape == other_shape
        assert [row[0] for row in rows] == [row[0] for row in others]
        np.testing.assert_allclose(
            [row[1:] for row in rows], [row[1:] for row in others], atol=0.02
        )


def test_crops_are_the_detections(run, model, photos, tmp_path):
    out = tmp_path / "out"
    code, text, _ = run("predict", model, photos, "--out", out, "--crop", "--json", "-")
    assert code == 0
    for row in json.loads(text):
        image = load_image(row["image"])
        place = Path(row["image"]).relative_to(photos)
        assert (out / place).is_file()
        numbers = {}
        for one in row["detections"]:
            label = one["label"]
            numbers[label] = numbers.get(label, 0) + 1
            name = f"{place.stem}-{numbers[label]}.png"
            part = load_image(out / "crops" / label / place.parent / name)
            height, width = image.shape[:2]
            y_min, x_min, y_max, x_max = np.clip(one["box"], 0, 1)
            assert abs(part.shape[0] - (y_max - y_min) * height) < 2
            assert abs(part.shape[1] - (x_max - x_min) * width) < 2


class Camera:
    """Stands in for `cv2.VideoCapture` of a camera: some frames, then somebody presses Ctrl-C."""

    frames = ()

    def __init__(self, number):
        assert number == 0
        self._frames = iter(self.frames)

    def read(self):
        frame = next(self._frames, None)
        if frame is None:
            raise KeyboardInterrupt
        return True, frame[..., ::-1]

    def release(self):
        pass


def test_a_camera_is_recorded_until_it_is_stopped(run, model, scenes, tmp_path, monkeypatch):
    capture = cv2.VideoCapture
    Camera.frames = [np.roll(scenes[0], 4 * i, axis=1) for i in range(9)]
    monkeypatch.setattr(cv2, "VideoCapture", lambda n: Camera(n) if n == 0 else capture(n))
    code, text, _ = run("predict", model, "0", "--out", tmp_path, "--json", "-")
    assert code == 0
    assert [row["image"] for row in json.loads(text)] == [f"camera 0#{i}" for i in range(9)]
    assert any(row["detections"] for row in json.loads(text))
    written = capture(str(tmp_path / "camera0.mp4"))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 9
    first = written.read()[1][..., ::-1].astype(int)
    other = written.read()[1][..., ::-1].astype(int)
    assert np.abs(first - other).mean() > 1  # it moves
    assert first.shape == scenes[0].shape


def test_the_window_shows_drawings_and_q_ends(run, model, photos, monkeypatch):
    shown, keys = [], [ord("x"), ord("q")]
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda delay: keys[len(shown) - 1] if delay == 0 else -1)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    code, _, _ = run("predict", model, photos, "--show")
    assert code == 0
    assert len(shown) == 2
    assert not np.array_equal(shown[0][..., ::-1], load_image(photos / "a.png"))


def test_without_windows_there_is_one_message(run, model, photos, monkeypatch):
    def refuse(*_):
        raise cv2.error("no GUI")

    monkeypatch.setattr(cv2, "imshow", refuse)
    monkeypatch.setattr(cv2, "destroyAllWindows", refuse)
    code, _, err = run("predict", model, photos, "--show")
    assert code == 2
    assert "no window" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "-", "--save", "yolo"], "without --out"),
        (["--json", "-", "--crop"], "without --out"),
        (["--out", "{out}", "--save", "pdf"], "--save 'pdf'"),
        (["clip.mp4", "--out", "{out}", "--save", "voc"], "no such file"),
        (["0", "--out", "{out}", "--save", "voc"], "pictures alone"),
        ([], "nowhere to put"),
        (["--jsonl", "-", "--resume"], "--jsonl FILE alone"),
        (["--json", "{out}", "--resume"], "--jsonl FILE alone"),
        (
            ["--out", "{out}", "--save", "voc", "--resume", "--jsonl", "{out}.jsonl"],
            "--resume with",
        ),
        (["0", "--jsonl", "{out}.jsonl", "--resume"], "pictures alone"),
        (["0", "--jsonl", "{out}.jsonl", "--workers", "2"], "pictures alone"),
        (["--out", "{out}", "--workers", "2"], "only writes rows"),
        (["--jsonl", "{out}.jsonl", "--batch-size", "2"], "--batch-size is fixed"),
        (["--jsonl", "{out}.jsonl", "--provider", "CPU"], "--provider is fixed"),
        (["--json", "{out}.jsonl", "--jsonl", "{out}2.jsonl"], "two files of lines"),
        (["--show", "--batch-size", "2"], "--batch-size with --show"),
    ],
)
def test_what_does_not_go_together_is_named(run, model, photos, tmp_path, arguments, message):
    out = tmp_path / "out"
    code, _, err = run("predict", model, photos, *(a.format(out=out) for a in arguments))
    assert code == 2
    assert message in err.replace("\n", " ")
    assert not out.exists()


@pytest.fixture
def odd_name(photos):
    """A picture with a name that is not UTF-8."""
    path = photos / os.fsdecode(b"stra\xdfe.png")
    try:
        shutil.copy(photos / "a.png", path)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    return path


def test_names_that_annotations_cannot_have_are_refused_before_any_work(
    run, model, photos, odd_name, tmp_path
):
    out = tmp_path / "out"
    code, text, err = run("predict", model, photos, "--out", out, "--save", "yolo", "--json", "-")
    assert code == 2
    assert r"stra\xdfe.png" in err
    assert "not UTF-8" in err
    assert not text
    assert not out.exists()


def test_they_are_drawn_and_listed(run, model, photos, odd_name, tmp_path):
    code, text, _ = run("predict", model, photos, "--out", tmp_path / "out", "--json", "-")
    assert code == 0
    assert str(odd_name) in [row["image"] for row in json.loads(text)]
    assert (tmp_path / "out" / odd_name.name).is_file()


def test_annotations_are_not_written_over_others(run, model, photos, tmp_path):
    (tmp_path / "out" / "yolo").mkdir(parents=True)
    shutil.copy(photos / "a.png", tmp_path / "out" / "yolo")
    code, _, err = run("predict", model, photos, "--out", tmp_path / "out", "--save", "yolo")
    assert code == 2
    assert "not empty" in err


def test_pictures_of_formats_without_a_reader_are_named(run, model, photos, tmp_path):
    heic = tmp_path / "photo.heic"
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    code, text, err = run("predict", model, heic, photos / "a.png", "--json", "-")
    assert code == 0
    assert len(json.loads(text)) == 1
    # With pillow-heif it is a broken one.
    assert "which needs pillow-heif" in err or "not a picture, or of an unknown format" in err


def test_avif_is_read_where_pillow_reads_it(run, model, scenes, tmp_path):
    from PIL import features

    if not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    Image.fromarray(scenes[0]).save(tmp_path / "a.avif", quality=95)
    code, text, _ = run("predict", model, tmp_path / "a.avif", "--out", tmp_path / "out",
                        "--json", "-")  # fmt: skip
    assert code == 0
    assert json.loads(text)[0]["detections"]
    assert (tmp_path / "out" / "a.png").is_file()


@pytest.mark.parametrize("options", [[], ["--save", "yolo"], ["--crop"]])
def test_nothing_readable_leaves_no_folder(run, model, tmp_path, options):
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")
    out = tmp_path / "deep" / "x"
    code, _, err = run("predict", model, tmp_path / "bad.jpg", "--out", out, *options)
    assert code == 2
    assert "none of the pictures" in err.replace("\n", " ")
    assert not (tmp_path / "deep").exists()


def test_lines_are_the_rows_of_the_list(run, model, photos, tmp_path):
    (photos / "c.png").write_bytes(b"no picture")
    code, text, _ = run("predict", model, photos, "--json", "-")
    assert code == 0
    rows = json.loads(text)
    assert [Path(row["image"]).name for row in rows] == ["a.png", "a.png", "turned.jpg"]
    for given in (("--jsonl", "-"), ("--json", tmp_path / "2.jsonl", "--out", tmp_path / "out")):
        code, out, err = run("predict", model, photos, *given)
        assert code == 0
        assert "skipped" in err
        lines = out if "-" in given else given[1].read_text()
        assert [json.loads(line) for line in lines.splitlines()] == rows
    both = ("--json", tmp_path / "3.json", "--jsonl", tmp_path / "3.jsonl")
    assert run("predict", model, photos, *both)[0] == 0
    assert json.loads((tmp_path / "3.json").read_text()) == rows
    assert (tmp_path / "3.jsonl").read_text() == (tmp_path / "2.jsonl").read_text()


def test_a_list_of_pictures(run, model, photos, tmp_path, monkeypatch):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "own.png").write_bytes((photos / "a.png").read_bytes())
    names = ["photos/b/turned.jpg", "", str(photos / "a.png"), "own.png", "gone.png"]
    (tmp_path / "lists" / "some.txt").write_text("\n".join(names))
    monkeypatch.chdir(tmp_path)
    code, text, err = run("predict", model, "lists/some.txt", "--jsonl", "-", "--out", "out")
    assert code == 0
    seen = [json.loads(line)["image"] for line in text.splitlines()]
    assert seen == [names[0], names[2], "lists/own.png"]
    assert "skipped: gone.png" in err
    assert Path("out/photos/b/turned.jpg").is_file()
    for content in (b"", b"\xff\xfe\x00"):
        Path("bad.txt").write_bytes(content)
        code, _, err = run("predict", model, "bad.txt", "--jsonl", "-")
        assert code == 2
        assert "list" in err


def test_a_terminated_prediction_leaves_nothing_half_written(model, photos, tmp_path):
    folder, out = tmp_path / "many", tmp_path / "out"
    folder.mkdir()
    for i in range(2000):
        (folder / f"{i:04}.png").hardlink_to(photos / "a.png")
    command = [sys.executable, "-m", "yolov2_tf.cli", "predict", model, folder, "--out", out]
    command += ["--json", tmp_path / "found.json"]
    child = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    while not (out / "0003.png").exists() and child.poll() is None:
        time.sleep(0.002)
    child.send_signal(signal.SIGTERM)
    assert child.wait() == 128 + signal.SIGTERM
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "out", "photos"]
    assert all(path.is_file() and not path.name.startswith(".") for path in out.iterdir())


def test_a_killed_prediction_goes_on(run, model, photos, tmp_path):
    """Killed again and again: each picture is there once, as if nothing had been."""
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(300):
        (folder / f"{i:03}.png").hardlink_to(photos / "a.png")
    (folder / "000-.png").write_bytes(b"no picture")
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    assert run("predict", model, folder, "--jsonl", whole)[0] == 0
    command = [sys.executable, "-m", "yolov2_tf.cli", "predict", model, folder, "--jsonl", killed]
    lines = 0
    for wanted in (1, 60):
        child = subprocess.Popen([*map(str, command), "--resume"], stderr=subprocess.DEVNULL)
        while lines < wanted and child.poll() is None:
            lines = killed.read_bytes().count(b"\n") if killed.exists() else 0
            time.sleep(0.002)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert wanted <= killed.read_bytes().count(b"\n") < 300
    with open(killed, "ab") as file:  # a kill in the middle of a line
        file.write(b'{"image": "')
    code, text, _ = run("predict", model, folder, "--jsonl", killed, "--resume")
    assert code == 0
    assert "were done before" in text
    assert killed.read_bytes() == whole.read_bytes()
    code, text, _ = run("predict", model, folder, "--jsonl", killed, "--resume")
    assert code == 0
    assert "0 pictures, 300 were done before" in text
    assert killed.read_bytes() == whole.read_bytes()
    code, _, err = run("predict", model, folder, "--jsonl", killed)
    assert code == 2
    assert "not empty" in err
    assert killed.read_bytes() == whole.read_bytes()
