"""Makes the files of version 0.1 that `test_old_files.py` opens with the code of today.

It must run with the code of commit 5fb6dd8, in its own environment (`make setup` there):

    PYTHONPATH=CLONE_OF_5fb6dd8 CLONE_OF_5fb6dd8/.venv/bin/python make_old_files.py old_files

All networks are as narrow as can be (eight filters). Most have random weights under which pictures
differ and much is found; those of the runs were trained on digits by the command line. What the
old code finds in two pictures, and at which thresholds, goes to `expected.json`. The thresholds
lie in gaps between scores, so that rounding on another processor does not change what is found.
It takes some ten minutes.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

COMMIT = "5fb6dd8"
CLASSES = ("cat", "dog", "bird")
NODES = ("animal", "thing", "dog", "cat", "hound", "poodle", "cup", "box")
PARENTS = (-1, -1, 0, 0, 2, 2, 1, 1)
ANCHORS = ((0.4, 0.5), (0.7, 1.0), (1.1, 0.8), (1.3, 1.6), (1.8, 1.2))
DIGIT_TREE = "".join(["small -1\nlarge -1\n", *(f"{digit} {digit // 5}\n" for digit in range(10))])
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

DARKNET_CFG = """[net]
batch=1
subdivisions=1
width=64
height=64
channels=3
momentum=0.9
decay=0.0005
learning_rate=0.001

