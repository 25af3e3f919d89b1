"""Makes the files of version 0.1 that `test_old_files.py` opens with the code of today.

It must run with the code of commit 5fb6dd8, in its own environment (`make setup` there):

    PYTHONPATH=CLONE_OF_5fb6dd8 CLONE_OF_5fb6dd8/.venv/bin/python make_old_files.py old_files

All networks are as narrow as can be (eight filters). Most have random weights under which pictures
differ and much is found; those of the runs were trained on digits by the command line. What the
old code finds in two pictures, and at which thresholds, goes to `expected.json`, see
`old_answers.py`. It takes some ten minutes.
"""

import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from old_answers import DETECTIONS, IOU, PICTURES, ROOM, TREE, find, threshold_of, write_expected

CLASSES = ("cat", "dog", "bird")
NODES = ("animal", "thing", "dog", "cat", "hound", "poodle", "cup", "box")
PARENTS = (-1, -1, 0, 0, 2, 2, 1, 1)
ANCHORS = ((0.4, 0.5), (0.7, 1.0), (1.1, 0.8), (1.3, 1.6), (1.8, 1.2))
DARKNET_CFG = Path(__file__).with_name("darknet.cfg")
DIGIT_TREE = "".join(["small -1\nlarge -1\n", *(f"{digit} {digit // 5}\n" for digit in range(10))])


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
        network = parse_network(parse_cfg(DARKNET_CFG.read_text()))
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
