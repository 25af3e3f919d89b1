"""`yolov2 export` and `yolov2 benchmark` as users call them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.export.detectors import open_model
from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.openvino import prefers_bfloat16
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.trees.wordtree import WordTree

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model_file(small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    small_model.save(path)
    return path


@pytest.fixture(scope="module")
def data(pictures, tmp_path_factory):
    """A CSV data set of three photos."""
    folder = tmp_path_factory.mktemp("data")
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for name, picture in zip(("cat", "dog", "bird"), pictures, strict=False):
        Image.fromarray(picture).save(folder / f"{name}.png")
        rows.append(f"{name}.png,10,20,90,120,{name}")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder / "boxes.csv"


def test_exports_int8_without_suppression(run, model_file, data, tmp_path):
    path = tmp_path / "model.tflite"
    options = ("--quantize", "int8", "--calibrate", data, "--no-nms", "--author", "A. Author")
    code, out, _ = run("export", model_file, "--out", path, *options)
    assert code == 0
    assert "of the Keras model on 4 pictures: " in out  # too few to hold any out
    content = path.read_bytes()
    assert b"A. Author" in content
    names = operator_names(unpack(bytearray(content)))
    assert names.count("QUANTIZE") == 1
    assert "NON_MAX_SUPPRESSION_V4" not in names
    assert TFLiteDetector(path).layout.quantization == "int8"


@pytest.mark.parametrize("labelled", [True, False])
def test_int8_is_judged_by_pictures_that_calibrated_nothing(
    run, model_file, pictures, labelled, tmp_path
):
    """Of a folder of pictures, too; where there are labels, by mAP."""
    photos = tmp_path / "photos"
    photos.mkdir()
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for number in range(25):
        turned = np.roll(np.asarray(Image.fromarray(pictures[0]).resize((120, 90))), 5 * number, 1)
        Image.fromarray(turned).save(photos / f"{number}.png")
        rows.append(f"{number}.png,10,20,90,80,cat")
    if labelled:
        (photos / "boxes.csv").write_text("\n".join(rows) + "\n")
    path = tmp_path / "model.tflite"
    code, out, _ = run(
        "export", model_file, "--out", path, "--quantize", "int8", "--calibrate", photos
    )
    assert code == 0
    assert "on 5 pictures that calibrated nothing: " in out
    assert ("mAP on the 5 pictures held out: " in out) == labelled
    if not labelled:
        words = ("--calibrate", photos, "--split", "val")
        code, _, err = run("export", model_file, "--out", path, "--quantize", "int8", *words)
        assert (code, "--split of a folder of pictures" in err) == (2, True)


def test_a_size_that_takes_more_memory_than_there_is_is_told(
    run, model_file, tmp_path, monkeypatch
):
    monkeypatch.setattr("yolov2_tf.export.tflite.export_tflite", lambda *_, **__: "written")
    for free, told in ((1000, True), (10**12, False)):
        monkeypatch.setattr("yolov2_tf.free_memory.free_bytes", lambda free=free: free)
        code, _, err = run("export", model_file, "--out", tmp_path / "a.tflite", "--size", "8192")
        assert code == 0
        assert ("at 8192 px this takes" in err) == told


def test_size_of_openvino_counts_the_weights(run, model_file, tmp_path):
    pytest.importorskip("openvino", reason="needs openvino")
    path = tmp_path / "model.xml"
    code, out, _ = run("export", model_file, "--format", "openvino", "--out", path)
    assert code == 0
    weights = path.with_suffix(".bin").stat().st_size / 1e6
    assert weights <= float(out.split(": ")[-1].split(" MB")[0]) + 0.05
    assert weights > 2 * path.stat().st_size / 1e6  # or the .xml alone would do


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "coreml"), "expected: saved_model, tflite, onnx, openvino, darknet"),
        (
            ("--format", "darknet", "--quantize", "int8"),
            "--quantize is for tflite, onnx and openvino, not for darknet",
        ),
        (
            ("--format", "saved_model", "--no-nms"),
            "--no-nms is for tflite, onnx and openvino, not for saved_model",
        ),
        (("--size", "100"), "input size 100"),
        (("--quantize", "int16x8"), "no 16-bit kernel"),
        (("--quantize", "int8"), "--calibrate DATA"),
        (("--quantize", "int8", "--calibrate", "nowhere"), "no such data set"),
    ],
)
def test_what_cannot_be_exported_is_one_message(run, model_file, options, message, tmp_path):
    code, _, err = run("export", model_file, "--out", tmp_path / "model.tflite", *options)
    assert code == 2
    assert message in err
    assert not list(tmp_path.iterdir())


REFUSED = [
    ("export m.keras --out m.onnx --quantize int8", "--calibrate DATA"),
    ("export m.keras --out m.xml --quantize dynamic", "'dynamic' of openvino"),
    (
        "export m.keras --out d --format darknet --nms",
        "--nms is for tflite, onnx and openvino, not for darknet",
    ),
    (
        "export m.keras --out m.tflite --opset 17",
        "--opset is for onnx and openvino, not for tflite",
    ),
    ("export m.keras --out m.onnx --head raw", "--head is for tflite, not for onnx"),
    ("export m.keras --out m.tflite --head cooked", "--head 'cooked'"),
    ("export m.keras --out m.tflite --head raw --nms", "--nms behind --head raw"),
    (
        "export m.keras --out m.tflite --batch-size dynamic",
        "--batch-size dynamic is for onnx and openvino",
    ),
    ("export m.keras --out m.onnx --batch-size 0", "--batch-size '0'"),
    ("export m.keras --out m.onnx --batch-size many", "a number from 1 on, or dynamic"),
    ("evaluate m.xml digits --provider CUDAExecutionProvider", "a .onnx file, which takes it"),
    ("export m.keras --out m.onnx --author A", "--author is for tflite, not for onnx"),
    (
        "export m.keras --out m.onnx --threshold 0.1",
        "--threshold is that of the suppression, which this file leaves out",
    ),
    (
        "export m.keras --out d --format darknet --iou 0.5",
        "--iou is for saved_model, tflite, onnx and openvino, not for darknet",
    ),
    (
        "export m.keras --out d --format darknet --calibrate digits",
        "--calibrate is for saved_model, tflite, onnx and openvino, not for darknet",
    ),
    ("export m.keras --out m.onnx --format tflite", "--format tflite, but the name of the file"),
    ("export m.keras --out m.tflite --format saved_model", "is that of tflite"),
    ("export m.keras --out m.lite --format tflite", "expected: a name that ends in .tflite"),
    ("export m.keras --out model", "the name of the file tells no format"),
    (
        "export m.keras --out m.keras",
        "one that ends in .tflite, .onnx, .xml, or --format",
    ),
    ("export m.keras --out m.tflite --split val", "--split without --calibrate"),
    ("export m.keras --out m.tflite --no-nms --threshold 0.1", "which --no-nms leaves out"),
    ("export m.keras --out m.tflite --quantize int8", "--calibrate DATA"),
    ("evaluate m.tflite digits --size 96", "--size is fixed in an exported model"),
    ("evaluate m.tflite digits --batch-size 2", "--batch-size is fixed in an exported model"),
    ("evaluate folder digits --tree-threshold 0.1", "expected: a .keras file, which takes it"),
    ("predict folder a.jpg --json - --iou 0.5", ".keras, .tflite, .onnx or .xml file"),
    ("predict m.xml a.jpg --json - --size 96", "--size is fixed in an exported model"),
]

ALL_REFUSED = """
import contextlib, io, json, shlex, sys
from yolov2_tf import cli
answers = []
for words in json.load(sys.stdin):
    sys.argv = ["yolov2", *shlex.split(words)]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code
    answers.append([code, said.getvalue()])
