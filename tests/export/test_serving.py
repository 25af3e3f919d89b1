"""The SavedModel behind a stand-in for TensorFlow Serving, and the client.

The real server cannot be installed everywhere. The stand-in speaks the official gRPC stubs and the
documented REST dialect. Where `TF_SERVING_URL` (`http://HOST:8501` or `grpc://HOST:8500`) names a
real server that serves an exported detector as `yolov2`, the last test talks to that.
"""

import concurrent.futures
import contextlib
import io
import json
import os
import urllib.error
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
import yaml
from PIL import Image

from yolov2_tf import Thresholds, open_model
from yolov2_tf.data.images import load_image
from yolov2_tf.errors import InputError
from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.serving.client import ServedDetector, ServerError


@pytest.fixture(scope="module")
def servable(saved_model):
    return tf.saved_model.load(str(saved_model[1]))


@pytest.fixture(scope="module")
def rest(servable, rest_server):
    with rest_server(servable.signatures) as address:
        yield address


@pytest.fixture(scope="module")
def grpc_server(servable):
    """A `PredictionService` over the official stubs."""
    grpc = pytest.importorskip("grpc", reason="needs grpcio")
    service = pytest.importorskip(
        "tensorflow_serving.apis.prediction_service_pb2_grpc",
        reason="needs tensorflow-serving-api",
    )
    from tensorflow_serving.apis import predict_pb2

    class Service(service.PredictionServiceServicer):
        def Predict(self, request, context):
            if request.model_spec.name != "pets":
                context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
            try:
                signature = servable.signatures[request.model_spec.signature_name]
                inputs = {k: tf.constant(tf.make_ndarray(v)) for k, v in request.inputs.items()}
                outputs = signature(**inputs)
            except Exception as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            response = predict_pb2.PredictResponse()
            for name, tensor in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor))
            return response

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    service.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"grpc://localhost:{port}"
    server.stop(None)


@pytest.fixture(params=["rest", "grpc_server"])
def server(request):
    return request.getfixturevalue(request.param)


def png(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("name", ["pets", "pets/1"])
def test_served_detections_are_those_of_the_model(server, name, loaded, pictures, tmp_path):
    client = ServedDetector(server, name)
    path = tmp_path / "picture.png"
    path.write_bytes(png(pictures[1]))
    images = [pictures[0], path, png(pictures[2])]
    for found, picture in zip(client.detect_batch(images), pictures, strict=False):
        wanted = loaded.detect(picture)
        assert len(wanted["labels"])
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-5)
        np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-5)
        names = [loaded.class_names[label] for label in wanted["labels"]]
        assert [client.class_names[label] for label in found["labels"]] == names
    assert client.class_names[99] == "99"


@pytest.mark.parametrize("version", ["", "1"])
def test_one_address_opens_a_served_model(server, version, loaded, pictures):
    address = {
        "http": f"{server}/v1/models/pets" + (f"/versions/{version}" if version else ""),
        "grpc": f"{server}/pets" + (f"/{version}" if version else ""),
    }[server.split(":")[0]]
    served = open_model(address, Thresholds(0.3, detections=2))
    found, wanted = served.detect(pictures[0]), loaded.detect(pictures[0])
    assert len(found["labels"]) == 2
    np.testing.assert_allclose(found["boxes"], wanted["boxes"][:2], atol=1e-5)
    with pytest.raises(InputError, match="overlap and tree are fixed in a served model"):
        open_model(address, Thresholds(iou=0.5))
    with pytest.raises(InputError, match="expected NAME or NAME/VERSION"):
        open_model(f"{server}/")


def test_a_refused_request_leaves_the_server_up(server, pictures):
    client = ServedDetector(server, "pets", score_threshold=0.3)
    with pytest.raises(ServerError, match=r"the server gave no detections: .*nknown image"):
        client.detect_batch([png(pictures[0]), b"no picture"])
    with pytest.raises(ServerError, match="the batch is empty"):
        client.detect_batch([])
    assert (client.detect(pictures[0])["scores"] > 0.3).all()


def test_mistakes_of_the_caller_are_told(server):
    with pytest.raises(ServerError, match="Servable not found"):
        ServedDetector(server, "cars").detect(b"")
    with pytest.raises(InputError, match="cannot be opened"):
        ServedDetector(server, "pets").detect("missing.png")
    with pytest.raises(ServerError, match="refused"):
        ServedDetector(server.split(":")[0] + "://localhost:9", "pets").detect(b"")
    for name in ("", "/1", "pets/newest"):
        with pytest.raises(InputError, match="expected NAME or NAME/VERSION"):
            ServedDetector(server, name)


@pytest.mark.parametrize("address", ["localhost:8501", "ftp://localhost", "grpc://", "http:///x"])
def test_addresses_of_no_server_are_refused(address):
    with pytest.raises(InputError, match=r"expected http://HOST:8501 or grpc://HOST:8500"):
        ServedDetector(address, "pets")


