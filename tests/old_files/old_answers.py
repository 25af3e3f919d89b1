"""What the old code finds in the pictures, and the thresholds at which nothing is in doubt.

`make_old_files.py` imports it, with the code of commit 5fb6dd8 on the path. The thresholds lie in
gaps between scores, so that rounding on another processor does not change what is found.
"""

import itertools
import json

import numpy as np

COMMIT = "5fb6dd8"
PICTURES = ("landscape.png", "portrait.png")
IOU, TREE, DETECTIONS = 0.45, 0.5, 100
JOINT_TREE = 0.05
MARGIN = 0.01
"""By how much the thresholds of overlap and of the tree may move without changing what is found."""

ROOM = {name: {"least_gap": 0.03, "margin": 0.04} for name in ("letterbox", "bfloat16")}
"""More room around the thresholds of the networks that also compute in reduced precision."""

TOLERANCES = {
    "float32": (1e-4, 1e-4, "float32 sums in another order"),
    "fp16": (1e-3, 1e-3, "half-precision weights, which some processors also compute in"),
    "dynamic": (
        0.02,
        0.02,
        "activations are rounded to int8 at run time: one step more or less by processor",
    ),
    "int8": (
        0.03,
        0.03,
        "kernels may round to the other of two neighbouring int8 steps (0.4 % of the range), "
        "layer after layer",
    ),
    "bfloat16": (
        0.03,
        0.03,
        "8 bits of mantissa: processors with and without bfloat16 units round differently",
    ),
}
"""`(boxes, scores, reason)`: how far what is found may be from what the old code found."""


def read_pictures(folder):
    """The pictures by name, `(H, W, 3)` uint8."""
    from PIL import Image

    return {name: np.asarray(Image.open(folder / name).convert("RGB")) for name in PICTURES}


def find(folder, model, score, iou=IOU, tree=TREE):
    """What a Keras model finds in the pictures."""
    from yolov2_tf import detect, detector

    pictures = read_pictures(folder)
    network = detector(model, score, iou, DETECTIONS, tree)
    return dict(zip(pictures, detect(network, pictures.values()), strict=True))


def threshold_of(folder, model, tree=TREE, least_gap=0.002, margin=MARGIN):
    """A score threshold in a gap, with 12 to 40 detections above it; None if there is no good one.

    Nothing else may be close to changing what is found: overlaps, Pr(node | object) in a tree,
    and in reduced precision any rounding.
    """
    found = find(folder, model, 0.0, tree=tree)
    scores = -np.sort(-np.concatenate([one["scores"] for one in found.values()]))[:41]
    first = 12
    gaps = scores[first - 1 : -1] - scores[first:]
    if not len(gaps):
        return None
    best = first + int(gaps.argmax())
    threshold = round(float(scores[best - 1] + scores[best]) / 2, 4)
    if gaps.max() < least_gap or threshold < 0.01:
        return None
    chosen = find(folder, model, threshold, tree=tree)
    pictures = list(chosen.values())
    if any(not 3 <= len(one["labels"]) < DETECTIONS for one in pictures):
        return None
    if len(set(np.concatenate([one["labels"] for one in pictures]))) < 3:
        return None
    moves = itertools.product((-margin, margin), repeat=2)
    others = [(threshold, IOU + move, tree + turn) for move, turn in moves]
    if not all(same(chosen, find(folder, model, *settings)) for settings in others):
        return None
    if any(layer.compute_dtype != "float32" for layer in model.layers):
        from yolov2_tf.export.network import in_float32

        if not same(chosen, find(folder, in_float32(model), threshold), 0.02):
            return None
    return threshold


def gap_of(opened, pictures):
    """The middle of the widest gap between the scores of an exported file, see `threshold_of`."""
    scores = -np.sort(-np.concatenate([opened.detect(one)["scores"] for one in pictures]))[:41]
    best = 12 + int((scores[11:-1] - scores[12:]).argmax())
    gap = float(scores[best - 1] - scores[best])
    if gap < 0.015:
        raise SystemExit(f"the widest gap between scores is {gap}")
    return round(float(scores[best - 1] + scores[best]) / 2, 4)


