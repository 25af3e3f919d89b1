"""What is written of pictures: nothing of one takes the place of another's."""

from pathlib import Path

import pytest
from PIL import Image

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.images import load_image

DIGITS = Path(__file__).parents[2] / "android_demo/app/src/main/assets/digits.tflite"


@pytest.mark.skipif(not DIGITS.is_file(), reason="needs the shipped digits.tflite")
def test_crops_of_an_earlier_run_are_kept(run, tmp_path):
    """Those of `a.jpg`, which has its row, are not written over by those of `a.png`."""
    photos, rows, out = tmp_path / "photos", tmp_path / "rows.jsonl", tmp_path / "out"
    photos.mkdir()
    for name, record in zip(("a.jpg", "a.png"), open_digits("test", count=2).records, strict=True):
        Image.fromarray(load_image(record.image)).save(photos / name)
    command = ("predict", DIGITS, photos, "--crop", "--out", out, "--jsonl", rows, "--resume")
    assert run(*command)[0] == 0
    whole = {path: path.read_bytes() for path in (out / "crops").rglob("*.png")}
    assert {path.name for path in whole} >= {"a-1.png", "a.png-1.png"}
    rows.write_bytes(rows.read_bytes().splitlines(keepends=True)[0])
    for path in whole:
        if path.name.startswith("a.png"):
            path.unlink()
    assert run(*command)[0] == 0
    assert {path: path.read_bytes() for path in (out / "crops").rglob("*.png")} == whole
