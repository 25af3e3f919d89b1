"""A web server for the page, with the headers that WebAssembly threads need."""

import functools
import http.server

from yolov2_tf.errors import InputError

# Only a page that is isolated by these two may share memory between threads.
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}

# Not left to the system's list of types: browsers refuse modules and WebAssembly of other types.
_TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".tflite": "application/octet-stream",
}


def open_server(folder, port):
    """A server for a folder, for this machine only; `serve_forever` starts it.

    Args:
        folder: The folder that `build_site` wrote.
        port: TCP port, 0 for any that is free.

    Returns:
        `http.server.ThreadingHTTPServer`; `server_port` is its port.

    Raises:
        InputError: If the port is taken.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    try:
        # localhost is, besides https, where browsers allow the camera and threads.
        return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise InputError(f"port {port}: {error.strerror}", hint="another --port") from error


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **_TYPES}  # noqa: RUF012

    def end_headers(self):
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path):
        self.send_error(404)

    def log_message(self, format, *values):
        pass
