"""The NumPy runtime against TensorFlow's definitions and the Keras detector."""

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolov2_tf.detection.non_max_suppression import NonMaxSuppression
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import SCORE, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export.check import unmatched
from yolov2_tf.export.layout import read_layout
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.postprocessing import non_max_suppression
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.resize import MODES, box_transform, resize_image

FLOAT_FORMS = ("none", "none_raw", "fp16")
FORMS = (*FLOAT_FORMS, "dynamic", "int8", "int8_raw")


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    size=st.sampled_from([32, 33, 96]),
    mode=st.sampled_from(MODES),
    seed=st.integers(0, 99),
)
def test_resizes_like_tensorflow_to_the_last_bit(height, width, size, mode, seed):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    resized, scale, offset = resize(image, size, mode)
    np.testing.assert_array_equal(resized, resize_image(image, size, mode))
    expected = box_transform(tf.constant([height, width]), size, mode)
    np.testing.assert_array_equal((scale, offset), np.stack(expected))


@settings(max_examples=30, deadline=None)
@given(
    boxes=st.integers(1, 60),
    classes=st.integers(1, 5),
    per_class=st.booleans(),
    threshold=st.sampled_from([0.0, 0.3, 0.99]),
    seed=st.integers(0, 999),
)
def test_suppresses_like_the_layer(boxes, classes, per_class, threshold, seed):
    random = np.random.default_rng(seed)
    corners = np.sort(random.uniform(-0.2, 1.2, (boxes, 2, 2)), axis=1)
    candidates = corners.reshape(boxes, 4).astype(np.float32)
    scores = random.uniform(size=(boxes, classes)).astype(np.float32)
    layer = NonMaxSuppression(threshold, 0.45, 20, per_class=per_class)
    expected = {k: v.numpy()[0] for k, v in layer(candidates[None], scores[None]).items()}
    limits = Thresholds(threshold, 0.45, 20)
    found = non_max_suppression(candidates, scores, thresholds=limits, per_class=per_class)
    count = expected["num_detections"]
    assert len(found["labels"]) == count
    for name in ("boxes", "labels", "scores"):
        np.testing.assert_array_equal(found[name], expected[name][:count])


@pytest.fixture(scope="module")
def expected(model, pictures):
    return list(detect(detector(model, SCORE), pictures))


@pytest.mark.parametrize("form", FLOAT_FORMS)
def test_float_files_detect_what_the_model_detects(form, exported, pictures, expected):
    runner = TFLiteDetector(exported[form][0])
    for picture, wanted in zip(pictures, expected, strict=True):
        found = runner.detect(picture)
        assert len(wanted["labels"]) > 0
        if form == "fp16":
            assert unmatched(wanted, found) <= 1
            continue
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-5)
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-5)


@pytest.mark.parametrize("form", ["dynamic", "int8"])
def test_quantised_files_detect_nearly_the_same(form, exported, pictures, expected):
    runner = TFLiteDetector(exported[form][0])
    found = [runner.detect(picture) for picture in pictures]
    missing = sum(
        unmatched(wanted, one, score=0.15, distance=0.1)
        for wanted, one in zip(expected, found, strict=True)
    )
    assert missing < 0.2 * sum(len(wanted["labels"]) for wanted in expected)


def test_suppression_in_the_file_and_in_numpy_agree(exported, pictures):
    inside, outside = (TFLiteDetector(exported[name][0]) for name in ("int8", "int8_raw"))
    for picture in pictures:
        one, other = inside.detect(picture), outside.detect(picture)
        np.testing.assert_array_equal(one["labels"], other["labels"])
        np.testing.assert_allclose(one["boxes"], other["boxes"], atol=1e-6)
        np.testing.assert_allclose(one["scores"], other["scores"], atol=1e-6)


def test_detections_are_clipped_sorted_and_above_the_threshold(exported, pictures):
    runner = TFLiteDetector(exported["none"][0], score_threshold=0.3)
    for picture in pictures:
        found = runner.detect(picture)
        assert found["boxes"].shape == (len(found["scores"]), 4)
        assert found["labels"].dtype == np.int32
        assert ((found["boxes"] >= 0) & (found["boxes"] <= 1)).all()
        assert (found["scores"] > 0.3).all()
        assert (np.diff(found["scores"]) <= 0).all()


