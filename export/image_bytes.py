"""Encoded pictures inside a serving graph: their size, their orientation, their pixels.

A server gets bytes from anybody. What a picture claims to be is read from its header before
memory is taken for it, and the EXIF orientation of JPEG is applied: what cameras write. What else
this package reads is turned into PNG by the client, see `yolov2_tf.data.images.inspect_image`.
"""

import tensorflow as tf

from yolov2_tf.data.images import MAX_PIXELS, decode_image

_EXIF_PREFIX = b"Exif\0\0"
_EXIF_WITHIN = 2**16  # a JPEG's EXIF block comes first and is no larger than that
_ORIENTATION_TAG = 0x0112


def decode(encoded):
    """Decodes a picture; a JPEG becomes upright, others stay as they are stored.

    Args:
        encoded: Scalar string tensor: JPEG, PNG, 24-bit BMP, GIF (its first frame), or WebP that
            neither moves nor has alpha. Of other BMP and WebP the pixels may be wrong.

    Returns:
        `(H, W, 3)` uint8 tensor, RGB.

    Raises:
        tf.errors.InvalidArgumentError: If it is no picture, damaged, or claims more than
            `MAX_PIXELS`.
    """
    within = tf.debugging.assert_less_equal(
        tf.reduce_prod(claimed_size(encoded)),
        tf.constant(MAX_PIXELS, tf.int64),
        message=f"the picture claims more than {MAX_PIXELS / 1e6:.0f} million pixels",
    )
    with tf.control_dependencies([within]):
        return decode_image(encoded, exif_orientation(encoded))


def claimed_size(encoded):
    """Width and height by the header of a picture, `(2,)` int64; zeros if it is none."""
    header = _bytes(tf.strings.substr(encoded + b"\0" * 32, 0, 32))

    def little(start, count):
        return sum(header[start + k] * 256**k for k in range(count))

    def big(start):
        return sum(header[start + k] * 256 ** (3 - k) for k in range(4))

    def starts(prefix, at=0):
        return tf.reduce_all(header[at : at + len(prefix)] == list(prefix))

    packed = little(21, 4)
    return tf.case(
        [
            (tf.io.is_jpeg(encoded), lambda: _jpeg_size(encoded)),
            (starts(b"\x89PNG"), lambda: tf.stack([big(16), big(20)])),
            (starts(b"GIF8"), lambda: tf.stack([little(6, 2), little(8, 2)])),
            # BMP counts the rows of a picture stored from the top as negative.
            (starts(b"BM"), lambda: tf.abs(_signed(tf.stack([little(18, 4), little(22, 4)])))),
            (starts(b"VP8 ", 12), lambda: tf.stack([little(26, 2), little(28, 2)]) % 2**14),
            (
                starts(b"VP8L", 12),
                lambda: tf.stack([packed % 2**14, packed // 2**14 % 2**14]) + 1,
            ),
            (starts(b"VP8X", 12), lambda: tf.stack([little(24, 3), little(27, 3)]) + 1),
        ],
        default=lambda: tf.zeros(2, tf.int64),
    )


def exif_orientation(encoded):
    """The EXIF orientation of a JPEG, a scalar int32 in 1..8; 1 where there is none."""
    head = _bytes(tf.strings.substr(encoded + b"\0" * 16, 0, _EXIF_WITHIN))
    places = tf.size(head) - len(_EXIF_PREFIX)
    here = tf.reduce_all(
        [head[k : places + k] == byte for k, byte in enumerate(_EXIF_PREFIX)], axis=0
    )
    start = tf.cast(tf.argmax(here), tf.int32) + len(_EXIF_PREFIX)
    found = tf.reduce_any(here) & tf.io.is_jpeg(encoded)
    return tf.cond(found, lambda: _tiff_orientation(head[start:]), lambda: 1)


def _tiff_orientation(data):
    """The orientation in the first directory of a TIFF header (TIFF 6.0, section 2)."""
    data = tf.concat([data, tf.zeros(16, tf.int64)], axis=0)  # a header cut short reads as zeros
    size = tf.size(data, tf.int64)
    little = data[0] == ord("I")

    def number(values, length):
        powers = [256**k for k in range(length)]
        weights = tf.where(
            little, tf.constant(powers, tf.int64), tf.constant(powers[::-1], tf.int64)
        )
        return tf.reduce_sum(values * weights, axis=-1)

    directory = tf.minimum(number(data[4:8], 4), size - 2)
    first = directory + 2
    count = tf.minimum(number(data[directory:first], 2), (size - first) // 12)
    entries = tf.reshape(data[first : first + 12 * count], [-1, 12])
    is_orientation = number(entries[:, :2], 2) == _ORIENTATION_TAG
    value = tf.reduce_max(tf.where(is_orientation, number(entries[:, 8:10], 2), 1))
    return tf.where((value >= 1) & (value <= 8), tf.cast(value, tf.int32), 1)


def _jpeg_size(encoded):
    height_width_channels = tf.image.extract_jpeg_shape(encoded, tf.int32)
    return tf.cast(height_width_channels[:2][::-1], tf.int64)


def _signed(values):
    return tf.where(values < 2**31, values, values - 2**32)


def _bytes(text):
    return tf.cast(tf.io.decode_raw(text, tf.uint8), tf.int64)
