import numpy as np
import pytest
from PIL import Image, features

from picture_kinds import RGB, SCENE, encode, exif
from yolov2_tf.data import picture_formats
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import inspect_image, load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
AVIF = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"


@pytest.fixture
def without(monkeypatch):
    """As if Pillow had no AVIF and pillow-heif were not installed."""
    monkeypatch.setattr(picture_formats, "_formats", lambda: ("JPEG", "PNG"))
    picture_formats.decoders.cache_clear()
    yield
    picture_formats.decoders.cache_clear()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow decodes no AVIF")
@pytest.mark.parametrize("orientation", [1, 6])
def test_avif_is_read_upright(orientation):
    encoded = encode(RGB, "AVIF", quality=95, subsampling="4:4:4", exif=exif(orientation))
    expected = SCENE if orientation == 1 else np.rot90(SCENE, -1)
    assert np.abs(load_image(encoded).astype(int) - expected).mean() < 2
    info = inspect_image(encoded)
    assert (info.format, info.height, info.needs_conversion) == ("AVIF", expected.shape[0], True)


def test_heic_is_read_upright():
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    # Given as bytes, it is written as cameras do: the picture says how it is turned, too.
    encoded = encode(RGB, "HEIF", quality=95, chroma=444, exif=exif(6).tobytes())
    assert np.abs(load_image(encoded).astype(int) - np.rot90(SCENE, -1)).mean() < 3
    assert inspect_image(encoded).format == "HEIF"


@pytest.mark.parametrize(
    ("content", "needs"), [(HEIC, "HEIC.*needs pillow-heif"), (AVIF, "AVIF.*needs Pillow 11.3")]
)
def test_what_is_missing_is_said(content, needs, without, tmp_path):
    path = tmp_path / "a.heic"
    path.write_bytes(content)
    for source in (content, str(path)):
        with pytest.raises(InputError, match=needs):
            load_image(source)


@pytest.mark.parametrize(
    "content", [HEIC, AVIF, HEIC[:9], b"\0\0\0\x08ftyp", b"\xff\xff\xff\xffftyp"]
)
def test_damaged_ones_are_no_pictures(content):
    with pytest.raises(InputError):
        load_image(content)


def test_a_data_set_says_so_once(without, tmp_path):
    """An iPhone's pictures: one note for all of them, whether the annotations say their size."""
    rows = ["image,xmin,ymin,xmax,ymax,label,width,height"]
    for i in range(4):
        name = f"{i}.heic" if i else "0.png"
        rows.append(f"{name},1,2,{30 + i},{20 + i},dog,{',' if i == 3 else '52,36'}")
        (tmp_path / name).write_bytes(HEIC if i else encode(RGB, "PNG"))
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    dataset, faults = check_images(open_dataset(tmp_path / "boxes.csv"))
    assert len(dataset) == 1
    assert len(faults) == 2
    without_size, with_size = [note for note in dataset.notes if "needs pillow-heif" in note]
    assert "without a size or a readable picture, left out: 1 (3.heic" in without_size
    assert "cannot be read, left out: 2 (1.heic" in with_size


def test_what_could_not_be_read_is_looked_at_again_after_an_update(without, monkeypatch):
    before = picture_formats.decoders()
    monkeypatch.setattr(picture_formats, "_formats", lambda: ("JPEG",) * 8 + ("HEIF",))
    picture_formats.decoders.cache_clear()
    assert picture_formats.decoders() != before


def test_only_safe_formats_are_opened(tmp_path):
    path = tmp_path / "a.eps"
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(InputError, match="not a picture"):
        load_image(path)