def test_takes_paths_bytes_and_arrays(exported, pictures, tmp_path):
    runner = TFLiteDetector(exported["none"][0], threads=1)
    path = tmp_path / "picture.png"
    Image.fromarray(pictures[2]).save(path)
    wanted = runner.detect(pictures[2])
    for picture in (path, str(path), path.read_bytes()):
        np.testing.assert_array_equal(runner.detect(picture)["boxes"], wanted["boxes"])


def test_applies_exif_orientation(exported, pictures, tmp_path):
    runner = TFLiteDetector(exported["none"][0])
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(pictures[2])))  # as a camera stores it
    exif = turned.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    np.testing.assert_array_equal(
        runner.detect(file.getvalue())["boxes"], runner.detect(pictures[2])["boxes"]
    )


def test_says_what_it_is(exported):
    runner = TFLiteDetector(exported["int8"][0])
    assert runner.class_names == ("cat", "dog", "bird")
    assert runner.input_size == 96
    assert runner.runtime.startswith("ai_edge_litert ")
    assert runner.layout.quantization == "int8"
    assert runner.layout.resize == "letterbox"
    assert np.shape(runner.layout.anchors) == (5, 2)


def test_threshold_below_the_file_s_own_is_refused(exported):
    with pytest.raises(InputError, match=r"0\.001 cannot be had.*--no-nms"):
        TFLiteDetector(exported["none"][0], score_threshold=0.001)
    assert TFLiteDetector(exported["none_raw"][0], score_threshold=0.001).score_threshold == 0.001
    with pytest.raises(InputError, match="0 to 1"):
        TFLiteDetector(exported["none"][0], score_threshold=1.5)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_picture_are_refused(array, exported):
    with pytest.raises(InputError, match=r"expected \(height, width, 3\) uint8"):
        TFLiteDetector(exported["none"][0]).detect(array)


def test_pictures_that_cannot_be_read_are_refused(exported, tmp_path):
    runner = TFLiteDetector(exported["none"][0])
    with pytest.raises(InputError, match="not a picture"):
        runner.detect(b"no picture")
    with pytest.raises(InputError, match="cannot be opened"):
        runner.detect(tmp_path / "missing.jpg")


def test_files_that_are_not_ours_are_refused(exported, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_layout(tmp_path / "missing.tflite")
    content = exported["none"][0].read_bytes()
    foreign = tmp_path / "foreign.tflite"
    for damaged in (b"", b"TFL3", content[: len(content) // 2], content[:-40]):
        foreign.write_bytes(damaged)
        with pytest.raises(InputError, match=r"yolov2\.json.*yolov2 export"):
            TFLiteDetector(foreign)
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("yolov2.json", json.dumps(read_layout(exported["none"][0]).to_json()))
    with pytest.raises(InputError, match="cannot run it"):
        TFLiteDetector(foreign)


SCRIPT = """
import json, sys
if {blocked!r}:
    sys.modules[{blocked!r}] = None
from yolov2_tf.export.runtime import TFLiteDetector
answers = []
for path in sys.argv[2:]:
    detector = TFLiteDetector(path, threads=1)
    answers.append({{k: v.tolist() for k, v in detector.detect(sys.argv[1]).items()}})
heavy = sorted({{"tensorflow", "keras", "matplotlib", "scipy"}} & set(sys.modules))
print(json.dumps({{"answers": answers, "runtime": detector.runtime, "heavy": heavy}}))
"""


@pytest.mark.parametrize(
    ("blocked", "runtime"), [("", "ai_edge_litert"), ("ai_edge_litert", "tflite_runtime")]
)
def test_both_runtimes_detect_the_same_without_tensorflow(
    blocked, runtime, exported, pictures, tmp_path
):
    picture = tmp_path / "picture.png"
    Image.fromarray(pictures[0]).save(picture)
    paths = [str(exported[form][0]) for form in FORMS]
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(blocked=blocked), str(picture), *paths],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["runtime"].startswith(runtime)
    assert result["heavy"] == []
    for form, path, answer in zip(FORMS, paths, result["answers"], strict=True):
        found = {name: np.array(values) for name, values in answer.items()}
        wanted = TFLiteDetector(path).detect(pictures[0])
        # Kernels round differently: int8 by a step here and there.
        tolerance = 1e-4 if form in FLOAT_FORMS else 0.05
        missing = unmatched(wanted, found, score=tolerance, distance=tolerance)
        assert missing <= 0.1 * len(wanted["labels"])
