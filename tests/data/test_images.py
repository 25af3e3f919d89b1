import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import (
    MAX_PIXELS,
    decode_image,
    inspect_image,
    load_image,
    orient_boxes,
    picture_size,
    to_png_bytes,
)
from yolov2_tf.data.records import Dataset, Record
from yolov2_tf.errors import InputError

ORIENTATIONS = range(1, 9)


def scene(height=36, width=52):
    """A smooth picture of random colours, so that JPEG hardly changes it."""
    coarse = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


SCENE = scene()
RGB = Image.fromarray(SCENE)
GRAY = np.asarray(RGB.convert("L"))
DEEP = GRAY.astype(np.uint16) * 256 + 77  # 16 bits
RGBA = Image.merge("RGBA", [*RGB.split(), Image.fromarray(GRAY)])
PALETTE = RGB.quantize(32)
BILEVEL = RGB.convert("1")


def encode(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def gray(values):
    return np.repeat(np.asarray(values)[..., None], 3, axis=2)


def without_adobe_marker(jpeg):
    start = jpeg.index(b"\xff\xee")
    (length,) = struct.unpack(">H", jpeg[start + 2 : start + 4])
    return jpeg[:start] + jpeg[start + 2 + length :]


def cv2_png(values):
    return cv2.imencode(".png", values)[1].tobytes()


CMYK_JPEG = encode(RGB.convert("CMYK"), "JPEG", quality=98)
BGR16 = SCENE[..., ::-1].astype(np.uint16) * 257
LOSSLESS = {  # name: (encoded, what it must look like)
    "png": (encode(RGB, "PNG"), SCENE),
    "png gray": (encode(Image.fromarray(GRAY), "PNG"), gray(GRAY)),
    "png gray+alpha": (encode(RGBA.convert("LA"), "PNG"), gray(GRAY)),
    "png alpha": (encode(RGBA, "PNG"), SCENE),
    "png palette": (encode(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB"))),
    "png palette, transparent": (
        encode(PALETTE, "PNG", transparency=3),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "png 1 bit": (encode(BILEVEL, "PNG"), gray(np.asarray(BILEVEL) * np.uint8(255))),
    "png 16 bit gray": (encode(Image.fromarray(DEEP), "PNG"), gray(GRAY)),
    "png 16 bit": (cv2_png(BGR16), SCENE),
    "png 16 bit alpha": (cv2_png(np.dstack([BGR16, BGR16[..., 0]])), SCENE),
    "bmp": (encode(RGB, "BMP"), SCENE),
    "bmp gray": (encode(Image.fromarray(GRAY), "BMP"), gray(GRAY)),
    "bmp palette": (encode(PALETTE, "BMP"), np.asarray(PALETTE.convert("RGB"))),
    "bmp 1 bit": (encode(BILEVEL, "BMP"), gray(np.asarray(BILEVEL) * np.uint8(255))),
    "bmp alpha": (encode(RGBA, "BMP"), SCENE),
    "gif": (encode(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB"))),
    "gif transparent": (
        encode(PALETTE, "GIF", transparency=3),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "gif animated": (
        encode(PALETTE, "GIF", save_all=True, append_images=[ImageOps.mirror(PALETTE)]),
        np.asarray(PALETTE.convert("RGB")),
    ),
    "webp": (encode(RGB, "WEBP", lossless=True), SCENE),
    "webp alpha": (encode(RGBA, "WEBP", lossless=True, exact=True), SCENE),
    "webp animated": (
        encode(RGB, "WEBP", lossless=True, save_all=True, append_images=[ImageOps.mirror(RGB)]),
        SCENE,
    ),
    "tiff": (encode(RGB, "TIFF"), SCENE),
    "tiff 16 bit": (encode(Image.fromarray(DEEP), "TIFF"), gray(GRAY)),
    "tiff 16 bit big-endian": (
        encode(Image.fromarray(DEEP.astype(">u2")), "TIFF"),
        gray(GRAY),
    ),
    "tiff cmyk": (encode(RGB.convert("CMYK"), "TIFF"), SCENE),
    "ppm": (encode(RGB, "PPM"), SCENE),
    "pgm 16 bit": (encode(Image.fromarray(DEEP), "PPM"), gray(GRAY)),
    "jpeg 2000": (encode(RGB, "JPEG2000"), SCENE),
}
LOSSY = {
    "jpeg": (encode(RGB, "JPEG", quality=95), SCENE),
    "jpeg 4:2:0": (encode(RGB, "JPEG", quality=95, subsampling=2), SCENE),
    "jpeg progressive": (encode(RGB, "JPEG", quality=95, progressive=True), SCENE),
    "jpeg gray": (encode(Image.fromarray(GRAY), "JPEG", quality=95), gray(GRAY)),
    "jpeg rgb": (encode(RGB, "JPEG", quality=95, keep_rgb=True), SCENE),
    "jpeg cmyk": (CMYK_JPEG, SCENE),
    "jpeg cmyk without Adobe's marker": (without_adobe_marker(CMYK_JPEG), SCENE),
    "mpo": (
        encode(RGB, "MPO", quality=95, save_all=True, append_images=[ImageOps.mirror(RGB)]),
        SCENE,
    ),
    "webp lossy": (encode(RGB, "WEBP", quality=98), SCENE),
}
KINDS = LOSSLESS | LOSSY


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


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


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + png_chunk(b"IEND", b"")
    )


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


def test_float_pixels_are_refused():
    with pytest.raises(InputError, match="float pixels"):
        load_image(encode(RGB.convert("L").convert("F"), "TIFF"))


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


# === Checking a data set ===


def record(image, image_id="a", size=(52, 36), boxes=((0.1, 0.2, 0.3, 0.6),)):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    labels = np.zeros(len(boxes), np.int32)
    return Record(image, image_id, boxes, labels, labels.astype(bool), *size)


def check(*records, **options):
    return check_images(Dataset("some set", ("thing",), list(records), ("before",)), **options)


def test_good_pictures_stay_as_they_are():
    records = [record(KINDS[kind][0], kind) for kind in ("jpeg", "png", "webp", "bmp")]
    dataset, faults = check(*records)
    assert faults == []
    assert dataset.notes == ("before",)
    for before, after in zip(records, dataset.records, strict=True):
        assert after.image is before.image
        np.testing.assert_array_equal(after.boxes, before.boxes)


@pytest.mark.parametrize("kind", KINDS)
def test_after_the_check_the_graph_decodes_every_kind(kind):
    (checked,) = check(record(KINDS[kind][0]))[0].records
    encoded = checked.image() if callable(checked.image) else checked.image
    pixels = decode_image(encoded, checked.orientation)
    np.testing.assert_array_equal(pixels, load_image(KINDS[kind][0]))


def test_conversions_are_told_and_keep_nothing_in_memory(tmp_path):
    (tmp_path / "a.tif").write_bytes(encode(RGB, "TIFF", exif=exif(6)))
    dataset, _ = check(record(str(tmp_path / "a.tif"), size=(36, 52)))
    (checked,) = dataset.records
    assert callable(checked.image)
    assert checked.orientation == 1
    assert (checked.width, checked.height) == (36, 52)
    assert "pictures converted each time they are read" in dataset.notes[1]
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.tif")))
    np.testing.assert_array_equal(decode_image(checked.image()), upright)


def test_unreadable_pictures_are_left_out_counted_and_listed(tmp_path):
    good = KINDS["png"][0]
    bad = {
        "empty": (b"", "not a picture"),
        "truncated": (KINDS["jpeg"][0][:-20], "damaged or truncated"),
        "cut in its last chunk": (good[:-5], "damaged or truncated"),  # Pillow does not mind
        "huge": (png_that_claims(30_000, 30_000), "claims more than 89 million"),
        "gone": (str(tmp_path / "gone.jpg"), "cannot be opened"),
        "never there": (None, "picture not found"),
    }
    records = [record(image, name) for name, (image, _) in bad.items()]
    dataset, faults = check(record(good, "good"), *records)
    assert [r.image_id for r in dataset.records] == ["good"]
    assert [name for name, _ in faults] == list(bad)
    for name, reason in faults:
        assert bad[name][1] in reason
    (note,) = dataset.notes[1:]
    assert note.startswith("pictures that cannot be read, left out: 6 (empty: not a picture")
    assert "and 3 more" in note


def test_not_a_single_readable_picture_raises():
    with pytest.raises(InputError, match=r"not one of 2 pictures can be read; the first: x: not a"):
        check(record(b"", "x"), record(b"", "y"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_boxes_drawn_on_the_stored_picture_are_turned(orientation):
    encoded = encode(RGB, "JPEG", exif=exif(orientation))
    upright_size = (36, 52) if orientation >= 5 else (52, 36)
    (drawn_upright,) = check(record(encoded, size=upright_size))[0].records
    (drawn_stored,) = check(record(encoded, size=(52, 36)))[0].records
    box = record(b"").boxes
    np.testing.assert_array_equal(drawn_upright.boxes, box)
    turned = orient_boxes(box, orientation) if orientation >= 5 else box
    np.testing.assert_array_equal(drawn_stored.boxes, turned)
    for checked in (drawn_upright, drawn_stored):
        assert checked.orientation == orientation
        assert (checked.width, checked.height) == upright_size


def test_a_square_or_unknown_size_does_not_tell_so_boxes_stay():
    square = encode(Image.fromarray(scene(40, 40)), "JPEG", exif=exif(6))
    wide = encode(RGB, "JPEG", exif=exif(6))
    dataset, _ = check(record(square, "a", (40, 40)), record(wide, "b", (0, 0)))
    for checked in dataset.records:
        np.testing.assert_array_equal(checked.boxes, record(b"").boxes)
    assert dataset.notes == ("before",)


def test_another_size_than_annotated_is_told():
    dataset, _ = check(record(KINDS["png"][0], "small", (520, 360)), record(KINDS["png"][0], "b"))
    assert dataset.notes[1:] == ("pictures of another size than annotated: 1 (small)",)


def test_progress_sees_every_picture():
    seen = []

    def progress(items, total):
        for item in items:
            seen.append(total)
            yield item

    check(*(record(KINDS["png"][0], str(i)) for i in range(5)), progress=progress)
    assert seen == [5] * 5


def test_the_truncated_real_picture(shared_data):
    path = str(shared_data / "faults" / "truncated_by_20_bytes.jpg")
    assert inspect_image(path).width == 590  # its header is sound
    with pytest.raises(InputError, match="damaged or truncated"):
        load_image(path)
    dataset, faults = check(record(KINDS["png"][0], "good"), record(path, "truncated"))
    assert len(dataset) == 1
    assert faults == [("truncated", "damaged or truncated")]


def test_all_of_bccd_is_readable(shared_data):
    from yolov2_tf.data.readers.voc_xml import read_voc

    dataset, faults = check_images(read_voc(shared_data / "bccd", split="test"))
    assert len(dataset) == 72
    assert faults == []
    assert dataset.notes == ()
