"""What is inside the written `.tflite` files, and what export refuses."""

import dataclasses
import warnings

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from gpu_slices import assert_slices_keep_their_axes
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.export import held_out, tflite
from yolov2_tf.export.check import ExportError
from yolov2_tf.export.flatbuffer import (
    OPERATORS,
    check_deployable,
    operator_name,
    operator_names,
    unpack,
)
from yolov2_tf.export.formats import check_quantization
from yolov2_tf.export.held_out import Agreement
from yolov2_tf.export.inference_network import at_size
from yolov2_tf.export.layout import DETECTION_OUTPUTS, HEAD_OUTPUTS, PREDICTION_OUTPUTS
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.tflite import Conversion, export_tflite

FORMS = ("none", "none_raw", "fp16", "dynamic", "int8", "int8_raw")


def type_of(file, index):
    return file.subgraphs[0].tensors[index].type


@pytest.mark.parametrize("form", FORMS)
def test_inputs_and_outputs_are_named_ordered_and_of_fixed_size(form, exported):
    interpreter = Interpreter(str(exported[form][0]))
    (image,) = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    quantised = form.startswith("int8")
    assert image["name"] == "image"
    assert image["dtype"] == (np.uint8 if quantised else np.float32)
    assert image["shape"].tolist() == image["shape_signature"].tolist() == [1, 96, 96, 3]
    if quantised:
        assert image["quantization"] == (1.0, 0)  # camera bytes go in as they are
    names = PREDICTION_OUTPUTS if form.endswith("_raw") else DETECTION_OUTPUTS
    shapes = ([1, 45, 4], [1, 45, 3]) if form.endswith("_raw") else ([1, 100, 4], [1, 100])
    assert [output["name"] for output in outputs] == list(names)
    for output, shape in zip(outputs, shapes, strict=False):
        assert output["shape"].tolist() == shape
    assert {output["dtype"] for output in outputs} == {np.float32}
    ((_, signature),) = interpreter.get_signature_list().items()
    assert signature == {"inputs": ["image"], "outputs": sorted(names)}


@pytest.mark.parametrize("form", FORMS)
def test_files_hold_built_in_operators_only(form, files):
    check_deployable(files[form], "here")
    names = operator_names(files[form])
    assert set(names) <= set(OPERATORS.values()) - {"CUSTOM", "DELEGATE"}
    assert ("NON_MAX_SUPPRESSION_V4" in names) is not form.endswith("_raw")


def test_weights_are_aligned_for_the_runtime(exported):
    content = exported["int8"][0].read_bytes()
    packed = schema.Model.GetRootAs(content)
    base = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    checked = 0
    for i in range(packed.BuffersLength()):
        if packed.Buffers(i).DataLength():
            data = packed.Buffers(i).DataAsNumpy().__array_interface__["data"][0]
            assert (data - base) % 16 == 0
            checked += 1
    assert checked > 40


def test_int8_keeps_all_but_head_and_decoding_in_integers(files):
    file = files["int8"]
    names = operator_names(file)
    assert names.count("QUANTIZE") == names.count("DEQUANTIZE") == 1
    assert names.index("QUANTIZE") == 0
    border = names.index("DEQUANTIZE")
    assert {"CONV_2D", "LEAKY_RELU", "MAX_POOL_2D", "SPACE_TO_DEPTH", "CONCATENATION"} == set(
        names[1:border]
    )
    assert names[border + 1] == "CONV_2D"
    assert "CONV_2D" not in names[border + 2 :]
    for op in file.subgraphs[0].operators[1:border]:
        assert type_of(file, op.outputs[0]) == schema.TensorType.INT8
        if operator_name(file, op) == "CONV_2D":
            kernel, bias = (file.subgraphs[0].tensors[i] for i in op.inputs[1:])
            assert (kernel.type, bias.type) == (schema.TensorType.INT8, schema.TensorType.INT32)
            assert len(kernel.quantization.scale) == kernel.shape[0]
    for op in file.subgraphs[0].operators[border + 1 :]:
        assert type_of(file, op.outputs[0]) != schema.TensorType.INT8


