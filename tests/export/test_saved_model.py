"""The SavedModel's signatures against the Keras detector, and what lies beside the graph."""

import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.detection.predict import detect, detector, prepare
from yolov2_tf.detection.thresholds import SCORE
from yolov2_tf.errors import InputError
from yolov2_tf.export import saved_model as exporter
from yolov2_tf.export.check import Difference, ExportError
from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model, next_version
from yolov2_tf.export.warmup import prediction_log
from yolov2_tf.models.yolov2 import TinyYOLOv2


@pytest.fixture(scope="module")
def expected(small_model, pictures):
    return list(detect(detector(small_model, SCORE), pictures))


def png(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def assert_same(found, wanted):
    np.testing.assert_array_equal(found["labels"], wanted["labels"])
    np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-5)
    np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-5)


def test_versions_are_numbered(saved_model, tmp_path):
    folder, version, difference = saved_model
    assert version == folder / "1"
    assert max(difference[:2]) < 1e-4
    assert next_version(folder) == 2
    for name in ("7", "10", "notes", ".11.tmp"):
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == 11
    assert next_version(tmp_path / "missing") == 1


def test_every_picture_of_any_size_is_detected(loaded, pictures, expected):
    assert loaded.class_names == ("cat", "dog", "bird")
    for picture, wanted in zip(pictures, expected, strict=True):
        assert_same(loaded.detect(picture), wanted)


def test_batch_of_encoded_pictures_of_mixed_sizes(loaded, pictures, expected):
    for found, wanted in zip(loaded.detect_bytes(map(png, pictures)), expected, strict=True):
        assert_same(found, wanted)


def test_weights_are_written_once(saved_model, small_model):
    size = (saved_model[1] / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert size < 1.1 * 4 * small_model.count_params()


def test_raw_is_the_head_tensor(loaded, small_model, pictures):
    images, _ = prepare(pictures, 96, "letterbox")
    np.testing.assert_allclose(loaded.raw(images), small_model.predict_on_batch(images), atol=1e-4)


def test_outputs_are_padded_and_named(loaded, pictures):
    outputs = {name: tensor.numpy() for name, tensor in loaded.run(pictures[0]).items()}
    count = outputs["num_detections"][0]
    assert outputs["detection_boxes"].shape == (1, 100, 4)
    assert 0 < count < 100
    labels = outputs["detection_classes"][0]
    names = [b"cat", b"dog", b"bird"]
    assert outputs["detection_names"][0, :count].tolist() == [names[i] for i in labels[:count]]
    assert (labels[count:] == -1).all()
    assert (outputs["detection_names"][0, count:] == b"").all()
    assert not outputs["detection_scores"][0, count:].any()
    assert (np.diff(outputs["detection_scores"][0]) <= 0).all()


def test_empty_batches_are_refused(loaded):
    signatures = loaded._loaded.signatures
    for name, inputs in (
        ("serving_default", {"images": tf.zeros((0, 5, 5, 3), tf.uint8)}),
        ("image_bytes", {"image_bytes": tf.zeros((0,), tf.string)}),
        ("raw", {"images": tf.zeros((0, 96, 96, 3))}),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match="the batch is empty"):
            signatures[name](**inputs)


def test_one_corrupt_picture_fails_the_request_and_not_the_next(loaded, pictures):
    good = png(pictures[0])
    for bad in (b"", b"no picture", good[:200]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="DecodeImage"):
            loaded.detect_bytes([good, bad])
    assert len(loaded.detect_bytes([good])[0]["labels"])


def test_class_names_layout_and_warmup_lie_beside_the_graph(saved_model):
    _, version, _ = saved_model
    assert (version / "assets" / "labels.txt").read_text().split("\n") == ["cat", "dog", "bird"]
    layout = json.loads((version / "assets.extra" / "yolov2.json").read_text())
    assert layout["input_size"] == 96
    records = tf.data.TFRecordDataset(str(version / "assets.extra/tf_serving_warmup_requests"))
    assert len(list(records)) == 3


def test_names_with_line_breaks_belong_to_their_classes(lively, pictures, tmp_path):
    model = lively(TinyYOLOv2(["two\nlines", "é\r", "last"], input_size=64, width=0.125))
    version, _ = export_saved_model(model, tmp_path, pictures=pictures[:1])
    signature = tf.saved_model.load(str(version)).signatures["serving_default"]
    found = signature(images=tf.constant(pictures[0][None]))
    labels, names = found["detection_classes"][0].numpy(), found["detection_names"][0].numpy()
    assert set(labels) >= {0, 1, 2}
    expected = ["two lines", "é", "last", ""]  # label -1 is an unused place
    assert [name.decode() for name in names] == [expected[label] for label in labels]


def test_warmup_requests_are_prediction_logs(saved_model, loaded):
    logs = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2", reason="needs tensorflow-serving-api"
    )
    _, version, _ = saved_model
    file = str(version / "assets.extra/tf_serving_warmup_requests")
    seen = set()
    for record in tf.data.TFRecordDataset(file).as_numpy_iterator():
        log = logs.PredictionLog.FromString(record)
        assert log.SerializeToString()
        request = log.predict_log.request
        assert request.model_spec.name == "pets"
        name = request.model_spec.signature_name
        inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
        assert loaded._loaded.signatures[name](**inputs)  # the server will not fail on it
        seen.add(name)
    assert seen == {"serving_default", "image_bytes", "raw"}


def test_long_fields_are_written_right():
    logs = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2", reason="needs tensorflow-serving-api"
    )
    tensor = tf.zeros((100_000,), tf.uint8)
    log = logs.PredictionLog.FromString(prediction_log("m" * 300, "s", {"x": tensor}))
    request = log.predict_log.request
    assert request.model_spec.name == "m" * 300
    assert tf.make_ndarray(request.inputs["x"]).shape == (100_000,)


def test_a_model_that_differs_is_not_written(
    small_model, saved_model, pictures, tmp_path, monkeypatch
):
    def write(path, *_):
        shutil.copytree(saved_model[1], path)
        (path / "assets.extra" / "tf_serving_warmup_requests").unlink()

    monkeypatch.setattr(exporter, "_write", write)  # it would write the same again
    monkeypatch.setattr(exporter, "compare", lambda *_: Difference(0.5, 0.0, 1))
    with pytest.raises(ExportError, match=r"differs: scores within 0\.5"):
        export_saved_model(small_model, tmp_path / "pets", pictures=pictures[:1])
    assert not (tmp_path / "pets").exists()


def test_folders_that_are_no_export_are_refused(tmp_path):
    (tmp_path / "data" / "7").mkdir(parents=True)  # no version of a model
    for path in (tmp_path / "data", tmp_path / "missing"):
        with pytest.raises(InputError, match=r"is no model.* MODEL DATA") as error:
            SavedModelDetector(path)
        assert error.value.where == str(path)
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(InputError, match="no SavedModel of this package"):
        SavedModelDetector(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("input_size", 64, "its input is .*for input_size 64"),
        ("max_detections", 7, "its output detection_boxes is .*for max_detections 7"),
        ("class_names", ["cat", "dog"], "its output head is .*for 2 class_names"),
        ("anchors", [[1, 1]], "its output head is "),
    ],
)
def test_another_network_than_described_is_refused(saved_model, tmp_path, key, value, message):
    path = shutil.copytree(saved_model[1], tmp_path / "1")
    described = path / "assets.extra" / "yolov2.json"
    layout = json.loads(described.read_text())
    described.write_text(json.dumps({**layout, key: value}))
    with pytest.raises(InputError, match=message):
        SavedModelDetector(path)
