"""`yolov2 demo-web`, as users call it."""

import json
import re
import subprocess
import sys
import urllib.request

import pytest

from yolov2_tf.cli import demo_web
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import Layout
from yolov2_tf.web_demo.site import HERE


@pytest.fixture
def model(tmp_path):
    """A file that says what a model says of itself; nobody runs it here."""
    import zipfile

    path = tmp_path / "street.tflite"
    settings = {"score_threshold": 0.005, "iou_threshold": 0.45, "max_detections": 100}
    layout = Layout(("car",), ((1.0, 1.0),), 416, "stretch", nms=True, **settings)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("yolov2.json", json.dumps(layout.to_json()))
    return path


@pytest.fixture
def packages():
    if not (HERE / "node_modules" / "@litertjs").is_dir():
        pytest.skip("needs `npm ci` in web_demo; `make test-web` does it")


def test_it_serves_the_page(model, packages):
    command = [sys.executable, "-c", "from yolov2_tf.cli import main; main()"]
    with subprocess.Popen(
        [*command, "demo-web", model, "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            url = re.search(r"http://localhost:\d+/", process.stdout.readline())[0]
            with urllib.request.urlopen(url + "content.json", timeout=10) as answer:
                content = json.load(answer)
        finally:
            process.terminate()
    assert [model["name"] for model in content["models"]] == ["street"]


@pytest.mark.parametrize("option", ["--export", "--out"])
def test_it_writes_the_page(model, packages, tmp_path, run, option):
    out = tmp_path / "new" / "site"
    code, _, err = run("demo-web", model, option, out)
    assert code == 0, err
    assert {"index.html", "content.json", "litert", "models"} <= {p.name for p in out.iterdir()}
    (out / "mine.txt").touch()
    assert run("demo-web", model, option, out)[0] == 0  # once more, over the old one
    assert (out / "mine.txt").exists()
    assert [p.name for p in out.parent.iterdir()] == ["site"]


def test_a_file_in_the_place_of_the_folder_is_one_message(model, packages, tmp_path, run):
    (tmp_path / "taken").write_text("mine")
    code, _, err = run("demo-web", model, "--export", tmp_path / "taken")
    assert code == 2
    assert "is no folder" in err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_missing_model_is_one_message(tmp_path, run):
    code, _, err = run("demo-web", tmp_path / "no.tflite")
    assert code == 2
    assert "no such file" in err


def test_without_a_model_the_shipped_ones_are_used_if_there_are_some(tmp_path, monkeypatch):
    module = sys.modules[demo_web.__module__]
    monkeypatch.setattr(module, "SHIPPED", str(tmp_path))
    with pytest.raises(InputError, match="no model is given"):
        module.shipped_models()
    for name in ("digits", "starter", "cats"):
        (tmp_path / f"{name}.tflite").touch()
    assert [path.stem for path in module.shipped_models()] == ["cats", "starter", "digits"]
