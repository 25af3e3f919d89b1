"""What is written of pictures: nothing of one takes the place of another's."""

from PIL import Image

from yolov2_tf.models.yolov2 import TinyYOLOv2


def test_crops_of_an_earlier_run_are_kept(run, tmp_path):
    """Those of `a.jpg`, which has its row, are not written over by those of `a.png`."""
    photos, rows, out = tmp_path / "photos", tmp_path / "rows.jsonl", tmp_path / "out"
    photos.mkdir()
    for name, colour in (("a.jpg", "red"), ("a.png", "blue")):
        Image.new("RGB", (64, 64), colour).save(photos / name)
    model = tmp_path / "finds_boxes_everywhere.keras"
    TinyYOLOv2(["thing"], anchors=[(1, 1)], width=1 / 16, input_size=64).save(model)
    command = ("predict", model, photos, "--threshold", 0, "--crop", "--out", out)
    command += ("--jsonl", rows, "--resume")
    assert run(*command)[0] == 0
    whole = {path: path.read_bytes() for path in (out / "crops").rglob("*.png")}
    assert {path.name for path in whole} >= {"a-1.png", "a.png-1.png"}
    rows.write_bytes(rows.read_bytes().splitlines(keepends=True)[0])
    for path in whole:
        if path.name.startswith("a.png"):
            path.unlink()
    assert run(*command)[0] == 0
    assert {path: path.read_bytes() for path in (out / "crops").rglob("*.png")} == whole
