"""Opens `.keras` files."""

from pathlib import Path

import keras

from yolov2_tf import register_keras_classes
from yolov2_tf.errors import InputError


def load_model(path):
    """Loads a `.keras` file of this package.

    Args:
        path: The file.

    Returns:
        The model; a detector's is a `DetectionModel`.

    Raises:
        InputError: If there is no such file or it cannot be read.
    """
    if not Path(path).is_file():
        raise InputError("no such file", where=path, expected="a .keras file")
    register_keras_classes()
    try:
        return keras.models.load_model(path)
    except Exception as error:  # Keras raises many kinds for files that are not its own
        raise InputError(
            f"cannot be loaded as a Keras model: {error}", where=path, expected="a .keras file"
        ) from error
