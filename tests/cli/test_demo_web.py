"""`yolov2 demo-web`, as users call it."""

import json
import re
import subprocess
import sys
import urllib.request
import zipfile

import pytest
from PIL import Image

from yolov2_tf import zoo
from yolov2_tf.cli import demo_web
from yolov2_tf.errors import InputError
from yolov2_tf.export.layout import Layout, read_layout
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.web_demo.site import HERE


@pytest.fixture
def named(tmp_path):
    """Writes a file that says what a model says of itself; nobody runs it here."""

    def write(name="street", classes=("car",)):
        path = tmp_path / f"{name}.tflite"
        settings = {"score_threshold": 0.005, "iou_threshold": 0.45, "max_detections": 100}
        layout = Layout(classes, ((1.0, 1.0),), 416, "stretch", nms=True, **settings)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("yolov2.json", json.dumps(layout.to_json()))
        return path

    return write


@pytest.fixture
def model(named):
    return named()


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
    for place, message in (("no.tflite", "no such file"), ("", "is a folder")):
        code, _, err = run("demo-web", tmp_path / place)
        assert code == 2
        assert message in err


def test_models_of_people_come_with_a_photo_that_belongs_to_nobody(named, packages, tmp_path, run):
    models = named("family", ("cat", "person")), named()
    assert run("demo-web", *models, "--export", tmp_path / "site")[0] == 0
    first, second = json.loads((tmp_path / "site" / "content.json").read_text())["models"]
    (photo,) = first["examples"]
    assert Image.open(tmp_path / "site" / photo).size == (512, 600)
    assert "public domain" in first["credit"]
    assert (second["examples"], second["credit"]) == ([], "")


def test_keras_files_are_exported_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("YOLOV2_CACHE", str(tmp_path / "cache"))
    network = TinyYOLOv2(("cat", "dog"), input_size=64, width=0.125)
    network.save(tmp_path / "pets.keras")
    module = sys.modules[demo_web.__module__]
    made = module.phone_file(tmp_path / "pets.keras")
    assert made.name == "pets.tflite"
    layout = read_layout(made)
    assert (layout.class_names, layout.nms) == (("cat", "dog"), False)
    assert "once" in capsys.readouterr().err
    assert module.phone_file(tmp_path / "pets.keras") == made
    assert capsys.readouterr().err == ""


def test_without_a_model_the_shipped_ones_are_used_if_there_are_some(tmp_path, monkeypatch):
    module = sys.modules[demo_web.__module__]
    monkeypatch.setattr(module, "SHIPPED", str(tmp_path))
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "zoo" / "__init__.py"))
    with pytest.raises(InputError, match="no model is given"):
        module.shipped_models()
    for name in ("digits.tflite", "cats.tflite", "zoo/networks/starter.keras"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [path.name for path in module.shipped_models()]
    assert names == ["starter.keras", "cats.tflite", "digits.tflite"]
    (tmp_path / "starter.tflite").touch()  # the app's, ready for phones
    names = [path.name for path in module.shipped_models()]
    assert names == ["cats.tflite", "starter.tflite", "digits.tflite"]


def test_the_smallest_network_comes_first(tmp_path, monkeypatch):
    module = sys.modules[demo_web.__module__]
    monkeypatch.setattr(module, "SHIPPED", str(tmp_path))
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "networks").mkdir()
    for name, size in (("starter", 3), ("starter-tiny", 2), ("a-large-one", 4)):
        (tmp_path / "networks" / f"{name}.keras").write_bytes(bytes(size))
    (tmp_path / "digits.tflite").touch()
    names = [path.stem for path in module.shipped_models()]
    assert names == ["starter-tiny", "starter", "a-large-one", "digits"]
