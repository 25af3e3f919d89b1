"""Writes YOLO txt: `images/`, `labels/`, a list per image set, and `data.yaml`."""

import yaml

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.image_sets import role


def write_yolo(output, folder):
    """Writes one text file per picture: `class cx cy width height` as fractions.

    `data.yaml` names a list for `train`, `val` and `test`, several where several sets are for the
    same, as in a devkit of two years. Without image sets all is `train`, and so are the sets of no
    known purpose together where none is to train on. Other sets are written as lists that
    `data.yaml` does not name.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.
    """
    (folder / "labels").mkdir()
    for item in output.items:
        path = folder / "labels" / f"{item.stem}.txt"
        path.write_text(_lines(item.record), encoding="utf-8")
    sets = output.files("train")
    if not any(role(name) in ("train", "trainval") for name in sets):
        sets = _with_train(sets)
    for name, items in sets.items():
        text = "".join(f"./images/{item.name}\n" for item in items)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    named = _named(sets)
    content = {"path": "."}
    for key, names in named.items():
        files = [f"{name}.txt" for name in names]
        content[key] = files if len(files) > 1 else files[0]
    content["names"] = dict(enumerate(output.class_names))
    (folder / "data.yaml").write_text(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    left = [name for name in sets if not any(name in names for names in named.values())]
    return (f"image sets that data.yaml has no key for: {listing(left)}",) if left else ()


def _with_train(sets):
    """The sets, of which those of no known purpose are one to train on."""
    merged = {}
    for name, items in sets.items():
        merged.setdefault("train" if role(name) is None else name, []).extend(items)
    if "train" in merged:  # a picture may be in several
        merged["train"] = list({item.name: item for item in merged["train"]}.values())
    return merged


def _named(sets):
    """Names of image sets by their key in `data.yaml`."""
    by_role = {}
    for name in sets:
        by_role.setdefault(role(name), []).append(name)
    both = by_role.pop("trainval", None)
    if both and "train" not in by_role:  # else it would train on what is to score
        by_role = {"train": both, **by_role}
    by_role.pop(None, None)
    return by_role


def _lines(record):
    lines = []
    for label, (y_min, x_min, y_max, x_max) in zip(
        record.labels.tolist(), record.boxes.astype(float).tolist(), strict=True
    ):
        numbers = (x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min
        lines.append(" ".join([str(label), *(f"{value:.8f}" for value in numbers)]) + "\n")
    return "".join(lines)
