import io
import os

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from picture_kinds import DEEP, KINDS, LOSSLESS, RGB, SCENE, encode, exif, png_that_claims
from yolov2_tf.data.images import (
    MAX_PIXELS,
    decode_image,
    inspect_image,
    load_image,
    orient_boxes,
    picture_size,
    read_bytes,
    to_png_bytes,
)
from yolov2_tf.errors import InputError

ORIENTATIONS = range(1, 9)


# === Pixels ===


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read_right(kind):
    encoded, expected = KINDS[kind]
    loaded = load_image(encoded)
    assert loaded.dtype == np.uint8
    assert loaded.shape == expected.shape
    difference = np.abs(loaded.astype(int) - expected)
    assert difference.max() <= (0 if kind in LOSSLESS else 16)
    assert difference.mean() <= (0 if kind in LOSSLESS else 2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_graph_decoder_gives_the_same_pixels_or_inspection_says_that_it_does_not(kind):
    encoded, _ = KINDS[kind]
    if inspect_image(encoded).needs_conversion:
        encoded = to_png_bytes(encoded)
        assert not inspect_image(encoded).needs_conversion
        np.testing.assert_array_equal(load_image(encoded), load_image(KINDS[kind][0]))
    np.testing.assert_array_equal(decode_image(encoded), load_image(encoded))


def test_16_bits_that_hold_8_are_refused():
    """As from a microscope's software; their upper 8 bits are black."""
    for kind in ("PNG", "TIFF"):
        with pytest.raises(InputError, match="all below 256: the upper 8 bits show nothing"):
            load_image(encode(Image.fromarray(DEEP >> 8), kind))
        assert not load_image(encode(Image.fromarray(DEEP * 0), kind)).any()


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "bmp", "jpeg cmyk", "png 16 bit"])
def test_common_kinds_need_no_conversion(kind):
    assert not inspect_image(KINDS[kind][0]).needs_conversion


def test_real_jpegs_decode_as_in_opencv(shared_data):
    paths = sorted((shared_data / "voc2007_sample" / "JPEGImages").glob("*.jpg"))[::20]
    assert len(paths) > 15
    for path in paths:
        encoded = path.read_bytes()
        pixels = decode_image(encoded)
        np.testing.assert_array_equal(pixels, load_image(path))
        np.testing.assert_array_equal(pixels, cv2.imread(str(path))[..., ::-1])


def test_a_source_may_be_a_path_bytes_or_a_function(tmp_path):
    encoded = KINDS["png"][0]
    (tmp_path / "a.png").write_bytes(encoded)
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), encoded, lambda: encoded):
        np.testing.assert_array_equal(load_image(source), SCENE)
        assert picture_size(source) == (52, 36)


# === Orientation ===


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied(orientation, kind):
    encoded = encode(RGB, kind, exif=exif(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(encoded)))
    info = inspect_image(encoded)
    assert info.orientation == (1 if kind == "TIFF" else orientation)  # Pillow turns TIFF itself
    assert (info.width, info.height) == upright.size
    np.testing.assert_array_equal(load_image(encoded), np.asarray(upright))
    assert inspect_image(to_png_bytes(encoded)).orientation == 1
    np.testing.assert_array_equal(load_image(to_png_bytes(encoded)), np.asarray(upright))


def test_the_graph_applies_any_orientation_in_one_trace():
    decode = tf.function(
        decode_image, input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int32)]
    )
    assert decode.get_concrete_function().output_shapes.as_list() == [None, None, 3]
    for orientation in ORIENTATIONS:
        encoded = encode(RGB, "PNG", exif=exif(orientation))
        np.testing.assert_array_equal(decode(encoded, orientation), load_image(encoded))
    assert decode.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_boxes_turn_with_their_picture(orientation):
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[4:10, 12:30] = 255
    box = np.array([[4 / 40, 12 / 60, 10 / 40, 30 / 60]], np.float32)
    upright = load_image(encode(Image.fromarray(stored), "PNG", exif=exif(orientation)))
    rows, columns = np.nonzero(upright[..., 0])
    height, width = upright.shape[:2]
    expected = [
        rows.min() / height,
        columns.min() / width,
        (rows.max() + 1) / height,
        (columns.max() + 1) / width,
    ]
    turned = orient_boxes(box, orientation)
    np.testing.assert_allclose(turned, [expected], atol=1e-6)
    assert turned.dtype == np.float32
    assert orient_boxes(box[:0], orientation).shape == (0, 4)


@pytest.mark.parametrize("value", [0, 9, 77])
def test_nonsense_in_exif_means_upright(value):
    assert inspect_image(encode(RGB, "JPEG", exif=exif(value))).orientation == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_block_does_not_spoil_the_picture():
    encoded = encode(RGB, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert inspect_image(encoded).orientation == 1
    assert load_image(encoded).shape == SCENE.shape


# === Refusals ===


@pytest.mark.parametrize("size", [(30_000, 30_000), (MAX_PIXELS // 100 + 1, 100), (2**31 - 1, 9)])
@pytest.mark.parametrize("read", [inspect_image, load_image, to_png_bytes])
def test_a_picture_that_claims_too_many_pixels_is_refused(size, read):
    with pytest.raises(InputError, match="claims more than 89 million pixels"):
        read(png_that_claims(*size))


def test_inspection_decodes_no_pixel():
    encoded = png_that_claims(5000, 4000)  # there is next to nothing behind its header
    assert picture_size(encoded) == (5000, 4000)
    with pytest.raises(InputError, match="damaged or truncated"):
        load_image(encoded)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^.*a\.jpg: (not a picture|damaged or truncated)"):
        inspect_image(path)
    assert picture_size(path) == (0, 0)


def test_what_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg: cannot be opened: No such file"):
        load_image(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="cannot be opened: Is a directory"):
        load_image(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    for read in (load_image, read_bytes):
        with pytest.raises(InputError, match=r"a\.jpg: no ordinary file"):
            read(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize(("mode", "what"), [("F", "float pixels"), ("I", "pixels of 32 bits")])
def test_pixels_of_an_unknown_range_are_refused(mode, what):
    with pytest.raises(InputError, match=what):
        load_image(encode(RGB.convert("L").convert(mode), "TIFF"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "animated" not in kind])
def test_half_a_file_is_refused(kind):
    encoded = KINDS[kind][0]
    with pytest.raises(InputError, match=r"damaged or truncated|not a picture"):
        load_image(encoded[: len(encoded) // 2])


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4),
)
def test_any_damage_gives_pixels_or_input_error(kind, damages):
    encoded = bytearray(KINDS[kind][0])
    for place, junk in damages:
        start = int(place * len(encoded))
        encoded[start : start + len(junk)] = junk
    try:
        image = load_image(bytes(encoded))
    except InputError:
        return
    assert image.ndim == 3
    assert image.shape[2] == 3
