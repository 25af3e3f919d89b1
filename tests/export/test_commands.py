"""`yolov2 export` and `yolov2 benchmark` as users call them."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from yolov2_tf.export.flatbuffer import operator_names, unpack
from yolov2_tf.export.openvino import prefers_bfloat16
from yolov2_tf.export.runtime import TFLiteDetector


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
    assert "of the Keras model on 3 pictures" in out
    content = path.read_bytes()
    assert b"A. Author" in content
    names = operator_names(unpack(bytearray(content)))
    assert names.count("QUANTIZE") == 1
    assert "NON_MAX_SUPPRESSION_V4" not in names
    assert TFLiteDetector(path).layout.quantization == "int8"


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
        (("--format", "onnx", "--quantize", "int8"), "--quantize is for tflite, not for onnx"),
        (("--format", "saved_model", "--no-nms"), "--no-nms is for tflite, not for saved_model"),
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


@pytest.mark.slow
def test_benchmark_compares_every_form(model_file, data, tmp_path):
    # In a process of its own: TensorFlow sets its threads once.
    words = ("benchmark", model_file, "--data", data, "--calibrate", data)
    words += ("--out", tmp_path, "--runs", "3", "--threads", "1", "--json", tmp_path / "rows.json")
    command = [sys.executable, "-c", "from yolov2_tf.cli import main; main()", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    err = ended.stderr + ended.stdout
    rows = json.loads((tmp_path / "rows.json").read_text())
    quantised = [f"TFLite {name}" for name in ("float32", "fp16", "dynamic", "int8")]
    names = [row["form"] for row in rows]
    assert names[:6] == ["Keras", "SavedModel", *quantised]
    others = set(names[6:])
    assert len(others & {"ONNX", "OpenVINO", "Darknet"}) + err.count("left out:") == 3
    assert others <= {"ONNX", "OpenVINO", "OpenVINO bf16", "Darknet"}  # bf16 if the CPU has it
    if "OpenVINO" in others:
        assert ("OpenVINO bf16" in others) == prefers_bfloat16()
    assert all(abs(row["map_loss"]) < 0.1 for row in rows)
    assert [row["form"] for row in rows if row["tail_share"] is not None] == quantised
    assert rows[2]["megabytes"] > 3 * rows[5]["megabytes"]
    for name in ("benchmark.md", "benchmark.png", "side_by_side.png"):
        assert (tmp_path / name).stat().st_size > 300
