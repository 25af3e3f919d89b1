"""Models by name or by path."""

import difflib
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.zoo.published import NETWORKS, fetch


def model_path(model, progress=None):
    """The file of a model that is given by its path or by its name.

    Args:
        model: Path, or a name that `yolov2 models` lists. A file of that name comes first.
        progress: See `yolov2_tf.zoo.published.fetch`.

    Returns:
        `pathlib.Path`; of a path that does not exist too, for whoever opens it says what it wants.

    Raises:
        InputError: If the network of that name cannot be had, or the name is nearly one.
    """
    path, name = Path(model), str(model)
    if path.exists():
        return path
    if name in NETWORKS:
        return fetch(name, progress=progress)
    close = difflib.get_close_matches(name.lower(), NETWORKS, n=1, cutoff=0.8)
    if close and not path.suffix:
        raise InputError(
            f"no model is called {name!r}", expected=", ".join(NETWORKS), hint=close[0]
        )
    return path
