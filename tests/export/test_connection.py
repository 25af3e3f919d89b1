"""What a client of a server sends along, whom it trusts, and when it asks again."""

import http.server
import json
import shutil
import socketserver
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.export.serving.client import ServedDetector, ServerError
from yolov2_tf.export.serving.connection import Connection, Later, persistently

ANSWER = {
    "num_detections": 1,
    "detection_names": ["cat"],
    "detection_classes": [0],
    "detection_boxes": [[0, 0, 1, 1]],
    "detection_scores": [0.9],
}


@pytest.fixture
def server():
    """Answers with the statuses in `statuses`, one after the other, then with a detection."""
    asked, statuses = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            asked.append(dict(self.headers))
            self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if statuses else 200
            body = {"predictions": [ANSWER]} if status == 200 else {"error": f"no: {status}"}
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.asked, server.statuses = asked, statuses
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """The waits, not waited for."""
    waits = []
    monkeypatch.setattr(persistently, "__defaults__", (waits.append,))
    return waits


def ask(server, scheme="http", **settings):
    client = ServedDetector(
        f"{scheme}://localhost:{server.server_port}", "pets", connection=Connection(**settings)
    )
    return client.detect_batch([b"a picture"])


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again_after_longer_waits(server, waits, status):
    server.statuses[:] = [status, status]
    (found,) = ask(server)
    np.testing.assert_array_equal(found["labels"], [0])
    assert len(server.asked) == 3
    assert 0.125 <= waits[0] <= 0.25 <= waits[1] <= 0.5
    server.statuses[:] = [status] * 3
    with pytest.raises(ServerError, match=f"no: {status}"):
        ask(server)
    server.statuses[:] = [status]
    with pytest.raises(ServerError, match=f"no: {status}"):
        ask(server, retries=0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_what_is_refused_is_not_asked_again(server, waits, status):
    server.statuses[:] = [status]
    with pytest.raises(ServerError, match=f"no: {status}"):
        ask(server)
    assert len(server.asked) == 1
    assert not waits


def test_no_connection_is_tried_again_too(waits):
    with pytest.raises(ServerError, match="refused"):
        ServedDetector("http://localhost:9", "pets").detect_batch([b""])
    assert len(waits) == 2


class Raw(socketserver.StreamRequestHandler):
    """Reads a request, and sends what it is told to."""

    answer = b""

    def handle(self):
        headers = iter(self.rfile.readline, b"\r\n")
        (length,) = (int(line.split()[1]) for line in headers if b"Content-Length" in line)
        self.rfile.read(length)
        self.wfile.write(self.answer)


@pytest.mark.parametrize(
    ("answer", "said", "tries"),
    [
        (b"\0\0\x18\4\0\0\0\0\0", "no whole answer: BadStatusLine", 3),  # gRPC's port
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", "no whole answer: Incomplete", 3),
        (b"", "closed connection", 3),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", "no detections", 1),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": null}', "not that of a detector", 1),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": []}', "not that of a detector", 1),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": [{"x": 1}]}', "not that of a detector", 1),
    ],
)
def test_what_is_no_answer_of_a_detector_is_one_message(waits, answer, said, tries):
    handler = type("Handler", (Raw,), {"answer": answer})
    with socketserver.ThreadingTCPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_address[1]}"
        with pytest.raises(ServerError, match=said):
            ServedDetector(address, "pets").detect_batch([b"a picture"])
        server.shutdown()
    assert len(waits) == tries - 1


def test_headers_go_with_each_request(server):
    ask(server, headers={"Authorization": "Bearer 123"})
    assert server.asked[0]["Authorization"] == "Bearer 123"
    assert server.asked[0]["Content-Type"] == "application/json"
    with pytest.raises(InputError, match="not a header"):
        Connection(headers={"X": "a\r\nY: b"})