def test_predict_asks_a_server(server, run, saved_model, pictures, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(png(pictures[0]))
    answers, drawn = [], tmp_path / "drawn"
    for arguments in ((saved_model[0],), ("pets", "--server", server)):
        code, out, err = run("predict", *arguments, photo, "--out", drawn, "--json", "-")
        assert (code, err) == (0, "")
        answers.append(json.loads(out)[0]["detections"])
    assert len(answers[0])
    for wanted, found in zip(*answers, strict=True):
        assert found["label"] == wanted["label"]
        assert found["score"] == pytest.approx(wanted["score"], abs=1e-4)
        assert found["box"] == pytest.approx(wanted["box"], abs=1e-4)
    assert (drawn / "photo.png").is_file()


def test_what_needs_names_of_classes_learns_them_from_a_server(
    rest, run, saved_model, pictures, tmp_path
):
    photos, thresholds = tmp_path / "photos", tmp_path / "thresholds.json"
    photos.mkdir()
    for i, picture in enumerate(pictures[:2]):
        (photos / f"{i}.png").write_bytes(png(picture))
    thresholds.write_text(json.dumps({"all": 0.35, "classes": {"dog": 0.3, "bird": 1.0}}))
    options = ("--threshold", thresholds, "--json", "-", "--crop", "--save", "yolo")
    answers, files = [], []
    for i, arguments in enumerate([(saved_model[0],), ("pets", "--server", rest)]):
        out_folder = tmp_path / str(i)
        code, out, err = run("predict", *arguments, photos, "--out", out_folder, *options)
        assert code == 0, err
        answers.append([[d["label"] for d in row["detections"]] for row in json.loads(out)])
        names = yaml.safe_load((out_folder / "yolo" / "data.yaml").read_text())["names"]
        files.append(sorted(p.relative_to(out_folder) for p in out_folder.rglob("*.*")))
    assert answers[0] == answers[1]
    assert {"cat", "dog"} == {label for row in answers[0] for label in row}
    assert files[0] == files[1]
    assert (names[0], names[1]) == ("cat", "dog")


def test_nothing_found_by_a_server_is_saved_all_the_same(rest, run, pictures, tmp_path):
    (tmp_path / "photo.png").write_bytes(png(pictures[2]))
    options = ("--threshold", "1", "--crop", "--save", "voc", "--out", tmp_path / "out")
    code, _, err = run("predict", "pets", tmp_path / "photo.png", "--server", rest, *options)
    assert code == 0, err
    assert len(list((tmp_path / "out" / "voc").rglob("*.xml"))) == 1


def test_what_a_server_reads_otherwise_is_sent_as_the_upright_pixels(rest, loaded, tmp_path):
    picture = Image.fromarray(sample_pictures()[0])
    turned = Image.Exif()
    turned[0x0112] = 6
    kinds = {
        "turned.png": {"exif": turned},
        "turned.webp": {"exif": turned, "lossless": True},
        "turned.jpg": {"exif": turned},
        "moving.webp": {"save_all": True, "append_images": [picture], "lossless": True},
        "upright.tiff": {},
    }
    for name, options in kinds.items():
        picture.save(tmp_path / name, **options)
    picture.quantize(64).save(tmp_path / "palette.bmp")
    client = ServedDetector(rest, "pets")
    for name in (*kinds, "palette.bmp"):
        wanted = loaded.detect(load_image(tmp_path / name))
        assert len(wanted["labels"])
        for source in (tmp_path / name, (tmp_path / name).read_bytes()):
            found = client.detect(source)
            np.testing.assert_array_equal(found["labels"], wanted["labels"], err_msg=name)
            np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cars",), "Servable not found"),
        (("pets", "--size", "96"), "--size is fixed in an exported model"),
        (("pets", "--iou", "0.5"), "--iou is fixed in an exported model"),
        (("pets", "--tree-threshold", "0.5"), "--tree-threshold is fixed in an exported model"),
        (("pets/newest",), "NAME or NAME/VERSION"),
    ],
)
def test_predict_tells_what_a_server_refuses(rest, run, arguments, message, pictures, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(png(pictures[2]))
    code, _, err = run("predict", *arguments, photo, "--server", rest, "--json", "-")
    assert code == 2
    assert message in err
    assert "skipped" not in err  # the picture is fine


def post(url, request):
    body = json.dumps(request).encode()
    return json.load(urllib.request.urlopen(urllib.request.Request(url, body)))


def test_rest_pixels_of_the_wrong_kind_are_refused(rest):
    url = f"{rest}/v1/models/pets:predict"
    (answer,) = post(url, {"instances": [[[[0, 0, 0]] * 4] * 4]})["predictions"]
    assert len(answer["detection_boxes"]) == 100
    for instances in ([[[[0.5, 0, 0]]]], [[["a"]]], [[[[0, 0]]]]):
        with pytest.raises(urllib.error.HTTPError, match="400") as error:
            post(url, {"instances": instances})
        assert json.load(error.value)["error"]
    assert post(url, {"instances": [[[[0, 0, 0]]]]})


def test_grpc_tensors_of_the_wrong_kind_are_refused(grpc_server):
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    with contextlib.closing(grpc.insecure_channel(grpc_server.removeprefix("grpc://"))) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for value in (tf.zeros((1, 4, 4, 3)), tf.zeros((4, 4, 3), tf.uint8)):
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "pets", "serving_default"
            request.inputs["images"].CopyFrom(tf.make_tensor_proto(value))
            with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT") as error:
                stub.Predict(request)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert error.value.details()


def test_a_real_server(pictures):
    server = os.environ.get("TF_SERVING_URL")
    if not server:
        pytest.skip("TF_SERVING_URL names no TensorFlow Serving with an exported detector")
    client = ServedDetector(server, "yolov2", score_threshold=0.0)
    before = client.detect_batch(pictures)
    assert all(found["boxes"].shape == (len(found["labels"]), 4) for found in before)
    with pytest.raises(ServerError, match="the server gave no detections"):
        client.detect_batch([pictures[0], b"no picture"])
    after = client.detect_batch(pictures)
    assert [len(found["labels"]) for found in after] == [len(found["labels"]) for found in before]
