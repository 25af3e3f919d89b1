"""Models by name or by path."""

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from yolov2_tf.data.remote import address, fetch_file, kept
from yolov2_tf.errors import InputError
from yolov2_tf.zoo import published, shipped

if TYPE_CHECKING:
    import keras


ONE_FILE = (".keras", ".tflite", ".onnx")
"""Forms of a model that are one file, and can be fetched from an address."""


def names():
    """All names, the shipped networks first."""
    return [*shipped.NETWORKS, *published.NETWORKS]


def model_path(model, progress=None):
    """The file of a model that is given by its path or by its name.

    Args:
        model: Path, or a name that `yolov2 models` lists. A file of that name in the current folder
            comes first. Or an address such as `https://…`, `gs://…`, `s3://…`, `hf://…` of a file:
            it is brought to the cache, see `yolov2_tf.data.remote`.
        progress: See `yolov2_tf.zoo.published.fetch`.

    Returns:
        `pathlib.Path`; of a path that does not exist too, for whoever opens it says what it wants.

    Raises:
        InputError: If the network of that name cannot be had, the name is nearly one, or it is
            neither path nor name.
    """
    if not isinstance(model, str | os.PathLike):
        raise InputError(
            f"a {type(model).__name__} is no model by its path or name",
            expected="a path, an address, or one of " + ", ".join(names()),
            hint="yolov2_tf.detector(model) for a network in memory"
            if hasattr(model, "layers")
            else None,
        )
    if (url := address(model)) is not None:
        return _fetched(url, progress)
    path, name = Path(model), str(model)
    # A run is often in a folder of the model's name; as a model only a SavedModel is a folder.
    if path.is_file() or (path / "saved_model.pb").is_file():
        return path
    if name in shipped.NETWORKS:
        return shipped.path(name)
    if name in published.NETWORKS:
        return published.fetch(name, progress=progress)
    close = difflib.get_close_matches(name.lower(), names(), n=1, cutoff=0.8)
    if close and not path.suffix and not path.exists():
        raise InputError(f"no model is called {name!r}", expected=", ".join(names()), hint=close[0])
    return path


def _fetched(url, progress):
    """The file of a model at an address, in the cache."""
    if not url.endswith(ONE_FILE):
        raise InputError(
            "no model that can be read from an address",
            where=url,
            expected=f"one file: {', '.join(ONE_FILE)}",
            hint="copy it here, and give its path",
        )
    if not url.startswith(("http://", "https://")):
        return fetch_file(url, progress)
    from yolov2_tf.zoo.download import download  # whoever only runs files needs no requests

    folder = kept(url, "")
    notify = None if progress is None else lambda *bytes: progress(url.rpartition("/")[2], *bytes)
    return download(url, folder / url.rpartition("/")[2], progress=notify)


def load_model(model, progress=None) -> "keras.Model":
    """Loads a Keras model by its path or its name.

    Args:
        model: `.keras` file of this package, or a name that `yolov2 models` lists.
        progress: See `yolov2_tf.zoo.published.fetch`.

    Returns:
        The model; a detector's is a `DetectionModel`.

    Raises:
        InputError: If there is no such file or network, or it cannot be read.
    """
    from yolov2_tf.models import loading

    return loading.load_model(model_path(model, progress))


def read_head(model, progress=None):
    """The head of a detector by its path or its name, see `yolov2_tf.models.loading.read_head`.

    Args:
        model: As for `load_model`.
        progress: See `yolov2_tf.zoo.published.fetch`.

    Returns:
        Its head, which is not built.

    Raises:
        InputError: If there is no such file or network, or it is not a detector.
    """
    from yolov2_tf.models import loading

    return loading.read_head(model_path(model, progress))
