"""A picture's file as readers want it that decode and no more."""

from yolov2_tf.data.images import inspect_image, read_bytes, to_png_bytes
from yolov2_tf.errors import InputError

_FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png"}
"""What every such reader decodes, and what it calls that."""


def plain_picture(image, name):
    """A picture's own file, or a PNG of what it shows.

    Boxes are those of the upright picture with eight bits a channel, and such readers do not turn
    what they decode.

    Args:
        image: As `yolov2_tf.data.records.Record.image`.
        name: What the picture is called, for messages.

    Returns:
        Bytes, and `"jpeg"` or `"png"`.

    Raises:
        InputError: If there is no picture, or it cannot be read.
    """
    if image is None:
        raise InputError("no picture", where=name, expected="the pictures: --images")
    content = read_bytes(image)
    try:
        info = inspect_image(content)
        kind = _FORMATS.get(info.format)
        if kind is not None and info.orientation == 1 and not info.needs_conversion:
            return content, kind
        return to_png_bytes(content), "png"
    except InputError as error:
        raise InputError(error.what, where=name) from error
