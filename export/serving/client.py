"""Client of a detector behind TensorFlow Serving: picture in, detections out.

REST needs NumPy and Pillow, gRPC also the package `tensorflow-serving-api`.
"""

import base64
import http.client
import io
import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf.data.ahead import ahead
from yolov2_tf.data.images import inspect_image, read_bytes, to_png_bytes
from yolov2_tf.data.pixels import pixels_of
from yolov2_tf.detection.thresholds import DEFAULT, either
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import SERVED_OUTPUTS
from yolov2_tf.export.postprocessing import above
from yolov2_tf.export.serving.connection import (
    PROTOCOLS,
    RETRIED_STATUS,
    Connection,
    Later,
    persistently,
)

SIGNATURE = "image_bytes"


class ServerError(InputError):
    """A server that cannot be reached, or refuses a request."""


class ServedDetector(Detector):
    """Detector over a running TensorFlow Serving. Threads may share it: each request is its own.

    Args:
        server: Address of the server: `http://HOST:8501` (or `https`) for REST,
            `grpc://HOST:8500` (or `grpcs`, which is encrypted) for gRPC.
        name: Name by which it serves the model; `NAME/3` means version 3, `NAME` the newest.
        score_threshold: Detections score above this, 0..1; default: 0.25.
        timeout: Seconds to wait for an answer.
        thresholds: `Thresholds` of score and number in place of `score_threshold`; the others the
            server has.
        connection: `Connection` with headers, certificates and retries, in place of `timeout`.

    Attributes:
        class_names: Names by label; grows as answers name classes that were not seen before.
        layout: None, as `tree` and `input_size`: a server does not tell.
        runtime: The address; for the others see `Detector`.

    Raises:
        InputError: If the address or the name is of another form, or a threshold cannot be had.
    """

    layout = tree = input_size = class_names = None

    def __init__(
        self,
        server,
        name,
        score_threshold=None,
        timeout=30.0,
        thresholds=None,
        connection=None,
    ):
        wanted = either(score_threshold, thresholds)
        if wanted.iou is not None or wanted.tree is not None:
            raise InputError(
                "the thresholds of overlap and tree are fixed in a served model", where=server
            )
        self.thresholds = wanted.over(DEFAULT)
        self.class_names = _Names()
        self.runtime = server
        name, _, version = name.partition("/")
        if not name or (version and not version.isdecimal()):
            raise InputError("not the name of a served model", expected="NAME or NAME/VERSION")
        parts = urllib.parse.urlsplit(server)
        if parts.scheme not in PROTOCOLS or not parts.netloc:
            raise InputError(
                f"not the address of a server: {server}",
                expected="http://HOST:8501 or grpc://HOST:8500",
            )
        connection = connection or Connection(timeout)
        self._requests = connection.requests
        client = {"REST": _Rest, "gRPC": _Grpc}[PROTOCOLS[parts.scheme]]
        ask = client(server.rstrip("/"), name, version, connection)

        def predict(pictures):
            answers = persistently(lambda: ask(pictures), connection.retries)
            return _checked(answers, len(pictures), server)

        self._predict = predict

    def run(self, resized):
        """What the server answers for one `(H, W, 3)` picture, values 0..255: a dict."""
        (answer,) = self._predict([_encoded(np.rint(resized).astype(np.uint8))])
        return answer

    def detect_batch(self, images):
        """Finds the objects in several pictures with one request: a list of dicts as `detect`."""
        found = []
        for answer in self._predict([_encoded(image) for image in images]):
            count = int(answer["num_detections"])
            names = np.asarray(answer["detection_names"])[:count]
            labels = np.asarray(answer["detection_classes"], np.int32)[:count]
            self.class_names.update(zip(labels.tolist(), names.tolist(), strict=True))
            boxes = np.asarray(answer["detection_boxes"], np.float32).reshape(-1, 4)[:count]
            scores = np.asarray(answer["detection_scores"], np.float32)[:count]
            found.append(
                above({"boxes": boxes, "labels": labels, "scores": scores}, self.thresholds)
            )
        return found

    def _detect_each(self, pictures):
        def answer(picture):
            (found,) = self.detect_batch([picture])
            return found

        return ahead(answer, pictures, threads=self._requests)


def open_served(address, thresholds=None, connection=None):
    """Opens a served model by one address.

    Args:
        address: `http://HOST:8501/v1/models/NAME`, as TensorFlow Serving itself calls it, or
            `grpc://HOST:8500/NAME`; with `/versions/3` or `/3` at its end the version 3.
        thresholds: `Thresholds` or None, see `ServedDetector`.
        connection: `Connection` or None, likewise.

    Raises:
        InputError: As `ServedDetector`.
    """
    parts = urllib.parse.urlsplit(address)
    name = parts.path.removeprefix("/v1/models").strip("/").replace("/versions/", "/")
    return ServedDetector(
        f"{parts.scheme}://{parts.netloc}",
        urllib.parse.unquote(name),
        thresholds=thresholds,
        connection=connection,
    )