@pytest.fixture
def signed(tmp_path):
    """Paths of a key and of the certificate that it signed for localhost."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -keyout {key} -out {certificate}"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*words.split(), *name], check=True, capture_output=True)
    return key, certificate


def test_only_trusted_certificates_are_taken(server, waits, signed, tmp_path):
    key, certificate = signed
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    (found,) = ask(server, "https", certificates=str(certificate))
    assert len(found["labels"]) == 1
    with pytest.raises(ServerError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(server, "https")
    assert not waits
    with pytest.raises(InputError, match="no such file"):
        Connection(certificates=str(tmp_path / "missing.pem"))


@pytest.fixture
def grpc_server(signed):
    """Answers over TLS: with the codes in `codes`, one after the other, then with a detection."""
    grpc = pytest.importorskip("grpc", reason="needs grpcio")
    stubs = pytest.importorskip(
        "tensorflow_serving.apis.prediction_service_pb2_grpc",
        reason="needs tensorflow-serving-api",
    )
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    class Service(stubs.PredictionServiceServicer):
        asked, codes, answer = [], [], ANSWER

        def Predict(self, request, context):
            self.asked.append(dict(context.invocation_metadata()))
            if self.codes:
                context.abort(getattr(grpc.StatusCode, self.codes.pop(0)), "not now")
            response = predict_pb2.PredictResponse()
            for name, value in self.answer.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto([value]))
            return response

    service = Service()
    server = grpc.server(ThreadPoolExecutor(2))
    stubs.add_PredictionServiceServicer_to_server(service, server)
    pair = tuple(path.read_bytes() for path in signed)
    service.server_port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair]))
    server.start()
    yield service
    server.stop(None)


def test_grpc_is_encrypted_told_who_asks_and_asked_again(grpc_server, signed, waits):
    trusted = {"certificates": str(signed[1]), "headers": {"Authorization": "Bearer 123"}}
    (found,) = ask(grpc_server, "grpcs", **trusted)
    np.testing.assert_array_equal(found["labels"], [0])
    assert grpc_server.asked[0]["authorization"] == "Bearer 123"
    for grpc_server.answer in ({"scores": 0.5}, {}):
        with pytest.raises(ServerError, match="not that of a detector"):
            ask(grpc_server, "grpcs", **trusted)
    grpc_server.answer = ANSWER
    grpc_server.codes[:] = ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
    assert len(ask(grpc_server, "grpcs", **trusted)) == 1
    assert 0.125 <= waits[0] <= 0.25 <= waits[1] <= 0.5
    grpc_server.codes[:] = ["PERMISSION_DENIED"]
    asked = len(grpc_server.asked)
    with pytest.raises(ServerError, match="not now"):
        ask(grpc_server, "grpcs", **trusted)
    assert (len(grpc_server.asked), len(waits)) == (asked + 1, 2)
    with pytest.raises(ServerError):
        ask(grpc_server, "grpcs", retries=0)  # nobody vouches for the certificate
    assert len(grpc_server.asked) == asked + 1


def test_the_last_error_is_the_one_that_is_told():
    errors = iter([ValueError("first"), ValueError("second")])

    def ask():
        raise Later(next(errors))

    with pytest.raises(ValueError, match="second"):
        persistently(ask, 1)


def test_several_pictures_are_asked_for_at_once_but_not_too_many():
    """Answers come in the order of the pictures, whichever is first; four are under way."""
    under_way, most = [], []

    def ask(pictures):
        (picture,) = pictures
        under_way.append(picture)
        most.append(len(under_way))
        time.sleep(0.02 if picture == b"0" else 0.004)
        under_way.remove(picture)
        return [{**ANSWER, "detection_scores": [int(picture) / 100]}]

    for requests in (1, 4):
        most.clear()
        client = ServedDetector(
            "http://localhost:1", "pets", 0.0, connection=Connection(requests=requests)
        )
        client._predict = ask
        taken = []
        pictures = (taken.append(i) or str(i).encode() for i in range(1, 40))
        for number, found in enumerate(client.detect(pictures), start=1):
            assert found["scores"] == pytest.approx([number / 100])
            assert len(taken) <= number + requests
        assert number == 39
        assert max(most) == requests
    with pytest.raises(InputError, match="1 or more"):
        Connection(requests=0)
