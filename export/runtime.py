"""Runs an exported `.tflite` file: picture in, detections out.

Made for small computers. It needs NumPy, Pillow and one TFLite runtime (`ai-edge-litert` or
`tflite-runtime`), and neither TensorFlow nor Keras. What it has to know about the network it
reads from the file.
"""

import importlib
import threading

import numpy as np

from yolov2_tf.detection.thresholds import either
from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import read_layout

RUNTIMES = ("ai_edge_litert", "tflite_runtime")
"""TFLite runtimes that can be used, the better one first."""


class TFLiteDetector(Detector):
    """Detector over a `.tflite` file that `yolov2 export` wrote.

    Args:
        path: The file.
        threads: How many threads it may use; default: the runtime's choice.
        score_threshold: Detections score above this, 0..1; default: 0.25, or the file's own if that
            is higher. A file with suppression cannot go below its own.
        thresholds: `Thresholds` in place of `score_threshold`.

    Attributes:
        runtime: The TFLite runtime that was found, with its version; for the others see
            `Detector`.

    Raises:
        InputError: If the file is missing, damaged, or was not written by this package; if no
            TFLite runtime is installed; if a threshold cannot be had.

    Example:
        ```python
        detector = TFLiteDetector("model.tflite", threads=2)
        for box, label, score in zip(*detector.detect("street.jpg").values()):
            print(detector.class_names[label], score, box)
        ```
    """

    def __init__(self, path, threads=None, score_threshold=None, thresholds=None):
        super().__init__(read_layout(path), either(score_threshold, thresholds), path)
        interpreter, self.runtime = load_interpreter()
        try:
            self._interpreter = interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f"{self.runtime} cannot run it: {error}", where=path) from error
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = {
            detail["name"]: detail for detail in self._interpreter.get_output_details()
        }
        self.batch = int(self._input["shape"][0])
        self.layout.check_network(
            self._input["shape"],
            {name: detail["shape"] for name, detail in self._outputs.items()},
            path,
        )
        # An interpreter has one input and one set of outputs. A lock rather than an interpreter for
        # each thread: those would hold the activations several times over and share the cores
        # that one already uses.
        self._lock = threading.Lock()

    def run_batch(self, images):
        """Runs the network, see `Detector.run_batch`."""
        if self._input["dtype"] != np.float32:
            images = np.rint(images) + self._input["quantization"][1]
        images = images.astype(self._input["dtype"], copy=False)
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], images)
            self._interpreter.invoke()
            # get_tensor copies.
            return {
                name: _as_floats(self._interpreter.get_tensor(detail["index"]), detail)
                for name, detail in self._outputs.items()
            }


def _as_floats(values, detail):
    """The values of an output; integers of the raw head stand for multiples of its scale."""
    if values.dtype != np.int8:
        return values
    scale, zero_point = detail["quantization"]
    return (values.astype(np.float32) - zero_point) * np.float32(scale)


def load_interpreter():
    """The `Interpreter` class of the best TFLite runtime here, and that runtime's name.

    Raises:
        InputError: If none is installed.
    """
    for name in RUNTIMES:
        try:
            interpreter = importlib.import_module(f"{name}.interpreter").Interpreter
        except ImportError:
            continue
        return interpreter, f"{name} {importlib.import_module(name).__version__}"
    raise InputError("no TFLite runtime is installed", hint="pip install ai-edge-litert")