class _Rest:
    def __init__(self, server, name, version, connection):
        place = urllib.parse.quote(name) + (f"/versions/{version}" if version else "")
        self._url, self._connection = f"{server}/v1/models/{place}:predict", connection
        self._tls = None
        if server.startswith("https"):
            self._tls = ssl.create_default_context(cafile=connection.certificates)

    def __call__(self, pictures):
        instances = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
        request = urllib.request.Request(
            self._url,
            json.dumps({"signature_name": SIGNATURE, "instances": instances}).encode(),
            {**self._connection.headers, "Content-Type": "application/json"},
        )
        settings = {"timeout": self._connection.timeout, "context": self._tls}
        try:
            with urllib.request.urlopen(request, **settings) as response:
                return json.load(response)["predictions"]
        except urllib.error.HTTPError as error:
            refused = _refused(self._url, _message(error.read()))
            raise (Later(refused) if error.code in RETRIED_STATUS else refused) from error
        except (ValueError, KeyError, TypeError) as error:
            raise _refused(self._url, error) from error
        except OSError as error:
            refused = _refused(self._url, error)
            untrusted = isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError)
            raise (refused if untrusted else Later(refused)) from error
        except http.client.HTTPException as error:  # cut off, or no HTTP, as at the port of gRPC
            raise Later(_refused(self._url, f"no whole answer: {error!r}")) from error


class _Grpc:
    def __init__(self, server, name, version, connection):
        try:
            import grpc
            from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
        except ImportError as error:
            raise InputError(
                f"gRPC is not installed: {error}",
                hint="pip install tensorflow-serving-api, or the REST address",
            ) from error
        address = urllib.parse.urlsplit(server).netloc
        # Pictures and answers for many of them are larger than gRPC's 4 MB.
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if server.startswith("grpcs"):
            file = connection.certificates
            trusted = grpc.ssl_channel_credentials(file and Path(file).read_bytes())
            self._channel = grpc.secure_channel(address, trusted, unlimited)
        else:
            self._channel = grpc.insecure_channel(address, unlimited)
        self._metadata = [(name.lower(), value) for name, value in connection.headers.items()]
        self._later = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._request, self._error = predict_pb2.PredictRequest, grpc.RpcError
        self._address, self._name, self._version = address, name, version
        self._timeout = connection.timeout

    def __call__(self, pictures):
        import tensorflow as tf

        request = self._request()
        request.model_spec.name = self._name
        request.model_spec.signature_name = SIGNATURE
        if self._version:
            request.model_spec.version.value = int(self._version)
        request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(pictures, tf.string))
        try:
            settings = {"timeout": self._timeout, "metadata": self._metadata}
            outputs = self._stub.Predict(request, **settings).outputs
        except self._error as error:
            refused = _refused(self._address, error.details())
            raise (Later(refused) if error.code() in self._later else refused) from error
        arrays = {name: tf.make_ndarray(tensor) for name, tensor in outputs.items()}
        if (names := arrays.get("detection_names")) is not None:
            arrays["detection_names"] = np.char.decode(names.astype(bytes), "utf8")
        if any(array.shape[:1] != (len(pictures),) for array in arrays.values()):
            return []
        return [{name: array[i] for name, array in arrays.items()} for i in range(len(pictures))]


class _Names(dict):
    """Names by label; a label that no answer has named yet is its own name."""

    def __missing__(self, label):
        return str(label)


def _encoded(image):
    """The bytes to send: a file's own, where the server reads them as this package does."""
    if not isinstance(image, bytes | str | os.PathLike):
        encoded = io.BytesIO()
        Image.fromarray(pixels_of(image)).save(encoded, "PNG", compress_level=1)
        return encoded.getvalue()
    encoded = read_bytes(image)
    return encoded if _read_alike(encoded) else to_png_bytes(image)


def _read_alike(encoded):
    """Whether a server gets the same upright pixels; it is to say itself what is no picture."""
    try:
        info = inspect_image(encoded)
    except InputError:
        return True
    turned = info.orientation == 1 or info.format in ("JPEG", "MPO")
    return turned and not info.needs_conversion


def _checked(answers, count, server):
    """The answers, one for each picture, once they are those of a detector of this package."""
    for answer in answers if isinstance(answers, list) and len(answers) == count else [None]:
        if not isinstance(answer, dict) or not answer.keys() >= set(SERVED_OUTPUTS):
            raise ServerError(
                "the server's answer is not that of a detector",
                where=server,
                expected=f"for each picture {', '.join(SERVED_OUTPUTS)}",
                hint="the name of a model that yolov2 export --format saved_model wrote",
            )
    return answers


def _message(body):
    """The reason in the body of an error, which is JSON if it comes from TensorFlow Serving."""
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


def _refused(address, reason):
    return ServerError(
        f"the server gave no detections: {' '.join(str(reason).split())}", where=address
    )
