"""The pixels of a picture in whatever form a program holds it: what every detector takes."""

import os
from collections.abc import Iterable

import numpy as np
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.errors import InputError

_ENCODED = str | os.PathLike | bytes | bytearray | memoryview

EXPECTED = "(height, width, 3) uint8, RGB, 0 to 255"


def is_picture(pictures):
    """Whether this is one picture; if not, it is taken for an iterable of several.

    An array with four dimensions is several pictures of one size.
    """
    if isinstance(pictures, _ENCODED | Image.Image) or callable(pictures):
        return True
    if hasattr(pictures, "read"):  # a file, which would yield its lines
        return True
    if _is_array(pictures):
        return len(pictures.shape) != 4
    return not isinstance(pictures, Iterable)


def pixels_of(picture):
    """The pixels of a picture.

    Args:
        picture: `(H, W, 3)` uint8 RGB array (of NumPy, TensorFlow, PyTorch, …), a path, the bytes
            of a file, a function that returns these, or a picture that Pillow has opened. All but
            arrays are turned upright as their EXIF orientation says.

    Returns:
        `(H, W, 3)` uint8 array.

    Raises:
        InputError: If it cannot be read, or the array has another shape, type or range.
    """
    if isinstance(picture, bytearray | memoryview):
        picture = bytes(picture)
    if isinstance(picture, _ENCODED | Image.Image) or callable(picture):
        return load_image(picture)
    if not _is_array(picture):
        raise InputError(
            f"a {type(picture).__name__} is no picture",
            expected="an array, a path, the bytes of a file, or a Pillow picture",
            hint="picture.read()" if hasattr(picture, "read") else None,
        )
    array = np.asarray(picture)
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8 and array.size:
        return array
    raise InputError(
        f"an array of shape {array.shape} and type {array.dtype}{_range(array)}",
        expected=EXPECTED,
        hint=_hint(array),
    )


def _is_array(value):
    return hasattr(value, "shape") and hasattr(value, "__array__")


def _range(array):
    if array.dtype == np.uint8 or not np.issubdtype(array.dtype, np.number) or not array.size:
        return ""
    return f", values {array.min():g} to {array.max():g}"


def _hint(array):
    """How the array becomes a picture, where that can be told."""
    match array.shape:
        case (_, _):
            return "np.stack([picture] * 3, axis=-1) for gray pictures"
        case (_,):
            return "list(pictures) for several, picture.tobytes() for the bytes of a file"
        case (_, _, _, _):
            return "one by one, such as those of dataset.unbatch()"
        case (_, _, 1):
            return "np.repeat(picture, 3, axis=2) for gray pictures"
        case (_, _, 4):
            return "picture[..., :3], without alpha"
        case (3, _, width) if width != 3:
            return "picture.transpose(1, 2, 0): channels come last"
        case (_, _, 3) if array.size and np.issubdtype(array.dtype, np.number):
            if array.min() >= 0 and array.max() <= 1:
                return '(picture * 255).round().astype("uint8")'
            if array.min() >= 0 and array.max() <= 255:
                return 'picture.round().astype("uint8")'
    return None
