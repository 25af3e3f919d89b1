"""Reading pictures safely, and the same pixels everywhere.

Two decoders read a picture: `decode_image` inside TensorFlow graphs, and `load_image` with Pillow.
They agree to the last bit, with each other and with OpenCV. What TensorFlow cannot read, or reads
differently, is told by `ImageInfo.needs_conversion`.
"""

import contextlib
import dataclasses
import io
import os
import stat

import numpy as np
from PIL import Image

from yolov2_tf.data.picture_finder import PICTURE_SUFFIXES as PICTURE_SUFFIXES
from yolov2_tf.data.picture_formats import open_picture
from yolov2_tf.errors import InputError

MAX_PIXELS = 89_000_000
"""Larger pictures are refused before they are decoded; just below the size at which Pillow warns
of decompression bombs."""

_ORIENTATION_TAG = 0x0112
# EXIF orientations are a transpose followed by flips (CIPA DC-008, "Orientation").
TRANSPOSED = (5, 6, 7, 8)
"""EXIF orientations under which width and height are exchanged."""

_FLIPPED_UP_DOWN = (3, 4, 7, 8)
_FLIPPED_LEFT_RIGHT = (2, 3, 6, 7)


@dataclasses.dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header of a picture says.

    Attributes:
        width: Width in pixels as people see it, EXIF orientation applied.
        height: Height in pixels, likewise.
        orientation: EXIF orientation, 1 to 8; 1 is upright.
        format: Pillow's name of the format, e.g. `"JPEG"`.
        mode: Pillow's name of the pixel format, e.g. `"CMYK"`.
        needs_conversion: True where TensorFlow's decoder would fail or give other pixels: pass
            the picture through `to_png_bytes` first.
    """

    width: int
    height: int
    orientation: int
    format: str
    mode: str
    needs_conversion: bool


def inspect_image(source):
    """Reads the header of a picture; no pixel is decoded.

    Args:
        source: As `Record.image`: a path, encoded bytes or a function that returns these.

    Returns:
        `ImageInfo`.

    Raises:
        InputError: If it is missing, empty, no picture, or claims more than `MAX_PIXELS`.
    """
    with _opened(source) as picture:
        return _info(picture)


def picture_size(source):
    """Returns (width, height) of the upright picture in pixels, (0, 0) if it cannot be read."""
    try:
        info = inspect_image(source)
    except InputError:
        return 0, 0
    return info.width, info.height


def unreadable(name, picture):
    """Says why the size of a picture is not known.

    Args:
        name: What the annotations call it.
        picture: Its path, or None.

    Returns:
        E.g. `"a.jpg: not found"`.
    """
    if picture is None:
        return f"{name}: not found"
    try:
        inspect_image(picture)
    except InputError as error:
        return f"{name}: {error.what}"
    return name


def load_image(source):
    """Decodes a picture with Pillow, upright.

    Gray, palette and CMYK become RGB, alpha is dropped, 16 bits become the upper 8.

    Args:
        source: As `Record.image`, or a picture that Pillow has opened.

    Returns:
        `(H, W, 3)` uint8, RGB.

    Raises:
        InputError: If it cannot be read whole, has float pixels, whose range is unknown, or 16 bits
            of which the upper 8 are unused.
    """
    with _opened(source) as picture:
        orientation = _info(picture).orientation
        return _orient(_rgb(picture), orientation)


def to_png_bytes(source):
    """Re-encodes a picture so that TensorFlow reads it.

    Args:
        source: As `Record.image`.

    Returns:
        The bytes of an upright 8-bit RGB PNG.

    Raises:
        InputError: If the picture cannot be read.
    """
    encoded = io.BytesIO()
    Image.fromarray(load_image(source)).save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def decode_image(encoded, orientation=1):
    """Decodes a picture inside a graph, upright.

    Args:
        encoded: Scalar string tensor: JPEG, PNG, 24-bit BMP, or WebP without alpha.
        orientation: EXIF orientation, 1 to 8, an int or a scalar tensor.

    Returns:
        `(H, W, 3)` uint8 tensor, RGB, equal to what `load_image` gives.

    Raises:
        tf.errors.InvalidArgumentError: If it cannot be read whole.
    """
    import tensorflow as tf

    # decode_image reads JPEG with a fast transform that is up to 21 levels off.
    image = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    image = tf.ensure_shape(image, (None, None, 3))

    def branch(value):
        def transform():
            upright = tf.transpose(image, (1, 0, 2)) if value in TRANSPOSED else image
            axes = [*[0] * (value in _FLIPPED_UP_DOWN), *[1] * (value in _FLIPPED_LEFT_RIGHT)]
            return tf.reverse(upright, axes) if axes else tf.identity(upright)

        return transform

    upright = tf.switch_case(tf.cast(orientation, tf.int32) - 1, [branch(i) for i in range(1, 9)])
    return tf.ensure_shape(upright, (None, None, 3))


def orient_boxes(boxes, orientation):
    """Moves boxes from the stored picture to the picture as people see it.

    Args:
        boxes: `(n, 4)` `[y_min, x_min, y_max, x_max]` as fractions of the stored picture.
        orientation: EXIF orientation, 1 to 8.

    Returns:
        `(n, 4)` as fractions of the upright picture.
    """
    y_min, x_min, y_max, x_max = boxes.T
    if orientation in TRANSPOSED:
        y_min, x_min, y_max, x_max = x_min, y_min, x_max, y_max
    if orientation in _FLIPPED_UP_DOWN:
        y_min, y_max = 1 - y_max, 1 - y_min
    if orientation in _FLIPPED_LEFT_RIGHT:
        x_min, x_max = 1 - x_max, 1 - x_min
    return np.stack([y_min, x_min, y_max, x_max], axis=1)


def read_bytes(source):
    """Returns the encoded bytes of a picture, given as `Record.image`."""
    if callable(source):
        return source()
    if isinstance(source, bytes):
        return source
    try:
        _refuse_pipe(source)
        with open(source, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=source) from None


@contextlib.contextmanager
def _opened(source):
    """Opens a picture with Pillow; whatever goes wrong until the end of the block is InputError."""
    where = source if isinstance(source, str | os.PathLike) else None
    opened = isinstance(source, Image.Image)
    try:
        with contextlib.nullcontext(source) if opened else _open(source) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            yield picture
    except InputError as error:
        raise InputError(error.what, where=where, hint=error.hint) from error
    except Image.UnidentifiedImageError:
        raise InputError("not a picture, or of an unknown format", where=where) from None
    except Image.DecompressionBombError:
        raise InputError(
            f"the picture claims more than {MAX_PIXELS / 1e6:.0f} million pixels",
            where=where,
            hint="a smaller copy of it",
        ) from None
    except Exception as error:  # damage makes Pillow's readers raise nearly anything
        reason = getattr(error, "strerror", None)  # the system's, e.g. "No such file or directory"
        what = f"cannot be opened: {reason}" if reason else f"damaged or truncated: {error}"
        raise InputError(what, where=where) from error


def _open(source):
    if not isinstance(source, str | os.PathLike):
        return open_picture(io.BytesIO(read_bytes(source)))
    _refuse_pipe(source)
    return open_picture(source)


def _refuse_pipe(path):
    """Refuses what would be waited for: a pipe, a device."""
    mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # that is an error with a reason of its own
        raise InputError("no ordinary file", where=path)


def _info(picture):
    orientation = _orientation(picture)
    width, height = picture.size
    if orientation in TRANSPOSED:
        width, height = height, width
    return ImageInfo(
        width, height, orientation, picture.format, picture.mode, _needs_conversion(picture)
    )


def _orientation(picture):
    if picture.format == "TIFF":
        return 1  # Pillow turns TIFF by itself
    try:
        # Not picture.getexif(): for PNG that decodes all pixels to look for EXIF behind them.
        value = Image.Image.getexif(picture).get(_ORIENTATION_TAG, 1)
    except Exception:  # a broken EXIF block does not spoil the picture
        return 1
    return value if value in range(1, 9) else 1


def _needs_conversion(picture):
    match picture.format:
        case "PNG":
            return False
        case "JPEG" | "MPO":
            # Without Adobe's marker TensorFlow takes CMYK as not inverted; all others as inverted.
            return picture.mode == "CMYK" and "adobe" not in picture.info
        case "BMP":
            return picture.tile[0][3][0] != "BGR"  # others than 24-bit fail or lose the palette
        case "WEBP":
            return picture.mode != "RGB" or picture.is_animated
        case _:
            return True


def _rgb(picture):
    if picture.mode == "I" and picture.format == "TIFF":
        raise InputError("the picture has pixels of 32 bits", hint="an 8-bit or 16-bit picture")
    if picture.mode.startswith("I"):  # 16 bits; Pillow would clip them at 255
        gray = np.clip(np.asarray(picture), 0, 65535)
        if 0 < gray.max() < 256:
            raise InputError(
                "pixels of 16 bits that are all below 256: the upper 8 bits show nothing",
                hint="an 8-bit copy of it",
            )
        gray = gray >> 8
        return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode == "F":
        raise InputError("the picture has float pixels", hint="an 8-bit or 16-bit picture")
    if picture.mode == "RGB":  # `convert` would copy it
        picture.load()  # NumPy would pass over what this raises
        return np.asarray(picture)
    return np.asarray(picture.convert("RGB"))


def _orient(image, orientation):
    if orientation in TRANSPOSED:
        image = image.transpose(1, 0, 2)
    if orientation in _FLIPPED_UP_DOWN:
        image = image[::-1]
    if orientation in _FLIPPED_LEFT_RIGHT:
        image = image[:, ::-1]
    return np.ascontiguousarray(image)
