"""What COCO's annotation files hold, and a folder to write it into."""

import json


def content():
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 100, "height": 80},
            {"id": 9, "file_name": "b.jpg", "width": 50, "height": 40},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 90, "bbox": [10, 20, 30, 40.5], "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 100, 80], "iscrowd": 1},
        ],
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 3, "name": "car"}],
    }


def many(count=12):
    """A file with one box in each picture of 100 × 80, from 10 10 to 40 50."""
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 100, "height": 80} for i in range(count)]
    boxes = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [10, 10, 30, 40]} for i in range(count)
    ]
    return {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}


def write(folder, data, name="instances_val.json"):
    folder.mkdir(parents=True, exist_ok=True)
    text = data if isinstance(data, str) else json.dumps(data)
    (folder / name).write_text(text)
    return folder / name