def same(found, others, tolerance=1e-6):
    """Whether the same was found in all pictures."""
    for name, one in found.items():
        other = others[name]
        if len(one["labels"]) != len(other["labels"]):
            return False
        close = (
            (one["labels"][:, None] == other["labels"])
            & (np.abs(one["scores"][:, None] - other["scores"]) <= tolerance)
            & (np.abs(one["boxes"][:, None] - other["boxes"]).max(axis=2) <= tolerance)
        )
        if not (close.any(axis=0).all() and close.any(axis=1).all()):
            return False
    return True


def write_expected(folder):
    """Opens every file as a user of the old code did and writes down what it finds."""
    files = {}
    for path in sorted((folder / "keras").glob("*.keras")) + sorted(
        (folder / "runs").glob("*/last.keras")
    ):
        name = path.relative_to(folder).as_posix()
        maker = _classifier if "classifier" in name else _keras
        files[name] = maker(folder, path)
        print(f"    {name}", flush=True)
    for path in sorted((folder / "exported").iterdir()):
        if path.suffix == ".bin":  # the weights of an OpenVINO file
            continue
        name = path.relative_to(folder).as_posix()
        maker = _darknet if path.name == "darknet" else _exported
        files[name] = maker(folder, path, files)
        print(f"    {name}", flush=True)
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in files.items()]
    text = ",\n".join(lines)
    (folder / "expected.json").write_text(
        f'{{"commit": "{COMMIT}",\n"pictures": {json.dumps(PICTURES)},\n"files": {{\n{text}\n}}}}\n'
    )


def _entry(found, class_names, tree, thresholds, precision="float32"):
    boxes, scores, reason = TOLERANCES[precision]
    return {
        "kind": "detector",
        "class_names": list(class_names),
        "tree": None if tree is None else tree.to_config(),
        "thresholds": thresholds,
        "tolerance": {"boxes": boxes, "scores": scores, "reason": reason},
        "detections": {
            name: {key: exact(one[key]) for key in ("boxes", "labels", "scores")}
            for name, one in found.items()
        },
    }


def exact(values):
    """Numbers as JSON; nine digits hold a float32."""
    values = np.asarray(values)
    if values.dtype.kind in "iu":
        return values.tolist()
    if values.ndim:
        return [exact(value) for value in values]
    return float(f"{values:.9g}")


def _keras(folder, path):
    from yolov2_tf import detect, load_model
    from yolov2_tf.detection_model import find_head

    model = load_model(path)
    head = find_head(model)
    precision = "bfloat16" if path.stem == "bfloat16" else "float32"
    if path.stem.endswith("_detector"):
        layer = model.get_layer("non_max_suppression")
        thresholds = {"score": layer.score_threshold, "iou": IOU, "detections": DETECTIONS}
        pictures = read_pictures(folder)
        found = dict(zip(pictures, detect(model, pictures.values()), strict=True))
        return {**_entry(found, head.class_names, head.tree, thresholds), "whole": True}
    # The few epochs of the joint training did not get beyond the tree's first level.
    tree = JOINT_TREE if "joint" in path.parts else TREE
    room = {"least_gap": 0.001} if "runs" in path.parts else ROOM.get(path.stem, {})
    score = threshold_of(folder, model, tree, **room)
    if score is None:
        raise SystemExit(f"{path}: no threshold that is not close to a score")
    thresholds = {"score": score, "iou": IOU, "detections": DETECTIONS}
    if head.tree is not None:
        thresholds["tree"] = tree
    found = find(folder, model, score, tree=tree)
    entry = _entry(found, head.class_names, head.tree, thresholds, precision)
    if getattr(model, "optimizer", None) is not None:  # else it was never compiled
        entry["training"] = _training(model, _truths(folder, model, head))
    return entry


