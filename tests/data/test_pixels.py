"""One picture in every form in which programs hold it, and what is none."""

import functools
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.data.pixels import is_picture, pixels_of
from yolov2_tf.errors import InputError

PICTURE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
PICTURE[0, 0], PICTURE[-1, -1] = 0, 255


def encoded(picture, format="PNG", **options):
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(Image.fromarray(PICTURE)))
    return path


def forms(path):
    content = path.read_bytes()
    return {
        "array": PICTURE,
        "list of an array's rows": np.asarray(PICTURE.tolist(), np.uint8),
        "tensor": tf.constant(PICTURE),
        "path": path,
        "name": str(path),
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "function": lambda: content,
        "partial": functools.partial(bytes, content),
        "Pillow": Image.fromarray(PICTURE),
        "Pillow, opened": Image.open(path),
    }


def test_every_form_of_a_picture_gives_its_pixels(path):
    for name, form in forms(path).items():
        assert is_picture(form), name
        pixels = pixels_of(form)
        assert pixels.dtype == np.uint8, name
        np.testing.assert_array_equal(pixels, PICTURE, name)


@pytest.mark.parametrize("several", [[], [PICTURE], (PICTURE,), np.zeros((2, 5, 5, 3)), iter("ab")])
def test_several_pictures_are_told_from_one(several):
    assert not is_picture(several)


def test_what_is_not_even_iterable_is_taken_for_one_picture():
    assert is_picture(None)
    assert is_picture(7)


def test_pillow_pictures_are_read_as_their_files_are(tmp_path):
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(PICTURE)))
    exif = turned.getexif()
    exif[0x0112] = 6
    (tmp_path / "turned.png").write_bytes(encoded(turned, exif=exif))
    np.testing.assert_array_equal(pixels_of(tmp_path / "turned.png"), PICTURE)
    np.testing.assert_array_equal(pixels_of(Image.open(tmp_path / "turned.png")), PICTURE)
    gray = Image.fromarray(PICTURE[..., 0])
    np.testing.assert_array_equal(pixels_of(gray), np.repeat(PICTURE[..., :1], 3, axis=2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (PICTURE / np.float32(255), r"float32, values 0.* to 1 .*\(picture \* 255\)\.round\(\)"),
        (np.zeros((4, 4, 3)), r"float64, values 0 to 0 .*\(picture \* 255\)"),
        (PICTURE.astype(np.float32), r"values 0 to 255 .*Try: picture\.round\(\)\.astype"),
        (PICTURE.astype(np.int64) + 1, r"int64, values 1 to 256 \(expected .*0 to 255\)$"),
        (PICTURE.astype(np.float32) - 128, r"values -128 to 127 \(expected .*0 to 255\)$"),
        (PICTURE[..., 0], r"shape \(6, 9\).*np\.stack\(\[picture\] \* 3, axis=-1\)"),
        (np.zeros((6, 9, 4), np.uint8), r"shape \(6, 9, 4\).*without alpha"),
        (PICTURE.transpose(2, 0, 1), r"shape \(3, 6, 9\).*channels come last"),
        (np.zeros((0, 9, 3), np.uint8), r"shape \(0, 9, 3\)"),
        (np.zeros((6, 9, 3), bool), "type bool"),
        (np.array("text"), r"shape \(\)"),
        (np.array(["a.jpg", "b.jpg"]), r"shape \(2,\).*list\(pictures\)"),
        (PICTURE[..., :1], r"shape \(6, 9, 1\).*np\.repeat"),
        (PICTURE[None], r"shape \(1, 6, 9, 3\).*one by one"),
    ],
)
def test_arrays_that_are_no_picture_are_told_how_to_become_one(array, message):
    with pytest.raises(InputError, match=message):
        pixels_of(array)


@pytest.mark.parametrize("what", [None, 7, {"image": PICTURE}, [[1, 2], [3, 4]]])
def test_what_is_no_picture_at_all_is_refused(what):
    with pytest.raises(InputError, match=f"a {type(what).__name__} is no picture"):
        pixels_of(what)


def test_an_open_file_is_one_picture_and_not_its_lines(path):
    with open(path, "rb") as file:
        assert is_picture(file)
        with pytest.raises(InputError, match=r"a BufferedReader is no picture.*picture\.read\(\)"):
            pixels_of(file)
