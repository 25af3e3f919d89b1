"""Writes a network of real objects for the app, which shows them first: a shipped starter, in int8.

    python android_demo/starter.py FOLDER/NAME.tflite

makes it of the network of that name, `starter` for one. It is calibrated on views of three photos
that come with scikit-learn and Matplotlib, so it can be made wherever the package runs. What that
costs is in docs/phones.md.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from yolov2_tf.data.images import load_image
from yolov2_tf.data.photos import portrait
from yolov2_tf.export.check import sample_pictures
from yolov2_tf.export.metadata import ModelInfo
from yolov2_tf.export.tflite import export_tflite
from yolov2_tf.models.loading import load_model
from yolov2_tf.zoo import shipped


def main(out):
    """Exports the network that `out` is named after, held to what it does on held-out views."""
    difference = export_tflite(
        load_model(shipped.path(out.stem)),
        out,
        quantization="int8",
        calibration=[view for photo in photos() for view in views(photo)],
        info=ModelInfo(name=out.stem, description="Finds VOC's 20 classes.", author="yolov2_tf"),
    )
    print(f"{out}: {out.stat().st_size} bytes, {difference}")


def photos():
    """A person, a building by a lake, and a flower: `(H, W, 3)` uint8."""
    people = [path for path in [portrait()] if path is not None]
    return [*map(load_image, people), *sample_pictures()[:2]]


def views(photo):
    """All of a photo, its middle and its quarters, each mirrored, too."""
    height, width = (side // 2 for side in photo.shape[:2])
    corners = [(0, 0), (0, width), (height, 0), (height, width), (height // 2, width // 2)]
    parts = [photo] + [photo[y : y + height, x : x + width] for y, x in corners]
    return [np.ascontiguousarray(part[:, ::step]) for part in parts for step in (1, -1)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
