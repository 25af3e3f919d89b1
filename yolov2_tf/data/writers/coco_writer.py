"""Writes COCO: `annotations/instances_*.json`, boxes `[x, y, width, height]` in 0-based pixels."""

import json


def write_coco(output, folder):
    """Writes one file per image set, `instances_default.json` where there are none.

    People find pictures and classes again by their ids: pictures keep theirs where these are
    numbers, each once in a file, and classes those that `output` has for them. Else they are
    numbered from 1 on.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.
    """
    (folder / "annotations").mkdir()
    numbers = _image_numbers(output)
    categories = _category_numbers(output)
    start = 1
    for name, items in output.files("default").items():
        annotations = []
        for item in items:
            number = numbers[item.name]
            annotations += _annotations(item, number, categories, start + len(annotations))
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
                {"id": number, "name": name}
                for number, name in zip(categories, output.class_names, strict=True)
            ],
        }
        path = folder / "annotations" / f"instances_{name}.json"
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return ()


def _image_numbers(output):
    """Dict from the name of a picture to its id; image sets may use the same ids."""
    own = {item.name: item.record.image_id.rpartition("/")[2] for item in output.items}
    if all(text.isascii() and text.isdigit() and len(text) < 19 for text in own.values()):
        own = {name: int(text) for name, text in own.items()}
        files = output.files("default").values()
        if all(len({own[item.name] for item in items}) == len(items) for items in files):
            return own
    return {name: number for number, name in enumerate(own, start=1)}


def _category_numbers(output):
    """The id of each class."""
    own = [output.category_ids.get(name) for name in output.class_names]
    if all(type(number) is int for number in own) and len(set(own)) == len(own):
        return own
    return list(range(1, len(own) + 1))


def _annotations(item, image, categories, first):
    record = item.record
    found = []
    for i, (y_min, x_min, y_max, x_max) in enumerate(item.pixels().tolist()):
        width, height = x_max - x_min, y_max - y_min
        found.append(
            {
                "id": first + i,
                "image_id": image,
                "category_id": categories[record.labels[i]],
                "bbox": [round(value, 4) for value in (x_min, y_min, width, height)],
                "area": round(width * height, 4),
                "iscrowd": int(record.ignore[i]),
                "segmentation": [],
            }
        )
    return found