@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "SPACE_TO_DEPTH", "CONCATENATION"])
def test_int8_operators_that_move_values_share_one_scale(kind, files):
    graph = files["int8"].subgraphs[0]
    found = [op for op in graph.operators if operator_name(files["int8"], op) == kind]
    integer = [
        op for op in found if type_of(files["int8"], op.outputs[0]) == schema.TensorType.INT8
    ]
    assert integer
    for op in integer:
        scales = {
            (graph.tensors[i].quantization.scale[0], graph.tensors[i].quantization.zeroPoint[0])
            for i in (*op.inputs, *op.outputs)
        }
        assert len(scales) == 1


def test_sizes_are_half_and_a_quarter(exported):
    size = {name: path.stat().st_size for name, (path, _) in exported.items()}
    # The graph itself takes some 30 kB of these small files.
    weights = size["none"] - 30_000
    assert abs(size["fp16"] - 30_000 - weights / 2) < 15_000
    for form in ("dynamic", "int8"):
        assert size[form] - 30_000 < 0.3 * weights + 15_000


def test_differences_grow_as_expected(exported):
    difference = {name: both[1] for name, both in exported.items()}
    assert max(difference["none"][:2]) < 1e-4
    assert max(difference["none_raw"][:2]) < 1e-4
    assert 0 < difference["fp16"].scores < 0.01
    assert 0 < difference["dynamic"].scores < 0.1
    assert 0 < difference["int8"].scores < 0.2
    assert difference["int8"] == difference["int8_raw"]
    assert "of the Keras model on 4 pictures: " in str(difference["int8"])


@pytest.mark.parametrize(
    ("quantization", "message"),
    [("int16x8", "no 16-bit kernel"), ("int4", "expected none, fp16"), ("int8", "--calibrate")],
)
def test_quantisations_that_cannot_be_had_are_refused(quantization, message):
    with pytest.raises(InputError, match=message):
        check_quantization(quantization, None)


def test_a_file_that_differs_is_not_written(model, conversions, pictures, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_text("the one before")
    weights = model.head.get_weights()
    model.head.set_weights([weights[0] * 1.5, weights[1]])
    try:
        with pytest.raises(ExportError, match=r"differs: scores within .*at most 0\.001"):
            conversions[0].write(path, pictures=pictures[:2])
    finally:
        model.head.set_weights(weights)
    assert path.read_text() == "the one before"
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_decoding_is_not_written(conversions, pictures, tmp_path, monkeypatch):
    def other_threshold(head, raw, shapes, thresholds):
        return suppressed(head, raw, shapes, dataclasses.replace(thresholds, iou=0.1))

    suppressed = tflite.suppressed
    monkeypatch.setattr(tflite, "suppressed", other_threshold)
    with pytest.raises(ExportError, match="have no counterpart"):
        conversions[0].write(tmp_path / "model.tflite", pictures=pictures[:2])
    assert not list(tmp_path.iterdir())


def test_quantised_files_that_detect_something_else_are_written_with_a_warning(
    conversions, pictures, tmp_path, monkeypatch
):
    path = tmp_path / "model.tflite"
    for agreed, blamed in ((Agreement(3, 10, 10, True), True), (Agreement(9, 10, 10, True), False)):
        monkeypatch.setattr(held_out, "agreement", lambda *_, agreed=agreed: agreed)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            conversions[0].write(path, quantization="dynamic", pictures=pictures[:2])
        assert path.is_file()
        texts = [str(warning.message) for warning in said]
        assert any("3 of the model's 10 detections" in t and "Try: " in t for t in texts) == blamed


def test_a_bad_calibration_is_blamed_and_not_the_file(conversions, pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out, "agreement", lambda *_: Agreement(1, 10, 10, False))
    with pytest.warns(UserWarning, match="calibration") as said:
        conversions[0].write(
            tmp_path / "model.tflite", quantization="int8", calibration=pictures[:1]
        )
    texts = [str(warning.message) for warning in said]
    assert any(text.startswith("calibration: only 1 picture. Try") for text in texts)
    assert any("The calibration is at fault: only 1 picture" in text for text in texts)


def test_black_pictures_calibrate_nothing(conversions, tmp_path):
    black = [np.zeros((60, 80, 3), np.uint8)] * 30
    with pytest.raises(InputError, match="30 of 30 calibration pictures show next to nothing"):
        conversions[0].write(tmp_path / "model.tflite", quantization="int8", calibration=black)
    assert not list(tmp_path.iterdir())


def test_export_checks_its_arguments_before_converting(model, tmp_path, monkeypatch):
    monkeypatch.setattr(tflite, "_convert", lambda *_: pytest.fail("converted"))
    with pytest.raises(InputError, match="--calibrate"):
        export_tflite(model, tmp_path / "model.tflite", quantization="int8")


def test_a_batch_of_several_is_fixed(small_model, pictures, tmp_path):
    path = tmp_path / "model.tflite"
    limits = Thresholds(0.02)
    export_tflite(small_model, path, batch=2, pictures=pictures[:2], thresholds=limits)
    file = unpack(path.read_bytes())
    assert_slices_keep_their_axes(file)
    assert len(file.subgraphs) == 1
    runner = TFLiteDetector(path, score_threshold=0.02)
    assert runner.batch == 2
    expected = detect(detector(small_model, 0.02), pictures)
    for found, wanted in zip(runner.detect(pictures), expected, strict=True):
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)
    with pytest.raises(InputError, match="a batch of None"):
        export_tflite(small_model, path, batch=None)


