"""What the tests of the web page share: the Python detector's answers, films, plain servers."""

import contextlib
import functools
import http.server
import threading

import cv2
import numpy as np

from yolov2_tf.export.runtime import TFLiteDetector

# WebAssembly's integer kernels may round in another way than those of the machine.
TOLERANCES = {"none": 1e-4, "int8": 0.02}


def check_same(state, model, picture):
    """What the page lists and draws is what Python finds; returns how many."""
    detector = TFLiteDetector(model)
    tolerance = TOLERANCES[detector.layout.quantization]
    found = detector.detect(picture)
    np.testing.assert_array_equal(state["labels"], found["labels"])
    np.testing.assert_allclose(state["scores"], found["scores"], atol=tolerance)
    np.testing.assert_allclose(state["boxes"], found["boxes"], atol=tolerance)
    # The browser puts borders onto whole pixels, and a box cannot be smaller than its own border.
    large = (found["boxes"][:, 2:] - found["boxes"][:, :2]).min(axis=1) > 0.02
    np.testing.assert_allclose(state["drawn"][large], found["boxes"][large], atol=tolerance + 0.004)
    assert len(state["tags"]) == len(found["scores"])
    return len(found["scores"])


def drop_picture(browser, path):
    """Drops a picture and waits for what was found in it."""
    browser.run("document.getElementById('status').textContent = ''")
    browser.drop(path)
    browser.wait_for_words("object")


def write_video(path, scenes):
    """A film of pictures for Chromium's fake camera, half a second each: raw 4:2:0 video."""
    height, width = scenes[0].shape[:2]
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F20:1 Ip A1:1 C420jpeg\n".encode())
        for scene in scenes:
            frame = b"FRAME\n" + cv2.cvtColor(scene, cv2.COLOR_RGB2YUV_I420).tobytes()
            file.write(10 * frame)
    return path


@contextlib.contextmanager
def plainly_served(folder):
    """Serves a folder as any web host does, without headers for threads; yields the URL."""
    handler = functools.partial(_PlainHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()


class _PlainHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *values):
        pass
