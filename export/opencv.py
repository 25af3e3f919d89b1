"""Runs the Darknet export of a detector in OpenCV's `dnn`, to compare it with."""

import re
import threading

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.export.detectors import Detector
from yolov2_tf.export.layout import describe
from yolov2_tf.export.optional import import_optional


class OpenCvDetector(Detector):
    """Detector over Darknet files in OpenCV; its region layer decodes.

    Args:
        head: The network's `DetectionHead`: the files do not say all that has to be known.
        paths: Paths of `cfg` and `weights`, as `export_darknet` returns them.
        threads: How many threads it may use.
        thresholds: `Thresholds`, or None.

    Attributes:
        runtime: OpenCV and its version; for the others see `Detector`.

    Raises:
        InputError: If OpenCV is missing or cannot read the network, or the network has a label
            tree, whose labels OpenCV does not give.
    """

    def __init__(self, head, paths, threads=2, thresholds=None):
        if head.tree is not None:
            raise InputError("OpenCV gives no labels of a tree", where=paths["cfg"])
        super().__init__(describe(head, nms=False), thresholds, paths["cfg"])
        cv2 = import_optional("cv2")
        self.runtime = f"opencv {cv2.__version__}"
        cv2.setNumThreads(threads)
        # OpenCV takes the IoU threshold of the training, which the cfg tells, for one of scores.
        cfg = re.sub(
            r"(?m)^thresh *=.*", f"thresh={self.score_threshold}", paths["cfg"].read_text()
        )
        files = (cfg.encode(), paths["weights"].read_bytes())
        try:
            # OpenCV 5 has lost its Darknet reader; others refuse some networks.
            read = cv2.dnn.readNetFromDarknet
            self._net = read(*(np.frombuffer(file, np.uint8) for file in files))
        except (AttributeError, cv2.error) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{self.runtime} cannot read it: {reason}", where=paths["cfg"]
            ) from error
        self._lock = threading.Lock()  # a network has one input and one output for all threads

    def run_batch(self, images):
        """Runs the network on one picture, see `Detector.run_batch`."""
        blob = np.ascontiguousarray(images.transpose(0, 3, 1, 2) / np.float32(255))
        with self._lock:
            self._net.setInput(blob)
            rows = self._net.forward().copy()  # it lies in the network's own memory
        center, size = rows[:, 1::-1], rows[:, 3:1:-1]
        boxes = np.concatenate([center - size / 2, center + size / 2], axis=1)
        return {"boxes": boxes[None], "scores": rows[None, :, 5:]}
