"""YOLOv2 and YOLO9000 on TensorFlow and Keras.

TensorFlow loads when the first name that needs it is used, so that the command line answers at
once.
"""

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from yolov2_tf._version import __version__

_PUBLIC = {
    "Darknet19": "models.darknet19",
    "Dataset": "data.dataset",
    "InputError": "errors",
    "Record": "data.records",
    "TinyYOLOv2": "models.yolov2",
    "WordTree": "trees.wordtree",
    "YOLO9000": "models.yolov2",
    "YOLOv2": "models.yolov2",
    "YOLOv2Loss": "detection.loss",
    "detect": "detection.predict",
    "detector": "detection.predict",
    "evaluate": "evaluation.detections",
    "load_model": "zoo.names",
    "open_dataset": "data.source",
    "open_model": "export.detectors",
    "Thresholds": "detection.thresholds",
    "check_images": "data.image_check",
    "training_batches": "data.pipeline",
}

if TYPE_CHECKING:  # what type checkers see of the names that load late
    from yolov2_tf.data.dataset import Dataset as Dataset
    from yolov2_tf.data.image_check import check_images as check_images
    from yolov2_tf.data.pipeline import training_batches as training_batches
    from yolov2_tf.data.records import Record as Record
    from yolov2_tf.data.source import open_dataset as open_dataset
    from yolov2_tf.detection.loss import YOLOv2Loss as YOLOv2Loss
    from yolov2_tf.detection.predict import detect as detect
    from yolov2_tf.detection.predict import detector as detector
    from yolov2_tf.detection.thresholds import Thresholds as Thresholds
    from yolov2_tf.errors import InputError as InputError
    from yolov2_tf.evaluation.detections import evaluate as evaluate
    from yolov2_tf.export.detectors import open_model as open_model
    from yolov2_tf.models.darknet19 import Darknet19 as Darknet19
    from yolov2_tf.models.yolov2 import YOLO9000 as YOLO9000
    from yolov2_tf.models.yolov2 import TinyYOLOv2 as TinyYOLOv2
    from yolov2_tf.models.yolov2 import YOLOv2 as YOLOv2
    from yolov2_tf.trees.wordtree import WordTree as WordTree
    from yolov2_tf.zoo.names import load_model as load_model

__all__ = ["__version__", *sorted(_PUBLIC)]

# `export/` and `web_demo/` lie beside this folder in a clone and inside it in a wheel. A clone uses
# its own, also where another one is installed.
_CLONE = Path(__file__).resolve().parent.parent
if (_CLONE / "export" / "__init__.py").is_file():
    __path__.append(str(_CLONE))


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    if "keras" in sys.modules:
        register_keras_classes()
    return value


def __dir__():
    return sorted([*globals(), *_PUBLIC])


# Modules whose classes `.keras` files name. Keras finds such a class only once it was defined.
_KERAS_CLASSES = (
    "models.batch_norm",
    "models.layers",
    "models.weight_decay",
    "models.heads",
    "models.detection_model",
    "detection.decoding",
    "detection.non_max_suppression",
    "detection.loss",
    "classification.objectives",
    "classification.ranking",
    "optimizers",
    "schedules",
)


def register_keras_classes():
    """Makes the classes of this package known to `keras.models.load_model`."""
    for module in _KERAS_CLASSES:
        importlib.import_module(f".{module}", __name__)


def _register_with_keras(_keras):
    """Registers when Keras loads, so that our own import need not load it."""
    # While one of our modules is half imported, the others cannot use it: the public name or
    # `load_model` that it is imported for registers then.
    half_imported = any(
        getattr(getattr(module, "__spec__", None), "_initializing", False)
        for name, module in list(sys.modules.items())
        if name.startswith(f"{__name__}.")
    )
    if not half_imported:
        register_keras_classes()


try:
    import wrapt
except ImportError:  # it comes with TensorFlow, without which there is no Keras to register with
    pass
else:
    wrapt.when_imported("keras")(_register_with_keras)
