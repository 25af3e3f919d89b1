import numpy as np
import pytest
from PIL import Image, ImageOps

from picture_kinds import DEEP, KINDS, RGB, encode, exif, png_that_claims, scene
from yolov2_tf.data.dataset import Dataset
from yolov2_tf.data.image_check import check_images, turn_upright
from yolov2_tf.data.images import decode_image, inspect_image, load_image, orient_boxes
from yolov2_tf.data.records import Record
from yolov2_tf.errors import InputError

ORIENTATIONS = range(1, 9)


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
        "8 bits in 16": (encode(Image.fromarray(DEEP >> 8), "PNG"), "upper 8 bits show nothing"),
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
    assert note.startswith("pictures that cannot be read, left out: 7 (empty: not a picture")
    assert "and 4 more" in note


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
    what = "pictures of another size than annotated"
    assert dataset.notes[1:] == (f"{what}: 1 (small: 52×36 instead of 520×360)",)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_width_and_height_in_the_other_order_are_another_size_unless_exif_turns(orientation):
    encoded = encode(RGB, "JPEG", exif=exif(orientation))
    swapped = record(encoded, "swapped", (36, 52))
    note = "pictures of another size than annotated: 1 (swapped: 52×36 instead of 36×52)"
    for dataset in (check(swapped)[0], turn_upright(Dataset("set", ("thing",), [swapped]))):
        assert (note in dataset.notes) == (orientation < 5)


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


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_shapes_are_turned_by_headers_alone(orientation):
    encoded = encode(RGB, "JPEG", exif=exif(orientation))
    dataset = Dataset("set", ("thing",), [record(encoded), record(None, "b"), record(b"", "c")])
    turned = turn_upright(dataset)
    (checked,) = check(record(encoded))[0].records
    np.testing.assert_array_equal(turned.records[0].boxes, checked.boxes)
    assert (turned.records[0].width, turned.records[0].height) == (checked.width, checked.height)
    for i in (1, 2):  # no picture, or none that can be read
        np.testing.assert_array_equal(turned.records[i].boxes, dataset.records[i].boxes)
    assert len(turned.notes) == (orientation >= 5)


def test_without_decoding_headers_must_do():
    good, cut = KINDS["png"][0], KINDS["jpeg"][0][:-20]
    dataset, faults = check(record(good), record(cut, "b"), record(b"", "c"), decode=False)
    assert [r.image_id for r in dataset.records] == ["a", "b"]
    assert [name for name, _ in faults] == ["c"]


def test_many_pictures_are_told_apart_by_their_place():
    sizes = [(20 + i % 7, 30 + i % 5) for i in range(150)]
    records = [
        record(encode(RGB.resize(size), "PNG"), str(i), size) for i, size in enumerate(sizes)
    ]
    dataset, _ = check(*records)
    assert [(r.width, r.height) for r in dataset.records] == sizes
    assert dataset.notes == ("before",)
