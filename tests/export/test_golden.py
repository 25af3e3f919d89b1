"""`TFLiteDetector` against the cases that all readers of a `.tflite` file share."""

import collections
import itertools
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from golden_runs import FOLDER, TOLERANCE, check_answer, golden_runs

from yolov2_tf.errors import InputError
from yolov2_tf.export import runtime
from yolov2_tf.export.layout import LAYOUT_FILE
from yolov2_tf.export.layout_values import QUANTIZATIONS

ENTRIES = ("resize", "class_names", "input_size", "nms", "max_detections")
SUPPRESSION = ("tree", "iou_threshold", "per_class")  # where suppressing is left to the reader


class RecordedInterpreter:
    """Stands in for a TFLite runtime: gives what the case holds, whatever it gets."""

    def __init__(self, golden):
        self._input, self._outputs = golden["input"], golden["outputs"]

    def __call__(self, path, num_threads=None):
        return self

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        return [detail("image", 0, self._input)]

    def get_output_details(self):
        return [detail(name, 1 + i, each) for i, (name, each) in enumerate(self._outputs.items())]

    def set_tensor(self, index, values):
        assert values.dtype == self._input["type"]
        assert list(values.shape) == self._input["shape"]
        self.given = values

    def invoke(self):
        pass

    def get_tensor(self, index):
        return tensor([*self._outputs.values()][index - 1])


def tensor(output):
    return np.array(output["values"], output["type"]).reshape(output["shape"])


def detail(name, index, described):
    return {
        "name": name,
        "index": index,
        "shape": np.array(described["shape"], np.int32),
        "dtype": np.dtype(described["type"]).type,
        # As both runtimes tell it: of bytes that are the pixels, and of floats.
        "quantization": (1.0, 0) if described["type"] == "uint8" else (0.0, 0),
    }


@pytest.mark.parametrize("golden", golden_runs(), ids=lambda run: run["name"])
def test_golden_cases(golden, tmp_path, monkeypatch):
    path = tmp_path / "model.tflite"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(LAYOUT_FILE, golden["content"])
    interpreter = RecordedInterpreter(golden)
    monkeypatch.setattr(runtime, "load_interpreter", lambda: (interpreter, "recorded"))
    try:
        detector = runtime.TFLiteDetector(path, score_threshold=golden["threshold"])
        found = detector.detect(golden["pixels"])
    except InputError as error:
        check_answer(golden, {"refused": str(error)})
        return
    detections = [
        {
            "box": box.tolist(),
            "label": int(label),
            "name": detector.class_names[label],
            "score": float(score),
        }
        for box, label, score in zip(*found.values(), strict=True)
    ]
    check_answer(golden, {"detections": detections, "input": interpreter.given.ravel()})


@pytest.mark.parametrize(
    "golden",
    [
        run
        for run in golden_runs()
        if "detections" in run and "boxes" in run["outputs"]
        if run["description"]["resize"] == "stretch"  # boxes of the square are boxes of the picture
    ],
    ids=lambda run: run["name"],
)
def test_suppression_in_the_graph_finds_the_same(golden):
    """The Keras layer, which files with suppression hold."""
    from yolov2_tf.detection.non_max_suppression import NonMaxSuppression

    description, given = golden["description"], golden["outputs"]
    layer = NonMaxSuppression(
        golden["threshold"],
        description["iou_threshold"],
        description["max_detections"],
        description.get("per_class", True),
    )
    outputs = layer(
        *(tensor(given[name]) for name in ("boxes", "scores", "labels") if name in given)
    )
    count = int(outputs["num_detections"][0])
    boxes, labels, scores = (
        np.asarray(outputs[name])[0, :count] for name in ("boxes", "labels", "scores")
    )
    expected = golden["detections"]
    np.testing.assert_array_equal(labels, [one["label"] for one in expected])
    np.testing.assert_allclose(scores, [one["score"] for one in expected], atol=TOLERANCE)
    np.testing.assert_allclose(
        boxes, np.reshape([one["box"] for one in expected], (-1, 4)), atol=TOLERANCE
    )


def test_the_cases_are_those_that_the_script_writes(tmp_path):
    subprocess.run([sys.executable, FOLDER / "make.py", tmp_path], check=True)
    for name in ("pictures.json", "cases.json", "changes.json"):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text(), name


def test_there_is_a_case_of_every_kind():
    names = {run["name"] for run in golden_runs()}
    kinds = itertools.product(
        ("nms", "no-nms"), ("flat", "tree"), ("stretch", "letterbox"), QUANTIZATIONS
    )
    assert {"/".join(kind) for kind in kinds} <= names


def test_no_entry_that_matters_can_be_changed_unnoticed():
    """In the table of changes, that is: the readers of all languages are held to it."""
    noticed = collections.defaultdict(set)
    for run in golden_runs():
        if run["name"].startswith(f"{run.get('case')}: "):
            assert "refused" in run or run["detections"] != run["unchanged"], run["name"]
            for entry in run["set"]:
                noticed[entry].add(run["case"])
    modes, exports = ("stretch", "letterbox"), ("none", "int8")
    for form, entries in {
        "nms/flat": ENTRIES,
        "nms/tree": ENTRIES,
        "no-nms/flat": ENTRIES + SUPPRESSION,
        "no-nms/tree": ENTRIES + SUPPRESSION,
    }.items():
        cases = {f"{form}/{mode}/{export}" for mode in modes for export in exports}
        for entry in entries:
            assert cases <= noticed[entry], (form, entry)
