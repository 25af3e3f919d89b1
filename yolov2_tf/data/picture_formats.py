"""Which forms of pictures are decoded, and by what."""

import functools
import importlib.util
import os

import PIL
from PIL import Image, features

from yolov2_tf.errors import InputError

# Only raster formats that Pillow decodes itself and knows by their first bytes: its EPS reader,
# say, would start Ghostscript. (Its JPEG reader also reads MPO, the JPEG of two-lens cameras.)
_OF_PILLOW = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000")

# What the first box of the file calls itself (ISO/IEC 23008-12, annex B, and AVIF, section 6).
_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def open_picture(file):
    """Opens a picture with Pillow, HEIC with pillow-heif where that is installed.

    Args:
        file: A path, or a file that is open for reading bytes.

    Returns:
        `PIL.Image.Image`; its pixels are not decoded yet.

    Raises:
        InputError: If it needs a library that is not there; says which.
        PIL.UnidentifiedImageError: If it is no picture.
        OSError: If it cannot be opened.
    """
    try:
        return Image.open(file, formats=_formats())
    except PIL.UnidentifiedImageError:
        needed = _needed(_brands(file))
        if needed is None:
            raise
        raise InputError(needed, hint="install it, or save the picture as JPEG or PNG") from None


@functools.cache
def decoders():
    """What decodes here, as text: a picture that cannot be read may be so after an update."""
    return " ".join([f"Pillow {PIL.__version__}", *_formats()[len(_OF_PILLOW) :]])


@functools.cache
def _formats():
    formats = [*_OF_PILLOW]
    if features.check("avif"):
        formats.append("AVIF")
    if importlib.util.find_spec("pillow_heif") is not None:
        from pillow_heif import register_heif_opener

        register_heif_opener()
        formats.append("HEIF")
    return tuple(formats)


def _needed(brands):
    """What a picture of these brands needs that is not there, or None."""
    if brands & _AVIF:
        return None if "AVIF" in _formats() else "an AVIF picture, which needs Pillow 11.3 or later"
    if brands & _HEIC:
        return None if "HEIF" in _formats() else "a HEIC picture, which needs pillow-heif"
    return None


def _brands(file):
    """The brands that the first box of the file states, an empty set if there is no such box."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as opened:
            return _brands(opened)
    file.seek(0)
    head = file.read(256)
    end = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp":
        return set()
    return {head[8:12], *(head[i : i + 4] for i in range(16, min(end, len(head)), 4))}
