import json

import pytest
from peak_memory import measured

from yolov2_tf.data.readers import json_files
from yolov2_tf.data.readers.json_files import kind_of_json

COCO = {"info": {}, "images": [], "annotations": [], "categories": []}
CREATEML = [{"image": "a.jpg", "annotations": [{"label": "dog", "coordinates": {}}]}]
LABELME = {"version": "5", "shapes": [], "imagePath": "a.jpg"}
ATTRIBUTES = {"attributes": {"items": 1, "label_id": 2, "shapes": "", "imagePath": "a.jpg"}}
RESULTS = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (COCO, "coco"),
        ({**COCO, "images": [ATTRIBUTES]}, "coco"),
        (CREATEML, "createml"),
        (LABELME, "labelme"),
        (RESULTS, "coco-results"),
        ({"images": []}, None),
        ([], None),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("chunk", [40, 1 << 20])
def test_the_keys_tell_the_tool(content, kind, encoding, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(json_files, "_CHUNK", chunk)
    path = tmp_path / "a.json"
    path.write_text("\n" + json.dumps(content), encoding=encoding)
    assert kind_of_json(path) == kind


def test_a_key_may_lie_across_two_pieces(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(COCO))
    for chunk in range(33, 60):
        monkeypatch.setattr(json_files, "_CHUNK", chunk)
        assert kind_of_json(path) == "coco"


def test_a_large_file_is_not_held_in_memory(tmp_path):
    path = tmp_path / "a.json"
    with open(path, "w") as file:
        file.write('{"images": [')
        for _ in range(100):
            file.write('{"id": 1},' * 100_000)
        file.write('{}], "annotations": []}')
    assert path.stat().st_size > 9e7
    with measured() as memory:
        assert kind_of_json(path) == "coco"
    assert memory.growth < 2e7


def test_what_is_not_there_is_of_no_kind(tmp_path):
    assert kind_of_json(tmp_path / "none.json") is None
    (tmp_path / "empty.json").write_bytes(b"")
    assert kind_of_json(tmp_path / "empty.json") is None
