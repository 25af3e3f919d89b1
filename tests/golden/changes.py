"""Descriptions and outputs that were changed or damaged, each with what it has to lead to.

A reader either refuses, with a message that holds a certain word, or finds what the definition
finds. Nothing else will do: least of all what it found before the change.
"""

import itertools
import json

from cases import DETECTIONS, FLAT, FORMS, MODES, OUTPUTS, SIZES, TREE, TREE_CLASSES, VERSION
from definition import detections


def make_changes(cases):
    """Changed descriptions and outputs, each with what it leads to."""
    cases = {case["name"]: case for case in cases}
    changes = [*damaged(), *wrong_outputs(), *harmless(), *broken_fields()]
    for change in changes:
        case = cases[change["case"]]
        if "refused" not in change:
            description = {"per_class": True, "tree": None, **case["description"]}
            description |= change.get("set", {})
            shape, threshold = SIZES[case["picture"]], case["threshold"]
            change["detections"] = detections(description, case["outputs"], shape, threshold)
            same = change["detections"] == case["detections"]
            assert same == change.pop("same", False), change
    names = [change["name"] for change in changes]
    assert len(set(names)) == len(names)
    return changes


def damaged():
    """Descriptions that are none."""
    case = "nms/flat/stretch/none"
    texts = ("", "{", '{"class_names": ["cat"', "[]", "null", "7", '"words"', "no JSON")
    for text in texts:
        yield {"name": f"text {text!r}", "case": case, "text": text, "refused": "yolov2.json"}
    needed = ("class_names", "anchors", "input_size", "resize", "nms", "score_threshold",
              "iou_threshold", "max_detections")  # fmt: skip
    for key in needed:
        yield {"name": f"no {key}", "case": case, "remove": [key], "refused": key}
    wrong = {
        "version": (0, VERSION + 1, 99, "1", 1.5, None, True),
        "class_names": ("cat", [], [1, 2, 3], ["cat", None, "dog"], None, {"cat": 0}),
        "anchors": ([], [[1.0, 2.0], [1.0]], [1.0, 2.0], [["1", "2"]], [[0, 1]], None, "1,2"),
        "input_size": ("32", 32.5, 0, -32, True, None, [32]),
        "resize": ("crop", "STRETCH", 1, None),
        "nms": ("true", 1, None),
        "score_threshold": ("0.3", -0.1, 1.5, None, True),
        "iou_threshold": ("0.45", -0.1, 1.5, None),
        "max_detections": ("8", 0, -1, 8.5, True, None),
        "per_class": ("false", 0, None),
        "quantization": ("int4", 8, None),
        "tree": ("animal", [], 0, True, {}, {"names": FLAT}, {"parent": [-1, -1, 0]}),
        "outputs": ("location", ["boxes", "scores"], DETECTIONS[:3], DETECTIONS[::-1], [1]),
    }
    for key, values in wrong.items():
        for value in values:
            shown = json.dumps(value, ensure_ascii=False)
            yield {"name": f"{key} is {shown}", "case": case, "set": {key: value},
                   "refused": key}  # fmt: skip
    for form in ("nms/tree", "no-nms/tree"):
        yield from damaged_trees(form)


def damaged_trees(form):
    """Trees that are none, or not those of the classes."""
    names, parent = TREE["names"], TREE["parent"]
    for title, tree in {
        "too short": {"names": names[:4], "parent": parent[:4]},
        "too long": {"names": [*names, "n6"], "parent": [*parent, 0]},
        "without its last parent": {"names": names, "parent": parent[:4]},
        "of numbers": {"names": [1, 2, 3, 4, 5], "parent": parent},
        "without numbers": {"names": names, "parent": ["-1", "-1", "0", "0", "0"]},
        "whose child comes first": {"names": names, "parent": [2, -1, -1, 0, 0]},
        "whose siblings stand apart": {"names": names, "parent": [-1, -1, 0, 1, 0]},
        "with a name twice": {"names": [*names[:4], "n4"], "parent": parent},
        "with a name of two words": {"names": [*names[:4], "n 5"], "parent": parent},
        "without a name": {"names": [*names[:4], ""], "parent": parent},
        "whose parent is -2": {"names": names, "parent": [-2, -1, 0, 0, 0]},
    }.items():
        yield {"name": f"{form}: a tree {title}", "case": f"{form}/stretch/none",
               "set": {"tree": tree}, "refused": "tree"}  # fmt: skip


def wrong_outputs():
    """Networks that do not give what the description says."""
    for form, names in OUTPUTS.items():
        for name in names:
            yield {"name": f"{form}: no output {name}", "case": f"{form}/letterbox/int8",
                   "remove_output": name, "refused": name}  # fmt: skip
    # A label that has no name, in the first place of an output.
    for form, name, label in (
        ("nms/flat", "category", len(FLAT)),
        ("nms/flat", "category", -1),
        ("nms/tree", "category", len(TREE_CLASSES)),
        ("no-nms/tree", "labels", len(TREE_CLASSES)),
        ("no-nms/tree", "labels", -1),
    ):
        yield {"name": f"{form}: {name} {label}", "case": f"{form}/stretch/fp16",
               "first_value": {name: label}, "refused": "class_names"}  # fmt: skip


def harmless():
    """Descriptions that another writer might make, and that say the same."""
    case = "no-nms/flat/letterbox/none"
    for key in ("per_class", "tree", "quantization", "tree_threshold", "writer"):
        yield {
            "name": f"no {key}, which has a default",
            "case": case,
            "remove": [key],
            "same": True,
        }
    for title, values in {
        "of version 1": {"version": 1},
        "of version 2": {"version": 2, "outputs": ["boxes", "scores"]},
        "of version 2 without outputs": {"version": 2},
        "with an entry that nobody knows": {"color": "red"},
    }.items():
        yield {"name": title, "case": case, "set": values, "same": True}


def broken_fields():
    """Each field that matters, changed to another value that could be: all forms, both modes."""
    for form, mode, quantization in itertools.product(FORMS, MODES, ("none", "int8")):
        case = f"{form}/{mode}/{quantization}"
        versioned = quantization == "int8"  # and so tells its outputs
        for field, (values, refused) in broken(form, mode, versioned).items():
            change = {"name": f"{case}: {field}", "case": case, "set": values}
            yield change if refused is None else {**change, "refused": refused}


def broken(form, mode, versioned):
    """Fields, each with changed values and what the refusal tells: None where there is none."""
    tree, nms = form.endswith("tree"), form.startswith("nms")
    names = TREE_CLASSES if tree else FLAT
    fields = {
        "resize": ({"resize": MODES[mode == "stretch"]}, None),
        "class_names, renamed": ({"class_names": ["lion", *names[1:]]}, None),
        "class_names, one fewer": ({"class_names": names[:-1]}, "class_names"),
        "input_size": ({"input_size": 160}, "input_size"),
        "nms": (
            {"nms": not nms},
            "outputs" if versioned else "boxes" if nms else "location",
        ),
        "max_detections": ({"max_detections": 2}, "max_detections" if nms else None),
    }
    if nms:
        return fields
    given = None if tree else {"names": FLAT, "parent": [-1, 0, 0]}
    return fields | {
        "iou_threshold": ({"iou_threshold": 0.95}, None),
        "per_class": ({"per_class": False}, None),
        "tree": (
            {"tree": given},
            "outputs" if versioned else "scores" if tree else "labels",
        ),
    }
