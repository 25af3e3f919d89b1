"""One small network, exported once to every form."""

import base64
import contextlib
import http.server
import json
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.flatbuffer import unpack
from yolov2_tf.export.metadata import ModelInfo
from yolov2_tf.export.saved_model import SavedModelDetector, export_saved_model
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2

CLASSES = ("cat", "dog", "bird")
FORMS = ("none", "none_raw", "fp16", "dynamic", "int8", "int8_raw")


def _lively(model, seed=0):
    """Random weights under which pictures differ and much is detected."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            layer.set_weights(
                [
                    random.uniform(0.7, 1.3, size),
                    random.normal(0, 0.2, size),
                    random.normal(0, 0.1, size),
                    random.uniform(0.7, 1.3, size),
                ]
            )
    kernel, bias = model.head.get_weights()
    model.head.set_weights(
        [
            random.normal(0, 0.8 / kernel.shape[2] ** 0.5, kernel.shape),
            random.normal(0, 1, bias.shape),
        ]
    )
    return model


@pytest.fixture(scope="session")
def lively():
    """A function that gives a model random weights under which pictures differ."""
    return _lively


@pytest.fixture(scope="session")
def model():
    keras.utils.set_random_seed(0)
    return _lively(YOLOv2(CLASSES, input_size=96, width=0.125, resize="letterbox"))


@pytest.fixture(scope="session")
def pictures():
    """Photos: landscape, portrait, large, small, a single column of pixels."""
    first, second, *_ = sample_pictures()
    return [
        first,
        np.ascontiguousarray(second[:, 100:300]),
        first[::3, ::3].copy(),
        np.tile(second, (2, 2, 1)),
        second[:90, 200:201].copy(),
    ]


@pytest.fixture(scope="session")
def conversions(model):
    """With and without suppression. The converter is slow and leaks, so it runs just twice."""
    return Conversion(model), Conversion(model, nms=False)


@pytest.fixture(scope="session")
def exported(conversions, pictures, tmp_path_factory):
    """Dict from the name of a form to `(path, difference)`."""
    folder = tmp_path_factory.mktemp("exported")
    info = ModelInfo(name="Pets", author="A. Author", license="CC0", description="Finds pets.")
    forms = {}
    for name in FORMS:
        quantization, raw, _ = name.partition("_raw")
        conversion = conversions[bool(raw)]
        path = folder / f"{name}.tflite"
        difference = conversion.write(
            path, quantization=quantization, calibration=pictures[:3], info=info
        )
        forms[name] = path, difference
    return forms


@pytest.fixture(scope="session")
def files(exported):
    """Dict from form to the unpacked file."""
    return {name: unpack(path.read_bytes()) for name, (path, _) in exported.items()}


@pytest.fixture(scope="session")
def small_model():
    """Fewer layers, for what takes its time layer by layer."""
    keras.utils.set_random_seed(1)
    return _lively(TinyYOLOv2(CLASSES, input_size=96, width=0.125, resize="letterbox"))


@pytest.fixture(scope="session")
def apart():
    """A detector of small boxes, few of which overlap."""
    keras.utils.set_random_seed(2)
    return _lively(
        TinyYOLOv2(CLASSES, anchors=[[0.3, 0.3], [0.5, 0.2]], input_size=96, width=0.125)
    )


@pytest.fixture(scope="session")
def saved_model(small_model, pictures, tmp_path_factory):
    """`(folder, version folder, difference)`."""
    folder = tmp_path_factory.mktemp("served") / "pets"
    return folder, *export_saved_model(small_model, folder, pictures=pictures[:2])


@pytest.fixture(scope="session")
def loaded(saved_model):
    return SavedModelDetector(saved_model[0])


# === A stand-in for TensorFlow Serving ===


class RestHandler(http.server.BaseHTTPRequestHandler):
    """`POST /v1/models/pets[/versions/1]:predict` as TensorFlow Serving documents it."""

    signatures = None

    def log_message(self, *_):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, {"predictions": self._predict(request)}
        except Exception as error:
            status, answer = 400, {"error": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _predict(self, request):
        if self.path not in ("/v1/models/pets:predict", "/v1/models/pets/versions/1:predict"):
            raise ValueError(f"Servable not found for request: {self.path}")
        name = request.get("signature_name", "serving_default")
        signature = self.signatures[name]
        ((argument, spec),) = signature.structured_input_signature[1].items()
        inputs = tf.constant([self._value(i) for i in request["instances"]], spec.dtype)
        outputs = {k: v.numpy() for k, v in signature(**{argument: inputs}).items()}
        return [
            {name: self._json(values[i]) for name, values in outputs.items()}
            for i in range(len(request["instances"]))
        ]

    @staticmethod
    def _value(instance):
        if isinstance(instance, dict):
            return base64.b64decode(instance["b64"], validate=True)
        return instance

    @staticmethod
    def _json(value):
        if isinstance(value, bytes):
            return value.decode()
        if value.dtype == object:
            return [item.decode() for item in value]
        return value.tolist()


@pytest.fixture(scope="session")
def rest_server():
    """Context manager: serves a SavedModel's signatures as `pets`, yields the address."""

    @contextlib.contextmanager
    def serve(signatures):
        answering = type("Handler", (RestHandler,), {"signatures": signatures})
        server = http.server.ThreadingHTTPServer(("localhost", 0), answering)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()

    return serve
