"""Opens `.keras` files."""

from pathlib import Path

import keras
import numpy as np

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
        model = keras.models.load_model(path)
    except Exception as error:  # Keras raises many kinds for files that are not its own
        raise InputError(
            f"cannot be loaded as a Keras model: {error}", where=path, expected="a .keras file"
        ) from error
    _check_finite(model, path)
    return model


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
