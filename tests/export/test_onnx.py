"""ONNX and OpenVINO files, where their packages are installed."""

import numpy as np
import pytest

from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import SCORE
from yolov2_tf.errors import InputError
from yolov2_tf.export import optional
from yolov2_tf.export.onnx import OnnxDetector, export_onnx
from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino

FORMS = (
    (".onnx", export_onnx, OnnxDetector, ("onnx", "tf2onnx", "onnxruntime")),
    (".xml", export_openvino, OpenVinoDetector, ("openvino",)),
)


@pytest.mark.parametrize(("suffix", "export", "form", "packages"), FORMS)
def test_files_detect_what_the_model_detects(
    suffix, export, form, packages, small_model, pictures, tmp_path
):
    for package in packages:
        pytest.importorskip(package, reason=f"needs {package}")
    path = tmp_path / f"model{suffix}"
    difference = export(small_model, path, pictures=pictures[:2])
    assert max(difference[:2]) < 1e-4
    assert len(list(tmp_path.iterdir())) == (2 if suffix == ".xml" else 1)
    runner = form(path, threads=1)
    assert runner.class_names == ("cat", "dog", "bird")
    expected = detect(detector(small_model, SCORE), pictures)
    for picture, wanted in zip(pictures, expected, strict=True):
        found = runner.detect(picture)
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)
        np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-4)


def test_openvino_computes_in_float32_unless_asked(small_model, pictures, tmp_path, monkeypatch):
    """Not every processor has the bfloat16 that OpenVINO takes by itself, so its settings tell."""
    openvino = pytest.importorskip("openvino", reason="needs openvino")
    export_openvino(small_model, tmp_path / "model.xml", pictures=pictures[:1])
    settings, compile_model = [], openvino.Core.compile_model

    def spy(core, network, device, config):
        settings.append(config)
        return compile_model(core, network, device, config)

    monkeypatch.setattr(openvino.Core, "compile_model", spy)
    OpenVinoDetector(tmp_path / "model.xml", threads=1)
    OpenVinoDetector(tmp_path / "model.xml", precision="bf16")
    assert settings == [
        {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1},
        {"INFERENCE_PRECISION_HINT": "bf16"},
    ]


def test_missing_packages_are_named(small_model, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(InputError, match=r"onnx is not installed.*pip install onnx"):
        export_onnx(small_model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_wrong_files_are_refused(small_model, tmp_path):
    with pytest.raises(InputError, match=r"expected \.xml"):
        export_openvino(small_model, tmp_path / "model.onnx")
    with pytest.raises(InputError, match="no such file"):
        OnnxDetector(tmp_path / "missing.onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    (tmp_path / "damaged.onnx").write_bytes(b"damaged")
    with pytest.raises(InputError, match="not an export of this package"):
        OnnxDetector(tmp_path / "damaged.onnx")
