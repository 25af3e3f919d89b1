"""Exported files in environments that hold nothing of ours but this package, or not even that.

The environments are made by pip, so these tests need a package index.
"""

import json
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.data.images import load_image
from yolov2_tf.export.check import unmatched
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.zoo import shipped

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "node_modules")
FORMS = ("none", "none_raw", "fp16", "dynamic", "int8", "int8_raw")

RUN = """
import json, sys
from yolov2_tf import open_model
answers = []
for path in sys.argv[2:]:
    detector = open_model(path, threads=1)
    answers.append({k: v.tolist() for k, v in detector.detect(sys.argv[1]).items()})
print(json.dumps({"runtime": detector.runtime, "answers": answers}))
"""

MEDIAPIPE = """
import json, sys
import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision
answers = []
for path in sys.argv[2:]:
    options = vision.ObjectDetectorOptions(
        base_options=tasks.BaseOptions(model_asset_path=path), score_threshold=0.25
    )
    with vision.ObjectDetector.create_from_options(options) as detector:
        found = detector.detect(mp.Image.create_from_file(sys.argv[1])).detections
    answers.append([
        {
            "label": category.category_name,
            "score": category.score,
            "box": [d.bounding_box.origin_y, d.bounding_box.origin_x,
                    d.bounding_box.height, d.bounding_box.width],
        }
        for d in found  # MediaPipe joins detections of one box
        for category in d.categories
    ])
print(json.dumps(answers))
"""


def environment(folder, *packages):
    """A new virtual environment; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip(python, *packages)
    return python


def pip(python, *arguments):
    quiet = ("--quiet", "--disable-pip-version-check")
    subprocess.run([python, "-m", "pip", "install", *quiet, *arguments], check=True)


def ask(python, script, *arguments):
    """What a script prints last, as JSON. Run elsewhere, so that the checkout is not imported."""
    run = subprocess.run(
        [python, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=python.parent,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of what makes the package, so that building it leaves nothing in the checkout."""
    folder = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("yolov2_tf", "export", "web_demo"):
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
    return folder


@pytest.mark.parametrize(
    ("packages", "runtime"),
    [
        (("numpy<2", "pillow", "tflite-runtime"), "tflite_runtime"),
        (("numpy", "pillow", "ai-edge-litert"), "ai_edge_litert"),
    ],
)
def test_every_form_runs_with_only_a_tflite_runtime(
    packages, runtime, source, exported, pictures, tmp_path
):
    python = environment(tmp_path / "environment", *packages)
    pip(python, "--no-deps", str(source))
    picture = tmp_path / "picture.png"
    Image.fromarray(pictures[0]).save(picture)
    paths = [exported[form][0] for form in FORMS]
    result = ask(python, RUN, picture, *paths)
    assert result["runtime"].startswith(runtime)
    for form, path, answer in zip(FORMS, paths, result["answers"], strict=True):
        found = {name: np.array(values) for name, values in answer.items()}
        wanted = TFLiteDetector(path).detect(pictures[0])
        assert len(wanted["labels"])
        # Kernels of runtimes round differently: int8 by a step here and there.
        tolerance = 1e-4 if form in ("none", "none_raw", "fp16") else 0.05
        missing = unmatched(wanted, found, score=tolerance, distance=tolerance)
        assert missing <= 0.1 * len(wanted["labels"])


@pytest.fixture(scope="module")
def trained(shared_data, tmp_path_factory):
    """Files of a real VOC network, and photos."""
    folder = tmp_path_factory.mktemp("trained")
    network = shared_data / "yolo_lite" / "tiny-yolov2-trial3"
    names = (shared_data / "darknet" / "voc.names").read_text().split()
    photos = {path.stem: load_image(path) for path in (shared_data / "darknet").glob("*.jpg")}
    conversion = Conversion(
        import_darknet(f"{network}.cfg", f"{network}.weights", class_names=names)
    )
    paths = [folder / f"{quantization}.tflite" for quantization in ("none", "fp16", "int8")]
    for path in paths:
        conversion.write(path, quantization=path.stem, calibration=photos.values())
    return paths, photos


@pytest.fixture(scope="module")
def mediapipe(tmp_path_factory):
    """A function from a picture and files to MediaPipe's answers, the best detection first."""
    folder = tmp_path_factory.mktemp("mediapipe")
    python = environment(folder / "environment", "mediapipe")

    def detect(picture, paths):
        Image.fromarray(picture).save(folder / "picture.png")
        answers = ask(python, MEDIAPIPE, folder / "picture.png", *paths)
        return [sorted(answer, key=lambda found: -found["score"]) for answer in answers]

    return detect


