"""YOLOv2 and YOLO9000 on TensorFlow and Keras.

TensorFlow loads when the first name that needs it is used, so that the command line answers at
once.
"""

import importlib

from yolov2_tf._version import __version__

_PUBLIC = {
    "Darknet19": "models",
    "Dataset": "data.records",
    "InputError": "errors",
    "Record": "data.records",
    "TinyYOLOv2": "models",
    "WordTree": "wordtree",
    "YOLOv2": "models",
    "YOLOv2Loss": "loss",
    "detect": "detection",
    "detector": "detection",
    "evaluate": "evaluation",
    "load_model": "detection",
    "open_dataset": "data.source",
    "check_images": "data.images",
    "training_batches": "data.pipeline",
}

__all__ = ["__version__", *sorted(_PUBLIC)]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__():
    return sorted([*globals(), *_PUBLIC])
