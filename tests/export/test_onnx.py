"""ONNX and OpenVINO files, where their packages are installed."""

import functools

import keras
import numpy as np
import pytest

from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import SCORE, Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export import optional
from yolov2_tf.export.layout import DETECTION_OUTPUTS
from yolov2_tf.export.onnx import OnnxDetector, export_onnx
from yolov2_tf.export.openvino import OpenVinoDetector, export_openvino
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.yolov2 import TinyYOLOv2

FORMS = (
    (".onnx", export_onnx, OnnxDetector, ("onnx", "tf2onnx", "onnxruntime")),
    (".xml", export_openvino, OpenVinoDetector, ("openvino",)),
)


@pytest.fixture(scope="module", params=[".onnx", ".xml"])
def form(request):
    """`(suffix, export, detector)`, where its packages are installed."""
    suffix, export, form, packages = next(form for form in FORMS if form[0] == request.param)
    for package in packages:
        pytest.importorskip(package, reason=f"needs {package}")
    return suffix, export, form


@pytest.fixture(scope="module")
def plain(small_model, pictures, tmp_path_factory):
    """Function of a suffix: path and difference of a file without options, written once."""
    exports = {suffix: export for suffix, export, *_ in FORMS}

    @functools.cache
    def write(suffix):
        path = tmp_path_factory.mktemp("plain") / f"model{suffix}"
        return path, exports[suffix](small_model, path, pictures=pictures[:2])

    return write


def test_files_detect_what_the_model_detects(form, plain, small_model, pictures):
    suffix, _, opened = form
    path, difference = plain(suffix)
    assert max(difference[:2]) < 1e-4
    assert len(list(path.parent.iterdir())) == (2 if suffix == ".xml" else 1)
    runner = opened(path, threads=1)
    assert runner.class_names == ("cat", "dog", "bird")
    expected = detect(detector(small_model, SCORE), pictures)
    for picture, wanted in zip(pictures, expected, strict=True):
        found = runner.detect(picture)
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)
        np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-4)


def test_a_normalization_that_adapted_is_in_the_file(form, pictures, tmp_path):
    suffix, export, _ = form
    norm = keras.layers.Normalization()
    norm.adapt(pictures[0][None].astype("float32"))
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=32, padding="same")(norm(image))
    model = DetectionModel(image, DetectionHead([(1, 1)], ["a"], input_size=64)(x))
    before = model(pictures[0][None, :64, :64])
    difference = export(model, tmp_path / f"model{suffix}", pictures=pictures[:2])
    assert max(difference[:2]) < 1e-4
    np.testing.assert_array_equal(model(pictures[0][None, :64, :64]), before)


def test_tensors_that_are_no_weights_are_refused(tmp_path):
    pytest.importorskip("tf2onnx")

    @keras.saving.register_keras_serializable("tests")
    class Shifted(keras.layers.Layer):
        def build(self, _):
            self.shift = keras.ops.convert_to_tensor(np.arange(3, dtype="float32"))

        def call(self, x):
            return x - self.shift

    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=32, padding="same")(Shifted()(image))
    model = DetectionModel(image, DetectionHead([(1, 1)], ["a"], input_size=64)(x))
    with pytest.raises(InputError, match="no weight of it"):
        export_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def assert_same(found, wanted):
    np.testing.assert_array_equal(found["labels"], wanted["labels"])
    np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-4)
    np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)


def test_suppression_in_the_file_is_ours(form, small_model, pictures, tmp_path):
    suffix, export, opened = form
    path = tmp_path / f"model{suffix}"
    limits = Thresholds(0.01, 0.3, 3)  # all other than the defaults
    export(small_model, path, pictures=pictures[:2], thresholds=limits, nms=True, batch=None)
    expected = list(detect(detector(small_model, 0.01, 0.3, 3), pictures))
    assert max(len(one["labels"]) for one in expected) == 3  # the limit is reached
    alone, together = (opened(path, thresholds=Thresholds(0.01), batch_size=n) for n in (1, 4))
    assert alone.layout.nms
    assert (alone.batch, together.batch) == (1, 4)  # five pictures: the last group is smaller
    for runner in (alone, together):
        for found, wanted in zip(runner.detect(pictures), expected, strict=True):
            assert_same(found, wanted)
    with pytest.raises(InputError, match=r"overlap threshold is fixed at 0\.3"):
        opened(path, thresholds=Thresholds(iou=0.5))


@pytest.mark.parametrize("overlap", [0.0, 1.0])
def test_the_overlap_of_suppression_may_be_at_its_ends(form, apart, pictures, tmp_path, overlap):
    suffix, export, opened = form
    path, limits = tmp_path / f"model{suffix}", Thresholds(0.05, overlap)
    export(apart, path, pictures=pictures[:2], thresholds=limits, nms=True)
    for runner in (opened(path), opened(path, thresholds=limits)):
        assert runner.thresholds.iou == overlap
    (expected,) = detect(detector(apart, 0.05, overlap), pictures[:1])
    assert len(expected["labels"]) > len(set(expected["labels"]))
    assert_same(runner.detect(pictures[0]), expected)


def test_more_detections_wanted_than_there_are_pairs(form, lively, pictures, tmp_path):
    suffix, export, opened = form
    keras.utils.set_random_seed(3)
    model = lively(TinyYOLOv2(("one",), anchors=[(1, 1)], input_size=32, width=0.05))
    path = tmp_path / f"few{suffix}"
    export(model, path, pictures=pictures[:1], nms=True)
    runner = opened(path, thresholds=Thresholds(0.005))
    assert runner.run(np.zeros((32, 32, 3), np.float32))["score"].shape == (1, 100)
    (expected,) = detect(detector(model, 0.005), pictures[:1])
    assert_same(runner.detect(pictures[0]), expected)