print(json.dumps([answers, sorted({"tensorflow", "keras"} & set(sys.modules))]))
"""


def test_options_that_a_form_does_not_have_are_refused_before_tensorflow_loads(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", ALL_REFUSED],
        input=json.dumps([words for words, _ in REFUSED]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr
    answers, loaded = json.loads(ended.stdout.splitlines()[-1])
    for (words, message), (code, said) in zip(REFUSED, answers, strict=True):
        assert code == 2, words
        assert message in said, words
        assert said.count("error:") == 1
    assert loaded == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.jpg", "folder"}


@pytest.mark.parametrize(("name", "start"), [("m.onnx", b"\x08"), ("m.tflite", b"TFL3")])
def test_the_name_of_the_file_tells_the_format(run, model_file, name, start, tmp_path):
    if name == "m.onnx":
        for package in ("onnx", "tf2onnx", "onnxruntime"):
            pytest.importorskip(package, reason=f"needs {package}")
    code, out, _ = run("export", model_file, "--out", tmp_path / name)
    assert code == 0
    assert f"{name}: " in out
    content = (tmp_path / name).read_bytes()
    assert start in (content[:1], content[4:8])


def test_tree_options_of_a_network_without_one_are_refused(run, model_file, data, tmp_path):
    for words in (
        ("export", model_file, "--out", tmp_path / "m.tflite", "--tree-threshold", 0.3),
        ("evaluate", model_file, data, "--tree-threshold", 0.3),
        ("predict", model_file, data.parent, "--json", "-", "--tree-threshold", 0.3),
    ):
        code, _, err = run(*words)
        assert code == 2
        assert "has no label tree" in err
        assert "no --tree-threshold" in err


TREE = "thing -1\npet 0\nbird 0\ncat 1\ndog 1\n"


@pytest.fixture(scope="module")
def tree_files(pictures, tmp_path_factory):
    """A network with a label tree, and a data set: what it finds, under other nodes as well."""
    keras.utils.set_random_seed(2)
    folder = tmp_path_factory.mktemp("tree")
    (folder / "pets.tree").write_text(TREE)
    tree = WordTree.read(folder / "pets.tree")
    model = TinyYOLOv2(tree.names, input_size=64, width=0.01, tree=tree)
    kernel, bias = model.head.get_weights()
    random = np.random.default_rng(0)
    model.head.set_weights([random.normal(0, 1, kernel.shape), random.normal(0, 1, bias.shape)])
    model.save(folder / "tree.keras")
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for number, picture in enumerate(pictures[:3]):
        Image.fromarray(picture).save(folder / f"{number}.png")
        found = open_model(folder / "tree.keras", EVALUATION).detect(picture)
        height, width = picture.shape[:2]
        for box, label in zip(found["boxes"][:4], found["labels"], strict=False):
            sides = (box * [height, width, height, width])[[1, 0, 3, 2]].round(2)
            above = tree.parent[label]
            name = tree.names[label if number or above < 0 else above]
            rows.append(",".join([f"{number}.png", *map(str, sides), name]))
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder / "tree.keras", folder / "boxes.csv"


@pytest.mark.slow
def test_benchmark_scores_trees_as_evaluate_does(run, tree_files, tmp_path):
    """What was found counts for its ancestors as well."""
    tree_file, data = tree_files
    words = ("benchmark", tree_file, "--data", data, "--runs", 1, "--threads", 1)
    command = [sys.executable, "-m", "yolov2_tf.cli", *map(str, words), "--json", "-"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    rows = {row["form"]: row for row in json.loads(ended.stdout)}
    forms = {"Keras", "SavedModel", "TFLite float32", "TFLite fp16", "TFLite dynamic"}
    peers = {"ONNX", "ONNX fp16", "OpenVINO", "OpenVINO fp16", "OpenVINO bf16"}
    assert forms <= set(rows) <= forms | peers
    left_out = ended.stderr.count("left out:")  # int8, and OpenCV, which cannot have a tree
    assert left_out + len({"ONNX", "OpenVINO"} & set(rows)) == 4
    assert run("evaluate", tree_file, data, "--json", tmp_path / "scores.json")[0] == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert len(scores["ap"]) == 5
    assert 0 < scores["map"] < 1
    for form in {"Keras", "SavedModel", "TFLite float32", "ONNX", "OpenVINO"} & set(rows):
        assert rows[form]["map"] == pytest.approx(scores["map"], abs=1e-6), form


@pytest.mark.slow
def test_benchmark_compares_every_form(model_file, data, tmp_path):
    # In a process of its own: TensorFlow sets its threads once.
    words = ("benchmark", model_file, "--data", data, "--calibrate", data)
    words += ("--out", tmp_path, "--runs", "3", "--threads", "1,2", "--batch-size", "2")
    words += ("--json", tmp_path / "rows.json")
    command = [sys.executable, "-c", "from yolov2_tf.cli import main; main()", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    err = ended.stderr + ended.stdout
    rows = json.loads((tmp_path / "rows.json").read_text())
    quantised = [f"TFLite {name}" for name in ("float32", "fp16", "dynamic", "int8")]
    names = [row["form"] for row in rows if row["threads"] == 1]
    assert names == [row["form"] for row in rows if row["threads"] == 2]
    batched = {row["form"]: row["batch"] for row in rows if row["batch"] > 1}
    assert names[:6] == ["Keras", "SavedModel", *quantised]
    assert "TFLite int8, raw head" in names
    formats = ["TFLite float32", *(form for form in ("ONNX", "OpenVINO") if form in names)]
    int8 = [f"{form.split()[0]} int8" for form in formats]
    assert batched == {f"{form}, batch 2": 2 for form in (*formats, *int8)}
    assert len({"ONNX", "OpenVINO", "Darknet"} & set(names)) + err.count("left out:") == 3
    for peer in formats[1:]:
        assert {f"{peer} fp16", f"{peer} int8"} <= set(names)
    if "OpenVINO" in names:
        bf16 = {"OpenVINO bf16", "OpenVINO int8 bf16"}
        assert bf16 & set(names) == (bf16 if prefers_bfloat16() else set())
    assert all(abs(row["map_loss"]) < 0.1 for row in rows)
    assert [row["form"] for row in rows if row["tail_share"] is not None] == quantised * 2
    assert rows[2]["megabytes"] > 3 * rows[5]["megabytes"]
    for name in ("benchmark.md", "benchmark.png", "side_by_side.png"):
        assert (tmp_path / name).stat().st_size > 300