def test_boxes_that_do_not_touch_stay_apart_at_an_overlap_of_0(apart, pictures, tmp_path):
    path = tmp_path / "model.tflite"
    export_tflite(apart, path, pictures=pictures[:2], thresholds=Thresholds(iou=0.0))
    (expected,) = detect(detector(apart, 0.05, 0.0), pictures[:1])
    found = TFLiteDetector(path, score_threshold=0.05).detect(pictures[0])
    assert len(expected["labels"]) > len(set(expected["labels"]))
    np.testing.assert_array_equal(found["labels"], expected["labels"])
    np.testing.assert_allclose(found["boxes"], expected["boxes"], atol=1e-4)
    with pytest.raises(InputError, match="less than 1, or a file without suppression"):
        export_tflite(apart, path, thresholds=Thresholds(iou=1.0))


@pytest.mark.filterwarnings("ignore:calibration")
def test_a_raw_head_is_int8_in_and_out(small_model, pictures, tmp_path):
    paths = {q: tmp_path / f"{q}.tflite" for q in ("none", "int8")}
    conversion = Conversion(small_model, nms=False, raw_head=True)
    for quantization, path in paths.items():
        conversion.write(path, quantization=quantization, calibration=pictures)
    interpreter = Interpreter(str(paths["int8"]))
    (image,), (head,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (image["dtype"], image["quantization"]) == (np.int8, (1.0, -128))
    assert (head["name"], head["dtype"]) == ("head", np.int8)
    names = operator_names(unpack(paths["int8"].read_bytes()))
    assert not {"QUANTIZE", "DEQUANTIZE"} & set(names)
    exact = TFLiteDetector(paths["none"], score_threshold=0.02)
    assert exact.layout.outputs == HEAD_OUTPUTS
    expected = detect(detector(small_model, 0.02), pictures)
    for found, wanted in zip(exact.detect(pictures), expected, strict=True):  # decoded in NumPy
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)
        np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-4)
    rough = TFLiteDetector(paths["int8"])
    heads = [
        runner.run(pictures[0][:96, :96].astype(np.float32))["head"] for runner in (exact, rough)
    ]
    assert np.abs(heads[0] - heads[1]).mean() < 0.1 * heads[0].std()
    with pytest.raises(InputError, match="suppression behind a raw head"):
        Conversion(small_model, raw_head=True)


def test_another_size_keeps_the_weights(small_model, pictures, tmp_path):
    path = tmp_path / "model.tflite"
    export_tflite(at_size(small_model, 64), path, pictures=pictures[:2])
    runner = TFLiteDetector(path, score_threshold=0.02)
    assert runner.input_size == 64
    for found, wanted in zip(
        runner.detect(pictures), detect(detector(small_model, 0.02), pictures, size=64), strict=True
    ):
        np.testing.assert_array_equal(found["labels"], wanted["labels"])
        np.testing.assert_allclose(found["boxes"], wanted["boxes"], atol=1e-4)
    assert small_model.head.input_size == 96
    with pytest.raises(InputError, match=r"input size 100 \(expected a multiple of 32"):
        at_size(small_model, 100)
