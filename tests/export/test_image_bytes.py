"""Pictures decoded inside a graph against Pillow."""

import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.export.image_bytes import claimed_size, decode, exif_orientation

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")


@pytest.fixture(scope="module")
def graph():
    return tf.function(decode, input_signature=[tf.TensorSpec((), tf.string)])


def picture(height=37, width=53, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    return Image.fromarray(small).resize((width, height))


def encoded(image, format, **settings):
    file = io.BytesIO()
    image.save(file, format, **settings)
    return file.getvalue()


def forged_jpeg(height, width):
    """A JPEG whose frame header claims another size."""
    content = encoded(picture(), "JPEG")
    frame = content.index(b"\xff\xc0") + 5
    return content[:frame] + struct.pack(">HH", height, width) + content[frame + 4 :]


@pytest.mark.parametrize("format", FORMATS)
def test_pixels_and_size_are_pillow_s(format, graph):
    content = encoded(picture(), format)
    assert claimed_size(content).numpy().tolist() == [53, 37]
    np.testing.assert_array_equal(graph(content), load_image(content))


@pytest.mark.parametrize("settings", [{"lossless": True}, {"exif": b"Exif\0\0"}])
def test_sizes_of_the_other_webp_kinds(settings):
    content = encoded(picture(), "WEBP", **settings)
    assert claimed_size(content).numpy().tolist() == [53, 37]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_orientation_is_applied(orientation, order, graph):
    # Byte order, 42, offset of the directory; one entry before the orientation, one after.
    entries = [(0x0100, 4, 1, 99), (0x0112, 3, 1, orientation), (0x0131, 3, 1, 7)]
    tiff = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    tiff += struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        tiff += struct.pack(f"{order}HHI", tag, kind, count)
        tiff += struct.pack(f"{order}I" if kind == 4 else f"{order}Hxx", value)
    content = encoded(picture(), "JPEG", exif=b"Exif\0\0" + tiff + bytes(4))
    assert exif_orientation(content) == orientation
    np.testing.assert_array_equal(graph(content), load_image(content))


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0",
    ],
)
def test_broken_exif_is_upright(exif):
    content = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert exif_orientation(content) == 1


def test_what_is_no_jpeg_has_no_exif():
    assert exif_orientation(encoded(picture(), "PNG")) == 1
    assert exif_orientation(b"") == 1


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 30_000, 30_000) + b"\x08\x02\0\0\0",
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535),
        b"BM" + bytes(16) + struct.pack("<ii", 30_000, -30_000),
        b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\xff\xff\x3f\xff\xff\x3f",
        forged_jpeg(30_000, 30_000),
    ],
)
def test_pictures_that_claim_too_much_are_refused_unread(bomb, graph):
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 89 million pixels"):
        graph(bomb)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff", b"\x89PNG"])
def test_what_is_no_picture_is_refused(content, graph):
    with pytest.raises(tf.errors.InvalidArgumentError, match="DecodeImage|ExtractJpegShape"):
        graph(content)


def test_truncated_pictures_are_refused(graph):
    content = encoded(picture(200, 300), "JPEG")
    with pytest.raises(tf.errors.InvalidArgumentError, match="DecodeJpeg"):
        graph(content[:-20])
