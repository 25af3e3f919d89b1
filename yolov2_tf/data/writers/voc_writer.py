"""Writes PASCAL VOC: `Annotations/*.xml`, 1-based pixels, and `ImageSets/Main/*.txt`."""

import re
from xml.sax.saxutils import escape

from yolov2_tf.data.writers.conversion import number
from yolov2_tf.errors import InputError

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_voc(output, folder):
    """Writes one XML file per picture.

    The lists of the image sets keep the order; without sets it is in `default.txt`.

    Args:
        output: `yolov2_tf.data.writers.conversion.Output`.
        folder: Where to.

    Returns:
        Notes.
    """
    (folder / "Annotations").mkdir()
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for item in output.items:
        path = folder / "Annotations" / f"{item.stem}.xml"
        path.write_text(voc_xml(item, output.class_names), encoding="utf-8")
    for name, items in output.files("default").items():
        path = folder / "ImageSets" / "Main" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{item.stem}\n" for item in items), encoding="utf-8")
    return ()


def voc_xml(item, class_names):
    """The annotation of one picture, as the text of its XML file.

    Args:
        item: `yolov2_tf.data.writers.conversion.Item`, its record with the size in pixels.
        class_names: What its labels index.

    Raises:
        InputError: If XML cannot hold a name.
    """
    record = item.record
    lines = [
        "<annotation>",
        f"  <filename>{_text(item.name)}</filename>",
        f"  <size><width>{record.width}</width><height>{record.height}</height>"
        "<depth>3</depth></size>",
    ]
    boxes = (item.pixels() + 1).tolist()
    for box, label, ignore in zip(
        boxes, record.labels.tolist(), record.ignore.tolist(), strict=True
    ):
        y_min, x_min, y_max, x_max = map(number, box)
        lines += [
            "  <object>",
            f"    <name>{_text(class_names[label])}</name>",
            f"    <difficult>{int(ignore)}</difficult>",
            f"    <bndbox><xmin>{x_min}</xmin><ymin>{y_min}</ymin>"
            f"<xmax>{x_max}</xmax><ymax>{y_max}</ymax></bndbox>",
            "  </object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


def _text(text):
    if _NOT_XML.search(text):
        raise InputError(f"XML cannot hold the characters of {text!r}")
    return escape(text)