def _truths(folder, model, head):
    """A batch of the pictures, and boxes that serve as ground truth."""
    from yolov2_tf.detection import prepare

    images, _ = prepare(list(read_pictures(folder).values()), head.input_size, head.resize)
    boxes = np.float32([[[0.1, 0.2, 0.5, 0.6], [0.5, 0.4, 0.9, 0.9]]] * 2)
    return images, {"boxes": boxes, "labels": np.int32([[2, 5], [7, -1]])}


def _training(model, batch):
    """What a resumed training needs of a file."""
    images, truths = batch
    optimizer = model.optimizer
    state = [v for v in optimizer.variables if v is not optimizer.iterations]
    return {
        "optimizer": type(optimizer).__name__,
        "clipnorm": optimizer.global_clipnorm,
        "iterations": int(optimizer.iterations),
        "learning_rate": float(optimizer.learning_rate),
        "state": sum(float(np.abs(np.float64(v)).sum()) for v in state),
        "loss_name": type(model.loss).__name__,
        "loss": float(model.loss(truths, model(images, training=False))),
    }


def _classifier(folder, path):
    from yolov2_tf.classification import classifier, classify, load_classifier
    from yolov2_tf.classification_model import find_classification_head
    from yolov2_tf.detection import prepare

    model = load_classifier(path)
    head = find_classification_head(model)
    pictures = read_pictures(folder)
    found = classify(classifier(model), list(pictures.values()))
    for one in found:
        gaps = -np.diff(one["scores"])
        if gaps.min() < 1e-4 or abs(one["probability"] - 0.5) < 1e-3:
            raise SystemExit(f"{path}: two classes are as probable: {one}")
    images, _ = prepare(list(pictures.values()), head.input_size, head.resize)
    return {
        "kind": "classifier",
        "class_names": list(head.class_names),
        "tree": None if head.tree is None else head.tree.to_config(),
        "thresholds": {"top": 5, "node": 0.5},
        "tolerance": {"scores": 1e-4, "reason": TOLERANCES["float32"][2]},
        "training": _training(model, (images, np.int32([3, 7]))),
        "classes": {
            name: {key: exact(value) for key, value in one.items()}
            for name, one in zip(pictures, found, strict=True)
        },
    }


def _exported(folder, path, files):
    from yolov2_tf.export.detectors import open_exported
    from yolov2_tf.wordtree import as_tree

    precision = path.stem.rpartition("_")[2]
    precision = precision if precision in TOLERANCES else "float32"
    source = path.stem.removesuffix("_raw").removesuffix(f"_{precision}")
    source = {"saved_model": "letterbox", "saved_model_tree": "tree_stretch"}.get(source, source)
    original = files[f"keras/{source}.keras"]
    score = original["thresholds"]["score"]
    if precision != "float32":  # what is quantised has scores of its own
        score = gap_of(open_exported(path, 0.005), read_pictures(folder).values())
    opened = open_exported(path, score)
    found = {name: opened.detect(picture) for name, picture in read_pictures(folder).items()}
    tree = as_tree(opened.layout.get("tree"))
    entry = _entry(found, opened.class_names, tree, {"score": score}, precision)
    if precision == "float32":
        wanted = {
            name: {key: np.array(value) for key, value in one.items()}
            for name, one in original["detections"].items()
        }
        if not same(found, wanted, 1e-4):
            raise SystemExit(f"{path}: finds something else than {source}.keras")
    return entry


def _darknet(folder, path, files):
    from yolov2_tf.darknet.convert import import_darknet

    cfg, weights, names = (next(path.glob(f"*.{kind}")) for kind in ("cfg", "weights", "names"))
    model = import_darknet(cfg, weights, class_names=names.read_text().split())
    thresholds = files["keras/darknet.keras"]["thresholds"]
    found = find(folder, model, thresholds["score"])
    return _entry(found, model.head.class_names, None, thresholds)