def assert_answers_match(answer, path, pixels, shape, *, score, distance):
    """Compares with what our runtime finds in `pixels`; `shape` is that of MediaPipe's picture."""
    runner = TFLiteDetector(path)
    wanted = runner.detect(pixels)
    assert [found["label"] for found in answer] == [
        runner.class_names[label] for label in wanted["labels"]
    ]
    scores = [found["score"] for found in answer]
    np.testing.assert_allclose(scores, wanted["scores"], atol=score)
    start, end = wanted["boxes"][:, :2], wanted["boxes"][:, 2:]
    boxes = np.concatenate([start, end - start], axis=1) * np.tile(shape[:2], 2)
    assert np.abs([found["box"] for found in answer] - boxes).max() <= distance


@pytest.mark.parametrize("photo", ["dog", "horses", "person"])
def test_mediapipe_detects_the_same(photo, trained, mediapipe):
    paths, photos = trained
    picture = np.rint(resize(photos[photo], 224, "stretch")[0]).astype(np.uint8)
    for path, answer in zip(paths, mediapipe(picture, paths), strict=True):
        assert len(answer) > 3
        # MediaPipe cuts the origin and the size of a box to whole pixels.
        assert_answers_match(answer, path, picture, picture.shape, score=1e-5, distance=1)


def test_mediapipe_resizes_in_a_way_of_its_own(trained, mediapipe):
    paths, photos = trained
    picture = photos["dog"]
    height, width = picture.shape[:2]
    # Bilinear like ours, but pixels' corners stand where their centres should.
    scale = np.diag([224 / width, 224 / height, 1.0])
    as_mediapipe = cv2.warpPerspective(picture, scale, (224, 224), borderMode=cv2.BORDER_REPLICATE)
    (answer,) = mediapipe(picture, paths[:1])
    assert {found["label"] for found in answer} == {"dog", "bicycle", "car"}
    assert_answers_match(answer, paths[0], as_mediapipe, picture.shape, score=0.01, distance=2)


SERVED = """
import json, sys
import tensorflow as tf
signatures = tf.saved_model.load(sys.argv[1]).signatures
encoded = [tf.io.read_file(path) for path in sys.argv[2:]]
outputs = signatures["image_bytes"](image_bytes=tf.stack(encoded))
answer = {name: values.numpy().tolist() for name, values in outputs.items() if "names" not in name}
answer["names"] = [[n.decode() for n in row] for row in outputs["detection_names"].numpy()]
answer["raw"] = list(signatures["raw"](images=tf.zeros((2, 96, 96, 3)))["head"].shape)
try:
    signatures["image_bytes"](image_bytes=tf.stack([encoded[0], b"no picture"]))
except tf.errors.InvalidArgumentError as error:
    answer["refused"] = str(error)
print(json.dumps({"version": tf.__version__, **answer}))
"""


def test_the_pinned_tensorflow_serving_can_read_a_saved_model(
    saved_model, loaded, pictures, tmp_path
):
    """By the TensorFlow of its version: TensorFlow Serving itself is in no package index."""
    compose = (ROOT / "export" / "serving" / "compose.yaml").read_text()
    (pin,) = re.findall(r"image: tensorflow/serving:(\S+)", compose)
    try:
        python = environment(tmp_path / "environment", f"tensorflow=={pin}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"pip cannot install tensorflow=={pin} here (code {error.returncode})")
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    _, version, _ = saved_model
    answer = ask(python, SERVED, version, *paths)
    assert answer["version"] == pin
    assert answer["raw"] == [2, 3, 3, 40]
    assert "Error decoding" in answer["refused"] or "DecodeImage" in answer["refused"]
    for number, wanted in enumerate(loaded.detect(pictures)):
        count = answer["num_detections"][number]
        scores = np.array(answer["detection_scores"][number][:count])
        sure = scores > loaded.score_threshold
        assert sure.sum() == len(wanted["scores"]) > 0
        np.testing.assert_allclose(scores[sure], wanted["scores"], atol=1e-4)
        boxes = np.array(answer["detection_boxes"][number])[:count][sure]
        np.testing.assert_allclose(boxes, wanted["boxes"], atol=1e-4)
        names = np.array(answer["names"][number])[:count][sure]
        assert names.tolist() == [loaded.class_names[label] for label in wanted["labels"]]


OFFLINE = """
import json, pathlib, socket, sys
def refuse(*_):
    raise OSError("this test is offline")
socket.socket.connect = refuse
from yolov2_tf import cli
sys.argv = ["yolov2", "predict", "starter", sys.argv[1], "--json", sys.argv[2]]
try:
    cli.main()
except SystemExit as end:
    assert not end.code
print(json.dumps(json.loads(pathlib.Path(sys.argv[-1]).read_text())))
"""


def test_the_wheel_finds_things_out_of_the_box(source, tmp_path):
    """The package with all that pip brings along, and no network once it is installed."""
    wheels = tmp_path / "wheels"
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", wheels, source]
    subprocess.run(build, check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {Path(name).stem for name in archive.namelist() if "/networks/" in name}
    assert held == set(shipped.NETWORKS)
    photo = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    python = environment(tmp_path / "environment", str(wheel))
    (answer,) = ask(python, OFFLINE, photo, tmp_path / "found.json")
    assert "person" in {found["label"] for found in answer["detections"]}
