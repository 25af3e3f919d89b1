"""One interface for every form of a detector: the same input and answers, from threads too."""

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from PIL import Image

import yolov2_tf
from yolov2_tf import Thresholds, open_model
from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.onnx import export_onnx
from yolov2_tf.export.opencv import OpenCvDetector
from yolov2_tf.export.openvino import export_openvino
from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model
from yolov2_tf.export.serving.client import ServedDetector
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.models.yolov2 import TinyYOLOv2

NAMES = ("cat", "dog", "bird")
LIMITS = Thresholds(score=0.05)
THREADS, PICTURES = 4, 200
TFLITE = ("none", "int8", "raw none", "raw int8")
FORMS = ("keras", "saved_model", *(f"tflite {name}" for name in TFLITE), "onnx", "openvino",
         "opencv", "server")  # fmt: skip


def restless(model):
    """Random weights under which pictures differ and much is found."""
    random = np.random.default_rng(0)
    kernel, bias = model.head.get_weights()
    model.head.set_weights(
        [
            random.normal(0, 3 / kernel.shape[2] ** 0.5, kernel.shape),
            random.normal(0, 1, bias.shape),
        ]
    )
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A network as small as can be, in every form: `(model, paths by form)`."""
    folder = tmp_path_factory.mktemp("forms")
    keras.utils.set_random_seed(0)
    model = restless(TinyYOLOv2(NAMES, input_size=64, width=0.01, resize="letterbox"))
    examples = list(small_pictures(8))
    paths = {"keras": folder / "model.keras"}
    model.save(paths["keras"])
    paths["saved_model"], _ = export_saved_model(model, folder / "served", pictures=examples[:2])
    for nms, prefix in ((True, ""), (False, "raw ")):
        conversion = Conversion(model, nms=nms)
        for quantization in ("none", "int8"):
            path = folder / f"{prefix}{quantization}.tflite"
            conversion.write(path, quantization=quantization, calibration=examples)
            paths[f"tflite {prefix}{quantization}"] = path
    with contextlib.suppress(InputError):  # a package that is missing; its tests say so
        paths["onnx"] = folder / "model.onnx"
        export_onnx(model, paths["onnx"], pictures=examples[:2])
    with contextlib.suppress(InputError):
        paths["openvino"] = folder / "model.xml"
        export_openvino(model, paths["openvino"], pictures=examples[:2])
    paths["opencv"] = export_darknet(model, folder / "darknet").paths
    return model, paths


def small_pictures(count):
    """Coloured rectangles on noise, of different sizes."""
    random = np.random.default_rng(1)
    for _ in range(count):
        height, width = random.integers(20, 90, 2)
        picture = random.integers(0, 256, (height, width, 3), np.uint8)
        top, left = random.integers(0, (height // 2, width // 2))
        picture[top : top + height // 2, left : left + width // 2] = random.integers(0, 256, 3)
        yield picture


@pytest.fixture(scope="module")
def pictures():
    return list(small_pictures(PICTURES))


@pytest.fixture(scope="module")
def server(files, rest_server):
    loaded = SavedModelDetector(files[1]["saved_model"])
    with rest_server(loaded._loaded.signatures) as address:
        yield address


@pytest.fixture(scope="module")
def opened(files, server):
    """A function that opens a form, each once."""
    model, paths = files
    found = {}

    def open_form(name):
        if name in ("onnx", "openvino"):
            package = {"onnx": "onnxruntime", "openvino": "openvino"}[name]
            pytest.importorskip(package, reason=f"needs {package}")
        if name not in found:
            match name:
                case "server":
                    found[name] = ServedDetector(server, "pets", LIMITS.score)
                case "opencv":
                    pytest.importorskip("cv2", reason="needs opencv-python-headless")
                    found[name] = OpenCvDetector(model.head, paths[name], thresholds=LIMITS)
                case _:
                    found[name] = open_model(paths[name], LIMITS)
        return found[name]

    return open_form


@pytest.fixture(params=FORMS)
def form(request, opened):
    return opened(request.param)


def assert_equal(one, other):
    assert one.keys() == other.keys() == {"boxes", "labels", "scores"}
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name])


# === The interface ===


def test_every_form_is_a_detector_that_says_what_it_is(form):
    assert isinstance(form, Detector)
    assert form.tree is None
    assert form.score_threshold == form.thresholds.score == 0.05
    assert form.runtime
    if form.layout is None:  # a server tells the names with what it finds
        assert form.class_names[7] == "7"
    else:
        assert form.class_names == form.layout.class_names == NAMES
        assert form.input_size == form.layout.input_size == 64


def test_one_picture_gives_one_answer_and_several_give_several(form, pictures):
    several = form.detect(iter(pictures[:5]))
    assert next(several).keys() == {"boxes", "labels", "scores"}
    assert len(list(several)) == 4
    one = form.detect(pictures[0])
    assert len(one["labels"]) > 0
    assert one["boxes"].shape == (len(one["labels"]), 4)
    assert [values.dtype for values in one.values()] == [np.float32, np.int32, np.float32]
    assert (np.diff(one["scores"]) <= 0).all()
    assert (one["scores"] > 0.05).all()
    assert list(form.detect([])) == []


def test_several_pictures_are_read_as_they_are_asked_for(form, pictures):
    read = []

    def film():
        for number, picture in enumerate(pictures[:20]):
            read.append(number)
            yield picture

    next(form.detect(film()))
    assert len(read) <= 8


def test_every_form_of_a_picture_gives_the_same(form, pictures, tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(pictures[1]).save(path)
    wanted = form.detect(pictures[1])
    assert len(wanted["labels"])
    content = path.read_bytes()
    for picture in (path, str(path), content, Image.fromarray(pictures[1]), Image.open(path)):
        assert_equal(form.detect(picture), wanted)
    same_size = np.stack([pictures[1]] * 2)
    for found in form.detect(same_size):
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-5)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((8, 8, 3), 0.5, np.float32), r"values 0\.5 to 0\.5 .*\(picture \* 255\)"),
        (np.zeros((8, 8), np.uint8), r"\(8, 8\).*expected \(height, width, 3\) uint8"),
        (None, "a NoneType is no picture"),
    ],
)
def test_what_is_no_picture_is_refused_by_every_form(form, picture, message):
    for given in (picture, [picture]):
        with pytest.raises(InputError, match=message):
            list(form.detect(given))


def test_every_float_form_finds_what_the_model_finds(opened, pictures):
    wanted = list(opened("keras").detect(pictures[:20]))
    for name in ("saved_model", "tflite none", "tflite raw none", "onnx", "openvino", "server"):
        for found, one in zip(opened(name).detect(pictures[:20]), wanted, strict=True):
            np.testing.assert_array_equal(found["labels"], one["labels"], name)
            np.testing.assert_allclose(found["scores"], one["scores"], atol=1e-4, err_msg=name)
            np.testing.assert_allclose(found["boxes"], one["boxes"], atol=1e-4, err_msg=name)


# === Threads ===


@pytest.mark.parametrize("name", FORMS)
def test_threads_that_share_a_detector_get_the_answers_of_one(name, opened, pictures):
    detector = opened(name)
    wanted = [detector.detect(picture) for picture in pictures]
    assert len({one["scores"].tobytes() for one in wanted}) > PICTURES // 2  # or all look alike

    def work(start):
        places = [(start * PICTURES // THREADS + i) % PICTURES for i in range(PICTURES)]
        return {place: detector.detect(pictures[place]) for place in places}

    with ThreadPoolExecutor(THREADS) as pool:
        for answers in pool.map(work, range(THREADS)):
            assert len(answers) == PICTURES
            for place, found in answers.items():
                assert_equal(found, wanted[place])


# === Opening ===


def test_the_public_name_opens_detectors(files):
    assert yolov2_tf.open_model(files[1]["tflite none"]).thresholds.score == 0.25


def test_thresholds_are_kept_to_or_refused(files, pictures):
    _, paths = files
    few = open_model(paths["tflite none"], Thresholds(0.05, detections=2))
    assert {len(found["labels"]) for found in few.detect(pictures[:20])} == {2}
    with pytest.raises(InputError, match=r"drops scores up to 0\.005: 0\.001.*--no-nms"):
        open_model(paths["saved_model"], Thresholds(0.001))
    with pytest.raises(InputError, match=r"overlap threshold is fixed at 0\.45 in it: 0\.6"):
        open_model(paths["tflite none"], Thresholds(iou=0.6))
    assert open_model(paths["tflite none"], Thresholds(iou=0.45)).thresholds.iou == 0.45


@pytest.mark.parametrize("name", ["keras", "tflite raw none", "onnx", "openvino"])
def test_forms_without_suppression_take_any_overlap(name, files, pictures):
    """One above which nothing is suppressed, and one above which nearly all is."""
    for package in {"onnx": ["onnxruntime"], "openvino": ["openvino"]}.get(name, []):
        pytest.importorskip(package, reason=f"needs {package}")
    counts = [
        sum(
            len(found["labels"])
            for found in open_model(files[1][name], Thresholds(0.05, iou)).detect(pictures[:9])
        )
        for iou in (0.01, 0.45, 1.0)
    ]
    assert counts[0] < counts[1] < counts[2]


def test_a_keras_file_takes_another_size(files, pictures):
    larger = open_model(files[1]["keras"], LIMITS, size=96, batch_size=3)
    assert larger.input_size == 96
    assert len(list(larger.detect(pictures[:4]))) == 4
    for size in (0, 50, -32):
        with pytest.raises(InputError, match=f"input size {size} .*multiple of 32"):
            open_model(files[1]["keras"], size=size)
    with pytest.raises(InputError, match="the input size is fixed in an exported model"):
        open_model(files[1]["tflite none"], size=96)


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        ("keras", {"threads": 1}, "number of threads is fixed in a Keras model"),
        ("saved_model", {"threads": 1}, "number of threads is fixed in an exported model"),
        ("tflite none", {"batch_size": 2}, "batch size is fixed in an exported model"),
    ],
)
def test_a_setting_that_a_form_does_not_have_is_refused(name, setting, message, files):
    with pytest.raises(InputError, match=message):
        open_model(files[1][name], **setting)


def test_a_batch_of_nothing_and_thresholds_that_are_none_are_refused():
    for count in (0, -1, 2.5):
        with pytest.raises(InputError, match=f"batch size {count} "):
            open_model("any.keras", batch_size=count)
    with pytest.raises(InputError, match=r"thresholds are 0\.3 .*Thresholds\(score=0\.3"):
        open_model("starter-tiny", 0.3)


def test_what_is_no_detector_is_refused(files, tmp_path):
    model, _ = files
    (tmp_path / "notes.txt").write_text("no model")
    for name in ("notes.txt", "missing.pt"):
        with pytest.raises(InputError, match=r"not an exported detector \(expected a \.keras"):
            open_model(tmp_path / name)
    for name in ("missing.keras", "missing.tflite", "missing.onnx", "missing.xml"):
        with pytest.raises(InputError, match="no such file"):
            open_model(tmp_path / name)
    yolov2_tf.detector(model).save(tmp_path / "whole.keras")
    with pytest.raises(InputError, match="decoding and suppression are in it already"):
        open_model(tmp_path / "whole.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    with pytest.raises(InputError, match="not a YOLOv2 detector"):
        open_model(tmp_path / "other.keras")


def test_a_picture_is_encoded_for_a_server_as_it_is(server, pictures):
    """A file goes as it is: the server decodes."""
    file = io.BytesIO()
    Image.fromarray(pictures[0]).save(file, "JPEG", quality=95)
    served = ServedDetector(server, "pets", 0.05)
    for picture in (file.getvalue(), pictures[0]):
        found = served.detect(picture)
        assert {served.class_names[label] for label in found["labels"]} <= set(NAMES)
        assert len(found["labels"])