[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=relu

[maxpool]
size=3
stride=2

[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=8
size=1
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=8
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=1

[route]
layers=-4

[convolutional]
batch_normalize=1
filters=8
size=1
stride=1
pad=1
activation=leaky

[reorg]
stride=2

[route]
layers=-1,-4

[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky

[convolutional]
size=1
stride=1
pad=1
filters=40
activation=linear

[region]
anchors=0.4,0.5, 0.7,1.0, 1.1,0.8, 1.3,1.6, 1.8,1.2
bias_match=1
classes=3
coords=4
num=5
softmax=1
jitter=.3
rescore=1
object_scale=5
noobject_scale=1
class_scale=1
coord_scale=1
absolute=1
thresh=.6
random=1
"""


def main():
    """Makes everything anew, each part in a process of its own: TFLite's converter leaks."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        return PARTS[sys.argv[2]](folder)
    if folder.exists():
        raise SystemExit(f"{folder} exists: remove it first")
    folder.mkdir(parents=True)
    for part in PARTS:
        print(f"=== {part}", flush=True)
        subprocess.run([sys.executable, __file__, str(folder), part], check=True)
    return None


def yolov2(*arguments):
    """Runs the command line of the old code."""
    arguments = list(map(str, arguments))
    print("   ", "yolov2", *arguments, flush=True)
    start = "from yolov2_tf.cli import main; main()"
    subprocess.run([sys.executable, "-c", start, *arguments], check=True)


# === Pictures and networks ===


def make_pictures(folder):
    """Two digit scenes, one wide and one high."""
    import io

    from PIL import Image

    from yolov2_tf.data.digits import open_digits

    scenes = open_digits("test", size=112, count=2, seed=5).records
    for name, record, box in zip(
        PICTURES, scenes, [(6, 16, 106, 96), (16, 6, 96, 106)], strict=True
    ):
        Image.open(io.BytesIO(record.image())).crop(box).save(folder / name, optimize=True)


def make_networks(folder):
    """The networks with random weights."""
    import keras

    from yolov2_tf import TinyYOLOv2, WordTree, YOLOv2
    from yolov2_tf.detection import detector

    (folder / "keras").mkdir()
    tree = WordTree(NODES, PARENTS)
    common = {"input_size": 64, "width": 0.01, "anchors": ANCHORS}
    networks = {
        "passthrough": lambda: YOLOv2(CLASSES, **common),
        "stretch": lambda: TinyYOLOv2(CLASSES, **common),
        "letterbox": lambda: TinyYOLOv2(CLASSES, resize="letterbox", **common),
        "tree_stretch": lambda: TinyYOLOv2(NODES, tree=tree, **common),
        "tree_letterbox": lambda: TinyYOLOv2(NODES, tree=tree, resize="letterbox", **common),
        "tree_passthrough": lambda: YOLOv2(NODES, tree=tree, **common),
        "bfloat16": lambda: TinyYOLOv2(CLASSES, **common),
    }
    for name, build in networks.items():
        precision = "mixed_bfloat16" if name == "bfloat16" else "float32"
        keras.mixed_precision.set_global_policy(precision)
        for seed in itertools.count():
            keras.utils.set_random_seed(seed)
            model = restless(build(), seed)
            threshold = threshold_of(folder, model, **ROOM.get(name, {}))
            if threshold is not None:
                break
        found = find(folder, model, threshold)
        print(
            f"    {name}: seed {seed}, {model.count_params():,} parameters, above {threshold}: "
            + ", ".join(" ".join(f"{s:.3f}" for s in one["scores"]) for one in found.values()),
            flush=True,
        )
        model.save(folder / "keras" / f"{name}.keras")
        if name in ("letterbox", "tree_stretch"):  # with decoding and suppression inside
            whole = detector(model, threshold, IOU, DETECTIONS, TREE)
            whole.save(folder / "keras" / f"{name}_detector.keras")


def restless(model, seed):
    """Random weights under which pictures differ and boxes have many labels."""
    import keras

    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape
            around_one = rng.uniform(0.7, 1.3, size), rng.uniform(0.7, 1.3, size)
            around_zero = rng.normal(0, 0.2, size), rng.normal(0, 0.1, size)
            layer.set_weights([around_one[0], *around_zero, around_one[1]])
    kernel, bias = model.head.get_weights()
    scale = 2 / kernel.shape[2] ** 0.5
    model.head.set_weights([rng.normal(0, scale, kernel.shape), rng.normal(0, 1, bias.shape)])
    return model


def make_darknet(folder):
    """A network in Darknet's files, imported, and exported again."""
    from yolov2_tf import load_model
    from yolov2_tf.darknet.cfg import parse_cfg, write_cfg
    from yolov2_tf.darknet.network import parse_network
    from yolov2_tf.darknet.weights import ConvWeights, Header, write_weights

    def random_weights(layer, rng):
        def normal(deviation, *shape):
            return rng.normal(0, deviation, shape).astype(np.float32)

        def uniform(low, high):
            return rng.uniform(low, high, layer.filters).astype(np.float32)

        _, channels, size, _ = layer.kernel_shape
        kernel = normal(np.sqrt(2 / (channels * size**2)), *layer.kernel_shape)
        if not layer.batch_normalize:
            return ConvWeights(normal(1, layer.filters), None, None, None, kernel)
        biases, means = normal(0.2, layer.filters), normal(0.1, layer.filters)
        return ConvWeights(biases, uniform(0.7, 1.3), means, uniform(0.3, 0.7), kernel)

    out = folder / "keras/darknet.keras"
    with tempfile.TemporaryDirectory() as place:
        cfg, weights, names = (Path(place) / f"old.{kind}" for kind in ("cfg", "weights", "names"))
        network = parse_network(parse_cfg(DARKNET_CFG))
        cfg.write_text(write_cfg(network.sections))
        names.write_text("".join(f"{name}\n" for name in CLASSES))
        for seed in itertools.count():
            rng = np.random.default_rng(seed)
            arrays = (random_weights(layer, rng) for layer in network.convolutions)
            write_weights(weights, network, arrays, Header(0, 1, 0, 32013312))
            yolov2("import-darknet", cfg, weights, out, "--names", names)
            if threshold_of(folder, load_model(out)) is not None:
                break
    yolov2("export", out, "--format", "darknet", "--out", folder / "exported/darknet")


# === Runs ===


def make_detector_runs(folder):
    """A detector by the paper's recipe, and one of joint training on a tree."""
    tree = folder / "runs/digits.tree"
    tree.parent.mkdir()
    tree.write_text(DIGIT_TREE)
    small = ("--model", "tiny", "--no-flip", "--anchors", 3, "--batch-size", 16)
    _run(
        folder / "runs/detector",
        *("train", "digits", "--split", "train", "--val-split", "val", *small, "--epochs", 30),
        *("--width", 0.02, "--size", 96, "--learning-rate", 0.003, "--jitter", 0.1),
    )
    _run(
        folder / "runs/joint",
        *("train", "digits", "--split", "train", "--classification", "digits", *small),
        *("--classification-split", "train", "--tree", tree, "--balance", "--spare"),
        *("--mosaic", 0.5, "--optimizer", "adam", "--schedule", "cosine", "--epochs", 4),
        *("--width", 0.01, "--size", 96, "--resize", "letterbox", "--learning-rate", 0.003),
    )


def make_classifier_runs(folder):
    """Two classifiers."""
    small = ("--no-flip", "--width", 0.01, "--size", 64, "--batch-size", 32, "--epochs", 3)
    data = ("classify", "train", "digits", "--split", "train")
    _run(folder / "runs/classifier", *data, "--val-split", "val", *small)
    tree = folder / "runs/digits.tree"
    _run(folder / "runs/classifier_tree", *data, "--tree", tree, "--resize", "letterbox", *small)


def _run(out, *arguments):
    """Trains, and keeps what a resume needs."""
    yolov2(*arguments, "--out", out)
    for entry in out.iterdir():
        if entry.name not in ("last.keras", "config.json", "history.csv"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


# === Exported files ===


def make_tflite(folder):
    """`.tflite` files of every combination, and of every quantisation."""
    for model in ("stretch", "letterbox", "tree_stretch", "tree_letterbox"):
        _export(folder, model, f"{model}.tflite")
        _export(folder, model, f"{model}_raw.tflite", "--no-nms")
    _export(
        *(folder, "letterbox", "letterbox_fp16.tflite", "--quantize", "fp16"),
        *("--iou", 0.6, "--max-detections", 20, "--author", "Nobody"),
    )
    _export(folder, "letterbox", "letterbox_dynamic.tflite", "--quantize", "dynamic")
    int8 = ("--quantize", "int8", "--calibrate", "digits", "--split", "train")
    _export(folder, "letterbox", "letterbox_int8.tflite", *int8)


def make_others(folder):
    """SavedModels, ONNX and OpenVINO."""
    _export(folder, "letterbox", "saved_model", "--format", "saved_model")
    _export(folder, "tree_stretch", "saved_model_tree", "--format", "saved_model")
    _export(folder, "passthrough", "passthrough.onnx", "--format", "onnx")
    _export(folder, "passthrough", "passthrough.xml", "--format", "openvino")


def _export(folder, model, out, *options):
    source = folder / "keras" / f"{model}.keras"
    yolov2("export", source, "--out", folder / "exported" / out, *options)


# === What the old code finds ===


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


def pack(folder):
    """One archive of all but the pictures and `expected.json`: a sixth of the size."""

    def plain(info):
        info.mtime = info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    with tarfile.open(folder / "old_files.tar.xz", "w:xz", preset=9) as archive:
        for name in ("exported", "keras", "runs"):
            archive.add(folder / name, name, filter=plain)
            shutil.rmtree(folder / name)


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


PARTS = {
    "pictures": make_pictures,
    "networks": make_networks,
    "darknet": make_darknet,
    "tflite": make_tflite,
    "others": make_others,
    "detector runs": make_detector_runs,
    "classifier runs": make_classifier_runs,
    "expected": write_expected,
    "pack": pack,
}

if __name__ == "__main__":
    main()
