"""The page's arithmetic against the Python runtime's, without a browser."""

import base64
import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.export.layout import read_layout
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.postprocessing import non_max_suppression
from yolov2_tf.web_demo.site import PAGE


@pytest.fixture(scope="module")
def run(node):
    """Runs a function of the page on arrays, bytes and plain values."""

    def call(task, **values):
        values = {k: encoded(v) for k, v in values.items()}
        done = subprocess.run(
            [node, Path(__file__).with_name("modules.mjs"), PAGE],
            input=json.dumps({"task": task, **values}),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return call


def encoded(value):
    if isinstance(value, np.ndarray):
        value = value.tobytes()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("mode", ["stretch", "letterbox"])
@pytest.mark.parametrize(
    ("height", "width", "size"),
    [(37, 53, 96), (480, 333, 160), (1, 7, 32), (200, 3, 64), (64, 64, 64)],
)
def test_resizing_is_the_same_to_the_last_bit(run, height, width, size, mode):
    image = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    rgba = np.concatenate([image, np.full((height, width, 1), 255, np.uint8)], axis=2)
    answer = run("resize", picture=rgba, width=width, height=height, size=size, mode=mode)
    expected, scale, offset = resize(image, size, mode)
    pixels = np.frombuffer(base64.b64decode(answer["pixels"]), np.float32)
    np.testing.assert_array_equal(pixels.reshape(expected.shape), expected)
    np.testing.assert_array_equal(np.float32(answer["scale"]), scale)
    np.testing.assert_array_equal(np.float32(answer["offset"]), offset)


@pytest.mark.parametrize("per_class", [True, False])
@pytest.mark.parametrize(("threshold", "most"), [(0.3, 20), (0.0, 7)])
def test_suppression_is_the_same(run, per_class, threshold, most):
    random = np.random.default_rng(most)
    centres, sizes = random.uniform(0, 1, (90, 2)), random.uniform(0.05, 0.6, (90, 2))
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)
    boxes[:3, 2:] = boxes[:3, :2]  # without area
    scores = random.uniform(0, 1, (90, 4)).astype(np.float32)
    scores[5:9] = scores[5]  # ties
    settings = {
        "score_threshold": threshold,
        "iou_threshold": 0.45,
        "max_detections": most,
        "per_class": per_class,
    }
    found = run("suppress", boxes=boxes, scores=scores, settings=settings)
    limits = Thresholds(threshold, 0.45, most)
    expected = non_max_suppression(boxes, scores, thresholds=limits, per_class=per_class)
    np.testing.assert_array_equal([f["label"] for f in found], expected["labels"])
    np.testing.assert_array_equal(np.float32([f["score"] for f in found]), expected["scores"])
    np.testing.assert_array_equal(np.float32([f["box"] for f in found]), expected["boxes"])


def test_layouts_are_read(run, models, tmp_path):
    for path in models.values():
        read, expected = run("readLayout", file=path.read_bytes()), read_layout(path).to_json()
        assert read == {key: expected[key] for key in read}  # old files do not say all
        assert expected.keys() - read.keys() <= {"outputs", "version"}
    # An archive whose offsets do not count the network before it, as `cat` makes one.
    alone = tmp_path / "alone.zip"
    with zipfile.ZipFile(alone, "w") as archive:
        archive.writestr("labels.txt", "a\nb")
        archive.writestr("yolov2.json", json.dumps({"class_names": ["ä", "b"]}))
    joined = b"TFL3" * 99 + alone.read_bytes()
    assert run("readLayout", file=joined) == {"class_names": ["ä", "b"]}


@pytest.mark.parametrize("length", [0, 10, 21, 22, 5_000])
def test_files_without_a_layout_are_refused(run, models, length):
    for content in (bytes(length), models["float"].read_bytes()[: -length - 1]):
        assert "yolov2 export" in run("readLayout", file=content)["error"]
