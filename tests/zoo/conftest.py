"""A web server on this machine that behaves well or badly."""

import http.server
import threading

import pytest


class _Server(http.server.ThreadingHTTPServer):
    """Serves `files` (path to bytes).

    Attributes:
        cut: Bytes after which a connection is closed, by path; used once.
        ranges: Whether it can go on in the middle of a file.
        asked: `(path, Range header)` of every request.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.cut, self.ranges, self.asked = {}, {}, True, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append((self.path, wanted))
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = server.cut.pop(self.path, len(content))
        self.wfile.write(content[start:end])

    def log_message(self, *args):
        """Keeps the output of the tests clean."""


@pytest.fixture
def server():
    running = _Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()
