"""A page that is served, a real browser that shows it, and models to put into it.

The browser is Debian's Chromium, steered by playwright-core from `web_demo/node_modules`. What is
missing skips these tests, unless `YOLOV2_WEB_TESTS=required`, as `make test-web` sets: then they
fail.
"""

import base64
import contextlib
import io
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from golden_runs import golden_runs
from page_browser import Browser
from PIL import Image

from yolov2_tf.data.digits.scenes import CLASS_NAMES, open_digits
from yolov2_tf.data.images import load_image
from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.tflite import Conversion
from yolov2_tf.models.heads import find_head
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree
from yolov2_tf.web_demo.server import open_server
from yolov2_tf.web_demo.site import PAGE, build_site

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "android_demo" / "app" / "src" / "main" / "assets" / "digits.tflite"
TREE = WordTree(CLASS_NAMES, [-1, -1, *[0] * 4, *[1] * 4])
REQUIRED = os.environ.get("YOLOV2_WEB_TESTS") == "required"


def pytest_collection_modifyitems(items):
    """Marks what steers a browser."""
    for item in items:
        if "browse" in item.fixturenames:
            item.add_marker("browser")


def lacking(what):
    """Skips, or fails where these tests are required."""
    (pytest.fail if REQUIRED else pytest.skip)(f"needs {what}; see `make test-web`")


@pytest.fixture(scope="session")
def node():
    """The path of Node.js."""
    return shutil.which("node") or lacking("Node.js")


@pytest.fixture(scope="session")
def packages():
    """The folder with the npm packages."""
    folder = ROOT / "web_demo" / "node_modules"
    return folder if (folder / "playwright-core").is_dir() else lacking("`npm ci` in web_demo")


@pytest.fixture(scope="session")
def registry():
    """Whether npm's registry may be asked: there must be one where these tests are required."""
    return REQUIRED or pytest.skip("asks npm's registry; see `make test-web`")


@pytest.fixture(scope="session")
def run(node):
    """Runs a function of the page on arrays, bytes and plain values."""

    def call(task, **values):
        values = {k: encoded(v) for k, v in values.items()}
        done = subprocess.run(
            [node, Path(__file__).with_name("modules.mjs"), PAGE],
            input=json.dumps({"task": task, **values}),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    return call


def encoded(value):
    if isinstance(value, np.ndarray):
        value = value.tobytes()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@pytest.fixture(scope="session")
def browse(node, packages):
    """Starts a browser: `with browse(*flags) as browser`."""
    chromium = shutil.which("chromium") or lacking("Debian's chromium")

    @contextlib.contextmanager
    def start(*flags):
        process = subprocess.Popen(
            [node, Path(__file__).with_name("browser.mjs"), packages.parent, chromium, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Browser(process)
        finally:
            process.stdin.close()  # it closes the browser then
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
            process.stdout.close()

    return start


@contextlib.contextmanager
def served(folder):
    """Serves a folder and yields its URL."""
    with open_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()


@pytest.fixture(scope="session")
def serve():
    return served


def lively(model):
    """An untrained network that finds things everywhere, and other things in other pictures."""
    kernel, bias = find_head(model).weights
    anchors = len(find_head(model).anchors)
    random = np.random.default_rng(0)
    scale = np.full((anchors, bias.shape[0] // anchors), 6 / np.sqrt(np.prod(kernel.shape[:3])))
    scale[:, :4] *= 0.1  # boxes stay close to the anchors
    find_head(model).set_weights(
        [random.normal(0, 1, kernel.shape) * scale.ravel(), random.normal(0, 0.5, bias.shape)]
    )
    return model


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Dict of `.tflite` files: `float` with suppression, letterboxing; `int8` without, stretching;
    `tree` without, too, so that it gives each box one label.

    `digits` is the model that the app for phones brings; without it, an untrained one.
    """
    folder = tmp_path_factory.mktemp("models")
    paths = {}
    for name, quantization, resize, tree in (
        ("float", "none", "letterbox", None),
        ("int8", "int8", "stretch", None),
        ("tree", "none", "letterbox", TREE),
    ):
        keras.utils.set_random_seed(0)
        settings = {"input_size": 64, "width": 0.125, "resize": resize, "tree": tree}
        network = lively(TinyYOLOv2(CLASS_NAMES, **settings))
        paths[name] = folder / f"{name}.tflite"
        Conversion(network, nms=name == "float").write(
            paths[name], quantization=quantization, calibration=sample_pictures()
        )
    shipped = SHIPPED if SHIPPED.is_file() else paths["float"]
    return {"digits": shutil.copy(shipped, folder / "digits.tflite"), **paths}


@pytest.fixture(scope="session")
def site(models, packages, tmp_path_factory):
    """A folder with the page and all models, `digits` first."""
    folder = tmp_path_factory.mktemp("site")
    build_site(models.values(), folder)
    return folder


@pytest.fixture(scope="module")
def browser(browse):
    with browse() as started:
        yield started


@pytest.fixture
def page(browser, serve, site):
    """A browser that shows the page, ready; it must have stayed quiet at the end."""
    with serve(site) as url:
        browser.open(url)
        yield browser
        browser.check_quiet()


@pytest.fixture(scope="session")
def page_runs():
    """The golden cases as `golden.mjs` takes them: pictures are RGBA there."""
    runs = golden_runs()
    for run in runs:
        pixels = run.pop("pixels")
        height, width = pixels.shape[:2]
        data = np.insert(pixels, 3, 255, axis=2).ravel().tolist()
        run["picture"] = {"data": data, "width": width, "height": height}
    return runs


@pytest.fixture(scope="session")
def scenes():
    """Scenes of digits, `(480, 480, 3)` uint8."""
    return [load_image(record.image) for record in open_digits("test", size=480, count=4).records]


@pytest.fixture
def save(tmp_path):
    """Writes a picture file: `save(name, pixels)` returns its path."""

    def write(name, pixels, **options):
        encoded = io.BytesIO()
        path = tmp_path / name
        Image.fromarray(pixels).save(encoded, path.suffix[1:].replace("jpg", "jpeg"), **options)
        path.write_bytes(encoded.getvalue())
        return path

    return write
