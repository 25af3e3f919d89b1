"""The claim of YOLO9000 on embedded data: finding digits for which there never was a box.

    python benchmarks/joint_training.py --out runs/joint

Scenes show the digits 0, 2, 4, 6 and 8, with boxes. Pictures of one digit each show all ten, with
a label. The others never occur in a training scene, not even without a box. One trunk, trained to
classify the pictures, starts two detectors: one sees the scenes alone, the other as many scenes
and the pictures. Both are scored on scenes of all ten digits in a handwriting that none has seen.

Writes `joint_training.json`, `joint_training.png`, and the runs. `--epochs 1 --trunk-steps 20
--scenes 64` shows in a minute that everything works.
"""

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from rich.console import Console

from yolov2_tf.data.digits.scenes import CLASS_NAMES, digit_pictures, open_digits
from yolov2_tf.data.images import load_image
from yolov2_tf.data.label_pipeline import classification_batches
from yolov2_tf.data.labelled_images import ClassificationDataset, LabelledImage
from yolov2_tf.data.labels import map_onto_tree
from yolov2_tf.data.nodes import map_boxes_onto_tree
from yolov2_tf.detection.predict import detect, detector
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.yolov2 import TinyYOLOv2
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.trees.wordtree import WordTree

WITH_BOXES = (0, 2, 4, 6, 8)
TREE = WordTree(["digit", *CLASS_NAMES], [-1] + [0] * 10)
TRUNK_SIZE = 64
PICTURE_SIZE, PICTURE_HEIGHTS = 96, (0.35, 0.7)
"""Four at once, digits are .18 to .35 of the view high, alone .35 to .7; in scenes .2 to .5."""


def labelled_pictures(count):
    """Pictures of one digit, whose classes are the nodes of `TREE`."""
    pictures = digit_pictures("train", size=PICTURE_SIZE, count=count, heights=PICTURE_HEIGHTS)
    records = [LabelledImage(p.image, p.label, f"{i}") for i, p in enumerate(pictures)]
    return map_onto_tree(ClassificationDataset("digit pictures", CLASS_NAMES, records), TREE)


def scenes(split, size, count, classes=None):
    return map_boxes_onto_tree(open_digits(split, size=size, count=count, classes=classes), TREE)


def train_trunk(pictures, width, steps, path, seed):
    """Trains the convolutions of the detector to classify, and writes them; gives the accuracy."""
    keras.utils.set_random_seed(seed)
    network = TinyYOLOv2(TREE.names, width=width)
    features = keras.layers.GlobalAveragePooling2D()(network.head.input)
    classifier = keras.Model(
        network.input, keras.layers.Dense(len(TREE), name="of_digits")(features)
    )
    classifier.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps), clipnorm=10.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    # No larger than in the scenes, where a cell sees a part of a large digit.
    batches = classification_batches(
        pictures, batch_size=32, sizes=((0, TRUNK_SIZE),), zoom=(0.6, 1.2), flip=False, seed=seed
    )
    history = classifier.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False).history
    classifier.save(path)
    return history["accuracy"][-1]


def score(model, test):
    """AP at IoU .5 of each digit."""
    found = detect(
        detector(model, EVALUATION.score, max_detections=EVALUATION.detections),
        (load_image(record.image) for record in test.records),
    )
    ap = evaluate(test, list(found), tree=TREE).ap
    return {name: ap[name] for name in CLASS_NAMES}


def summary(ap):
    """The mean AP of the digits with and without boxes, and each AP."""
    boxes = [ap[str(digit)] for digit in WITH_BOXES]
    labels = [value for name, value in ap.items() if int(name) not in WITH_BOXES]
    return {"with_boxes": np.mean(boxes), "without_boxes": np.mean(labels), "ap": ap}


def draw(results, png):
    """Bars: AP of each digit, after training on scenes alone and after joint training."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    without = [name for name in CLASS_NAMES if int(name) not in WITH_BOXES]
    names = [*map(str, WITH_BOXES), *without]
    places = np.arange(10) + 0.6 * (np.arange(10) >= len(WITH_BOXES))
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    bars = ("detection only", "#9ca3af", -0.2), ("joint", "#2563eb", 0.2)
    for name, colour, shift in bars:
        result = results[name]
        label = (
            f"{name}: mAP {result['with_boxes']:.2f} with boxes, "
            f"{result['without_boxes']:.2f} without"
        )
        heights = [result["ap"][digit] for digit in names]
        axes.bar(places + shift, heights, 0.4, color=colour, label=label)
    axes.set_xticks(places, names)
    axes.set(
        ylim=(0, 1.18),
        ylabel="AP at IoU .5",
        xlabel="boxes to learn from" + 42 * " " + "labels only",
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    figure.savefig(png, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/joint"))
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--scenes", type=int, default=4000)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=6, help="passes over the scenes")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--jitter", type=float, default=0.16)
    parser.add_argument("--trunk-steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ratio", default="1:4", help="scenes : labelled pictures")
    options = parser.parse_args()
    console = Console()
    options.out.mkdir(parents=True, exist_ok=True)

    pictures = labelled_pictures(options.pictures)
    boxes = scenes("train", options.size, options.scenes, WITH_BOXES)
    test = scenes("test", options.size, 200)
    trunk = options.out / "trunk.keras"
    recipe = DetectionRecipe(
        model="tiny",
        width=options.width,
        size=options.size,
        anchors=3,
        epochs=options.epochs,
        batch_size=options.batch_size,
        optimizer="adam",
        learning_rate=4e-3,
        schedule="cosine",
        jitter=options.jitter,
        flip=False,
        weights=trunk,
        seed=options.seed,
    )
    start, cpu = time.perf_counter(), time.process_time()
    accuracy = train_trunk(pictures, options.width, options.trunk_steps, trunk, options.seed)
    console.print(f"trunk: accuracy {accuracy:.3f}, {time.perf_counter() - start:.0f} s")
    results = {"trunk accuracy": accuracy}
    joint = dataclasses.replace(
        recipe,
        ratio=tuple(map(int, options.ratio.split(":"))),
        mosaic=0.8,
        image_rule="object",
        balance=True,
        spare=True,
    )
    for name, how, mixed_in in (("detection only", recipe, None), ("joint", joint, pictures)):
        folder = options.out / name.replace(" ", "_")
        task = DetectionTask(boxes, tree=TREE, classification=mixed_in)
        train(task, how, folder, overwrite=True, console=console)
        results[name] = summary(score(load_model(folder / "last.keras"), test))
        console.print(
            f"{name}: mAP {results[name]['with_boxes']:.3f} of the digits with boxes, "
            f"{results[name]['without_boxes']:.3f} of the others"
        )
    results["seconds"] = time.perf_counter() - start
    results["cpu_seconds"] = time.process_time() - cpu
    (options.out / "joint_training.json").write_text(json.dumps(results, indent=2) + "\n")
    draw(results, options.out / "joint_training.png")
    console.print(f"{results['seconds']:.0f} s; {options.out / 'joint_training.png'}")


if __name__ == "__main__":
    main()
