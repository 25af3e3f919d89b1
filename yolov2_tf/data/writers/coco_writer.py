"""Writes COCO: `annotations/instances_*.json`, boxes `[x, y, width, height]` in 0-based pixels."""

import json


def write_coco(output, folder):
    """Writes one file per image set, `instances_default.json` where there are none.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.
    """
    (folder / "annotations").mkdir()
    numbers = {item.name: i for i, item in enumerate(output.items, start=1)}
    start = 1
    for name, items in output.files("default").items():
        annotations = []
        for item in items:
            annotations += _annotations(item, numbers[item.name], start + len(annotations))
        start += len(annotations)
        content = {
            "images": [
                {
                    "id": numbers[item.name],
                    "file_name": item.name,
                    "width": item.record.width,
                    "height": item.record.height,
                }
                for item in items
            ],
            "annotations": annotations,
            "categories": [
                {"id": i, "name": name} for i, name in enumerate(output.class_names, start=1)
            ],
        }
        path = folder / "annotations" / f"instances_{name}.json"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return ()


def _annotations(item, image, first):
    record = item.record
    found = []
    for i, (y_min, x_min, y_max, x_max) in enumerate(item.pixels().tolist()):
        width, height = x_max - x_min, y_max - y_min
        found.append(
            {
                "id": first + i,
                "image_id": image,
                "category_id": int(record.labels[i]) + 1,
                "bbox": [round(value, 4) for value in (x_min, y_min, width, height)],
                "area": round(width * height, 4),
                "iscrowd": int(record.ignore[i]),
                "segmentation": [],
            }
        )
    return found
