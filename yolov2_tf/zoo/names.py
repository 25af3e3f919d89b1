"""Models by name or by path."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from yolov2_tf.errors import InputError
from yolov2_tf.zoo import published, shipped

if TYPE_CHECKING:
    import keras


def names():
    """All names, the shipped networks first."""
    return [*shipped.NETWORKS, *published.NETWORKS]


def model_path(model, progress=None):
    """The file of a model that is given by its path or by its name.

    Args:
        model: Path, or a name that `yolov2 models` lists. A file of that name in the current folder
            comes first.
        progress: See `yolov2_tf.zoo.published.fetch`.

    Returns:
        `pathlib.Path`; of a path that does not exist too, for whoever opens it says what it wants.

    Raises:
        InputError: If the network of that name cannot be had, or the name is nearly one.
    """
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