def test_a_fixed_batch_is_filled_and_kept(form, small_model, pictures, tmp_path):
    suffix, export, opened = form
    path = tmp_path / f"model{suffix}"
    export(small_model, path, pictures=pictures[:2], batch=2, opset=13)
    runner = opened(path)
    assert runner.batch == 2
    expected = detect(detector(small_model, SCORE), pictures)
    for found, wanted in zip(runner.detect(pictures), expected, strict=True):
        assert_same(found, wanted)
    with pytest.raises(InputError, match="batch is fixed at 2 in it: 4 cannot be had"):
        opened(path, batch_size=4)


@pytest.mark.parametrize("nms", [False, True])
def test_half_precision_halves_the_file_and_keeps_decoding_in_float32(
    nms, form, small_model, pictures, tmp_path
):
    suffix, export, opened = form
    sizes = {}
    for quantization in ("none", "fp16"):
        path = tmp_path / f"{quantization}{suffix}"
        difference = export(
            small_model, path, pictures=pictures, quantization=quantization, nms=nms
        )
        weights = path.with_suffix(".bin") if suffix == ".xml" else path
        sizes[quantization] = weights.stat().st_size
    assert sizes["fp16"] < 0.65 * sizes["none"]
    assert 0 < difference.scores < 0.02
    assert difference.agreement.share > 0.95
    layout = opened(path).layout
    assert (layout.quantization, layout.nms) == ("fp16", nms)


def openvino_convolutions(path):
    """The convolutions of an `.xml` file in the order of the network, the head last."""
    import openvino

    operators = openvino.Core().read_model(str(path)).get_ordered_ops()
    return [op for op in operators if op.get_type_name() == "Convolution"]


def weights_of(convolution):
    """Type of the constant from which a convolution's kernel is made, e.g. `i8`."""
    op = convolution.input_value(1).get_node()
    while op.get_type_name() != "Constant":
        op = op.input_value(0).get_node()
    return op.get_element_type().get_type_name()


@pytest.mark.filterwarnings("ignore:calibration")
def test_int8_up_to_the_head(form, small_model, pictures, tmp_path):
    suffix, export, opened = form
    if suffix == ".xml":
        pytest.importorskip("nncf", reason="needs nncf")
    path = tmp_path / f"int8{suffix}"
    difference = export(
        small_model, path, quantization="int8", nms=True, calibration=pictures, batch=None
    )
    assert 0 < difference.scores < 0.3
    assert opened(path).layout.quantization == "int8"
    if suffix == ".xml":
        kinds = [weights_of(op) for op in openvino_convolutions(path)]
        assert set(kinds[:-1]) <= {"i8", "u8"}, kinds
        assert (len(kinds), kinds[-1]) == (9, "f32")
        return
    import onnx

    file = onnx.load(str(path))
    kernels = {i.name: i.data_type for i in file.graph.initializer}
    convolutions = [node for node in file.graph.node if node.op_type == "Conv"]
    makers = {name: node for node in file.graph.node for name in node.output}
    kinds = [
        kernels[makers[node.input[1]].input[0]]
        if node.input[1] in makers
        else kernels[node.input[1]]
        for node in convolutions
    ]
    integer = onnx.TensorProto.INT8
    assert kinds == [integer] * (len(kinds) - 1) + [onnx.TensorProto.FLOAT]


def test_onnx_files_say_their_opset_and_names(small_model, pictures, tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("tf2onnx", reason="needs tf2onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    path = tmp_path / "model.onnx"
    export_onnx(small_model, path, pictures=pictures[:1], opset=14, batch=None, nms=True)
    file = onnx.load(str(path))
    onnx.checker.check_model(file, full_check=True)
    assert [e.version for e in file.opset_import if not e.domain] == [14]
    assert [output.name for output in file.graph.output] == list(DETECTION_OUTPUTS)
    assert file.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    with pytest.raises(InputError, match=r"opset 9 \(expected 13 to 18"):
        export_onnx(small_model, path, opset=9)
    with pytest.raises(InputError, match="unknown quantisation 'dynamic' of onnx"):
        export_onnx(small_model, path, quantization="dynamic")
    with pytest.raises(InputError, match=r"has no NoSuchProvider here \(expected .*CPUExecution"):
        OnnxDetector(path, providers=["NoSuchProvider"])


def test_openvino_computes_in_float32_unless_asked(plain, monkeypatch):
    """Not every processor has the bfloat16 that OpenVINO takes by itself, so its settings tell."""
    openvino = pytest.importorskip("openvino", reason="needs openvino")
    path, _ = plain(".xml")
    settings, compile_model = [], openvino.Core.compile_model

    def spy(core, network, device, config):
        settings.append(config)
        return compile_model(core, network, device, config)

    monkeypatch.setattr(openvino.Core, "compile_model", spy)
    OpenVinoDetector(path, threads=1)
    OpenVinoDetector(path, precision="bf16")
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
    (tmp_path / "lonely.xml").touch()
    with pytest.raises(InputError, match=r"lonely\.bin: no such file .*the weights beside the"):
        OpenVinoDetector(tmp_path / "lonely.xml")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    (tmp_path / "damaged.onnx").write_bytes(b"damaged")
    with pytest.raises(InputError, match="not an export of this package"):
        OnnxDetector(tmp_path / "damaged.onnx")
