"""Files with a raw head in Arm's compiler for Ethos-U and in TFLite Micro, both from PyPI.

They need another NumPy than this package's tests, so they run in an environment of their own.
"""

import json
import re
import subprocess
import venv

import numpy as np
import pytest

from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.thresholds import EVALUATION, Thresholds
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.export.tflite import Conversion

pytestmark = pytest.mark.slow

MICRO = """
import sys
import numpy as np
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=30_000_000)
interpreter.set_input(np.load(sys.argv[2]), 0)
interpreter.invoke()
np.save(sys.argv[3], interpreter.get_output(0))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accelerators") / "environment"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    packages = ("ethos-u-vela==5.2.0", "tflite-micro")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


@pytest.fixture(scope="module")
def network(shared_data):
    files = shared_data / "yolo_lite" / "tiny-yolov2-trial3"
    names = (shared_data / "darknet" / "voc.names").read_text().split()
    return import_darknet(f"{files}.cfg", f"{files}.weights", class_names=names)


@pytest.fixture(scope="module")
def path(network, shared_data, tmp_path_factory):
    records = open_dataset(shared_data / "voc2012_animals").records[::8]
    path = tmp_path_factory.mktemp("raw") / "raw.tflite"
    Conversion(network, nms=False, raw_head=True, thresholds=EVALUATION).write(
        path, quantization="int8", calibration=[load_image(record.image) for record in records]
    )
    return path


def test_vela_puts_every_operator_on_the_npu(python, path, tmp_path):
    words = [python.with_name("vela"), path, "--output-dir", tmp_path]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    on_cpu, on_npu = (
        int(re.search(rf"{where} operators = +([0-9]+)", said).group(1)) for where in ("CPU", "NPU")
    )
    assert on_cpu == 0, said
    assert on_npu > 10


def test_tflite_micro_computes_the_same(python, path, shared_data, tmp_path):
    photo = resize(load_image(shared_data / "darknet" / "dog.jpg"), 224, "stretch")[0]
    np.save(tmp_path / "in.npy", (np.rint(photo) - 128).astype(np.int8)[None])
    words = [python, "-c", MICRO, path, tmp_path / "in.npy", tmp_path / "out.npy"]
    subprocess.run(words, check=True, capture_output=True)
    integers = np.load(tmp_path / "out.npy")
    runner = TFLiteDetector(path)
    scale, zero_point = runner._outputs["head"]["quantization"]
    ours = np.rint(runner.run(photo)["head"] / scale + zero_point)
    assert integers.dtype == np.int8
    # Each layer's kernels round differently by a step here and there, and that adds up.
    steps = np.abs(integers - ours)
    assert steps.mean() < 0.5, np.bincount(steps.astype(int).ravel())
    assert steps.max() <= 6, np.bincount(steps.astype(int).ravel())


def test_the_decoded_head_keeps_the_map(path, network, shared_data, record_property):
    names = network.head.class_names
    dataset = open_dataset(shared_data / "voc2007_sample", class_names=names)
    runner = TFLiteDetector(path, thresholds=Thresholds(0.005, detections=300))
    found = runner.detect(record.image for record in dataset.records)
    score = 100 * evaluate(dataset, found).map
    record_property("map", json.dumps(score))
    assert abs(score - 34.53) < 1
