"""Reads the categories of a COCO file: which are classes, and what they are called."""

import reprlib

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.readers.coco_values import as_id, order_of_ids, wrong_value
from yolov2_tf.errors import InputError


def read_categories(content, path):
    """Reads the categories of an annotation file.

    Args:
        content: What `load_coco` gives.
        path: The file, for messages.

    Returns:
        A dict from category id to name, by id, and notes.

    Raises:
        InputError: If one has no id or no name, or an id occurs twice.
    """
    names, above = {}, {}
    for i, entry in enumerate(content["categories"]):
        where = f"{path}: categories[{i}]"
        number, name = as_id(entry.get("id")), entry.get("name")
        if number is None:
            raise InputError(wrong_value(entry, "id"), where=where)
        if number in names:
            raise InputError(f"category id {reprlib.repr(number)} occurs twice", where=where)
        if not isinstance(name, str) or not name.strip():
            raise InputError(wrong_value(entry, "name"), where=where)
        names[number], above[number] = name.strip(), entry.get("supercategory")
    used = {as_id(entry.get("category_id")) for entry in content["annotations"]}
    others = set(map(str, above.values()))
    roots = [n for n in names if n not in used and names[n] in others and above[n] == "none"]
    notes = ()
    if roots:
        notes += (f"category without boxes that holds the others, no class: {names[roots[0]]}",)
    names = {n: names[n] for n in sorted(names, key=order_of_ids) if n not in roots}
    repeated = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
    if repeated:
        notes += (f"categories of one name taken as one: {listing(repeated)}",)
    return names, notes
