"""Opens `.keras` files."""

import contextlib
import functools
import json
import math
import threading
import zipfile
from pathlib import Path

import keras
import numpy as np

from yolov2_tf import register_keras_classes
from yolov2_tf.errors import InputError
from yolov2_tf.models.backend import check_backend
from yolov2_tf.models.heads import DetectionHead, RegionHead

MAX_TEXT = 1 << 24
"""Bytes of a JSON text in a `.keras` file; that of yolo9000, with its tree, has half a million."""

MAX_GROWTH = 20
"""Weights are packed as they are: what unpacks to so many times its size is no network."""

_LOADING = threading.RLock()  # one file is loaded at a time


def load_model(path):
    """Loads a `.keras` file of this package.

    Args:
        path: The file.

    Returns:
        The model; a detector's is a `DetectionModel`.

    Raises:
        InputError: If there is no such file, it cannot be read, or Keras runs on another backend
            than TensorFlow. Keras' safe mode is on: a file that brings code of its own is refused.
    """
    with _reading(path), _no_larger_than(_size_of_weights(path)):
        model = keras.models.load_model(path)
    _check_finite(model, path)
    return model


def read_head(path):
    """The head of a detector's `.keras` file: its classes, anchors and input size.

    The network before it is not made, nor are weights, which may be hundreds of megabytes.

    Args:
        path: The file.

    Returns:
        `DetectionHead` or `RegionHead` that is not built.

    Raises:
        InputError: If there is no such file, it cannot be read, or is not that of a detector.
    """
    with _reading(path):
        _size_of_weights(path)
        with zipfile.ZipFile(path) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        heads = [keras.saving.get_registered_name(kind) for kind in (DetectionHead, RegionHead)]
        found = [layer for layer in layers if layer.get("registered_name") in heads]
        if not found:
            raise InputError("is not a detector: it has no head", where=path)
        unbuilt = {name: value for name, value in found[0].items() if name != "build_config"}
        return keras.saving.deserialize_keras_object(unbuilt)


@contextlib.contextmanager
def _reading(path):
    """Context in which a `.keras` file is read: what is wrong with it is an `InputError`."""
    _check_name(Path(path))
    check_backend()
    register_keras_classes()
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # Keras raises many kinds for files that are not its own
        if (ours := _input_error(error)) is not None:
            raise InputError(ours.what, where=path, expected=ours.expected) from error
        raise InputError(
            f"cannot be loaded as a Keras model: {error}", where=path, expected="a .keras file"
        ) from error


def _check_name(path):
    """Refuses what is no `.keras` file by its name: Keras reads no other, and says so at length."""
    if path.suffix == ".keras" and path.is_file():
        return
    if not path.exists():
        raise InputError("no such file", where=path, expected="a .keras file")
    hint = trained_in(path) or "the .keras file that it was made from, if it was exported"
    if path.suffix in (".cfg", ".weights"):
        hint = "yolov2 import-darknet CFG WEIGHTS OUT.keras"
    raise InputError("is not a Keras model", where=path, expected="a .keras file", hint=hint)


def trained_in(folder):
    """The best model of a training, as what to try: people give the run's folder as the model.

    Args:
        folder: `pathlib.Path` of what is no model.

    Returns:
        Its path as text, None where there is none.
    """
    model = folder / "model.keras"
    return str(model) if model.is_file() else None


def _input_error(error):
    """The `InputError` of one of our layers that Keras made another one of, or None."""
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    return error


def _size_of_weights(path):
    """Bytes of the weights in an archive; refuses one that unpacks to far more than it is."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    for member in members:
        text = member.filename.endswith(".json")
        most = MAX_TEXT if text else MAX_GROWTH * max(member.compress_size, 1 << 20)
        if member.file_size > most:
            raise InputError(
                f"{member.filename} in it claims {member.file_size:,} bytes",
                where=path,
                expected=f"at most {most:,}",
            )
    return sum(member.file_size for member in members if member.filename.endswith(".h5"))


@contextlib.contextmanager
def _no_larger_than(size):
    """Refuses layers with more weights than the file has bytes, before memory is taken for them.

    A config of a few letters may ask for gigabytes, which Keras would fetch before it looked at
    the weights that are there. Nor are weights drawn by chance that the file's replace at once:
    of YOLOv2 that took half of the time.
    """
    with _LOADING:
        add_weight, made, loads = keras.layers.Layer.add_weight, 0, threading.get_ident()

        @functools.wraps(add_weight)
        def counted(layer, shape=None, initializer=None, *args, **kwargs):
            nonlocal made
            if threading.get_ident() == loads:  # other threads may make networks meanwhile
                made += math.prod((shape,) if isinstance(shape, int) else shape or ())
                if hasattr(initializer, "seed"):  # Keras' random ones have it
                    initializer = "zeros"
            if made > size:
                raise ValueError(f"{made:,} weights are asked for, but {size:,} bytes are there")
            return add_weight(layer, shape, initializer, *args, **kwargs)

        keras.layers.Layer.add_weight = counted
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = add_weight


def _check_finite(model, path):
    """Refuses a network that a training has lost: all that it finds is nothing."""
    lost = [
        weight.path
        for weight in model.weights
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all()
    ]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise InputError(
            f"its weights are not finite (NaN or infinite): {lost[0]}{more}",
            where=path,
            expected="numbers",
            hint="an earlier checkpoint of that run, such as previous.keras",
        )
