"""What a pretrained trunk is worth to a detector, with and without the high-resolution stage.

    python benchmarks/trunk_transfer.py [--out runs/trunk_transfer]

Trains Darknet-19 to tell digits apart, goes on at twice the size (the high-resolution stage), and
gives both trunks to detectors that train for the same small number of steps as one from scratch.
Prints top-1 of the classifiers at both sizes and mAP of the detectors on scenes by other hands, and
writes them to `results.json`. About 10 minutes on 2 cores that do nothing else.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from rich.console import Console
from rich.table import Table

from yolov2_tf.classification.accuracy import evaluate_classifier
from yolov2_tf.classification.classifier import classifier, load_classifier
from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.images import load_image
from yolov2_tf.data.labels import open_classification
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.detectors import open_model
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe

TRUNKS = ("low resolution", "high resolution")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/trunk_transfer"))
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--size", type=int, default=64, help="of the classifier; then twice this")
    parser.add_argument("--epochs", type=int, default=20, help="of the classifier")
    parser.add_argument("--fine-epochs", type=int, default=3, help="at twice the size")
    parser.add_argument("--detector-size", type=int, default=160)
    parser.add_argument("--detector-epochs", type=int, default=6, help="of 62 steps each")
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=1, help="how many times detectors train")
    options = parser.parse_args()
    console = Console()
    start = time.perf_counter()

    trunks = train_trunks(options, console)
    results = {"top1": top1(options, trunks), "map": {}}
    for name, weights in (("scratch", None), *trunks.items()):
        results["map"][name] = [
            detector_map(options, name, weights, seed, console) for seed in range(options.seeds)
        ]
    results["minutes"] = round((time.perf_counter() - start) / 60, 1)
    (options.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    show(options, results, console)


def train_trunks(options, console):
    """Files of the classifiers before and after the high-resolution stage."""
    pictures, _ = check_images(open_classification("digits", "train"))
    common = {"width": options.width, "batch_size": 32, "zoom": (0.6, 1.0), "flip": False}
    stages = (
        {"size": options.size, "epochs": options.epochs, "learning_rate": 3e-3},
        {"size": 2 * options.size, "epochs": options.fine_epochs, "learning_rate": 3e-4},
    )
    files = {}
    weights = None
    for name, stage in zip(TRUNKS, stages, strict=True):
        console.print(f"[bold]classifier, {name}: {stage}[/bold]")
        folder = options.out / name.replace(" ", "_")
        recipe = ClassificationRecipe(**common, **stage, optimizer="adam", weights=weights)
        train(ClassificationTask(pictures), recipe, folder, overwrite=True, console=console)
        weights = files[name] = folder / "last.keras"
    return files


def top1(options, trunks):
    """Top-1 of each classifier at each size, on digits by other hands."""
    pictures, _ = check_images(open_classification("digits", "test"))
    scores = {}
    for name, path in trunks.items():
        ranking = classifier(load_classifier(path))
        scores[name] = {
            size: evaluate_classifier(ranking, pictures, size=size).top1
            for size in (options.size, 2 * options.size)
        }
    return scores


def detector_map(options, name, weights, seed, console):
    """VOC07 mAP of a detector after the fixed number of steps."""
    console.print(f"[bold]detector from {name}, seed {seed}[/bold]")
    scenes, _ = check_images(open_digits("train", count=options.scenes))
    unseen, _ = check_images(open_digits("test"))
    recipe = DetectionRecipe(
        model="yolov2",
        width=options.width,
        size=options.detector_size,
        epochs=options.detector_epochs,
        batch_size=16,
        optimizer="adam",
        schedule="cosine",
        flip=False,
        weights=weights,
        seed=seed,
    )
    folder = options.out / f"detector_{name.replace(' ', '_')}_{seed}"
    train(DetectionTask(scenes), recipe, folder, overwrite=True, console=console)
    pictures = (load_image(record.image) for record in unseen.records)
    found = open_model(folder / "last.keras", EVALUATION).detect(pictures)
    return evaluate(unseen, list(found)).map


def show(options, results, console):
    sizes = (options.size, 2 * options.size)
    table = Table("trunk", *(f"top-1 at {size} px" for size in sizes), "mAP of the detector")
    for name, maps in results["map"].items():
        scores = results["top1"].get(name)
        accuracies = [f"{scores[size]:.3f}" if scores else "" for size in sizes]
        table.add_row(name, *accuracies, "  ".join(f"{value:.3f}" for value in maps))
    console.print(table)
    steps = options.detector_epochs * round(options.scenes / 16)
    console.print(f"detectors: {steps} steps; all in {results['minutes']} minutes")


if __name__ == "__main__":
    main()
