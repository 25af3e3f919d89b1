"""The paper's table 2: what each of YOLOv2's ideas is worth, measured.

    python benchmarks/table2.py --digits --out runs/table2
    python benchmarks/table2.py --data sets/voc --low trunk64.keras --high trunk128.keras \
        --size 256 --multi-scale 192-320 --epochs 14 --out runs/table2_voc

Each row is the whole detector but for one thing, trained as often as there are seeds. Prints the
paper's table and the measured one, with the spread over seeds, and writes `table2.json` after each
training (begun again it goes on from there) and `table2.png`. `--processes 8` trains eight at a
time, where there are 16 cores. `--digits --seeds 1 --epochs 1 --scenes 48 --trunk-epochs 1` shows
that everything works.

The rows, and what only they need, are in `table2_rows.py`.
"""

import argparse
import concurrent.futures
import dataclasses
import itertools
import json
import multiprocessing
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table
from table2_rows import ROWS

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.data.image_check import check_images
from yolov2_tf.data.labels import open_classification
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.thresholds import EVALUATION
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.files import replacing
from yolov2_tf.models.loading import load_model
from yolov2_tf.training.classification import ClassificationTask
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import ClassificationRecipe, DetectionRecipe

IDEAS = (
    *("batch norm", "hi-res classifier", "convolutional", "anchor boxes", "new network"),
    *("dimension priors", "location prediction", "passthrough", "multi-scale", "hi-res detector"),
)
PAPER = (63.4, 65.8, 69.5, 69.2, 69.6, 74.4, 75.4, 76.8, 78.6)
"""mAP on VOC 2007 test of the columns of table 2."""
ADDED = (0, 1, 2, 4, 5, 7, 8, 9, 10)
"""How many of `IDEAS` each column has; anchor boxes (69.2) are gone again from the sixth on."""


# === Data and trunks ===


def digits(options, console):
    """Scenes that train and score, and the trunks by resolution."""
    scenes, unseen = open_digits("train", count=options.scenes), open_digits("test")
    pictures = open_classification("digits", "train")
    common = {"width": options.width, "batch_size": 32, "zoom": (0.6, 1.0), "flip": False}
    stages = {
        "low": {"size": 64, "epochs": options.trunk_epochs, "learning_rate": 3e-3},
        "high": {
            "size": 128,
            "epochs": max(1, options.trunk_epochs // 6),
            "learning_rate": 3e-4,
        },
    }
    trunks, weights = {}, None
    for name, stage in stages.items():
        folder = options.out / f"trunk_{name}"
        weights = folder / "last.keras"
        if not (folder / "done").exists():
            start = trunks.get("low")
            recipe = ClassificationRecipe(**common, **stage, optimizer="adam", weights=start)
            train(ClassificationTask(pictures), recipe, folder, overwrite=True, console=console)
            (folder / "done").touch()
        trunks[name] = weights
    return scenes, unseen, trunks


def real(options):
    trains, _ = check_images(open_dataset(options.data, split=options.split))
    scores, _ = check_images(open_dataset(options.data, split=options.val_split))
    trunks = {name: getattr(options, name) for name in ("low", "high")}
    return trains, scores, trunks


# === Measuring ===


def measure(row, seed, rate, recipe, data, folder, console):
    """Trains one detector and scores it at its size and at the largest it saw, mAP as fractions."""
    trains, scores, trunks = data
    weights = trunks[row.trunk] if row.trunk else None
    learning_rate = recipe.learning_rate * rate
    mine = dataclasses.replace(
        recipe, **row.change, weights=weights, seed=seed, learning_rate=learning_rate
    )
    sizes = (recipe.size, recipe.multi_scale[1])
    with row.around():
        train(DetectionTask(trains), mine, folder, overwrite=True, console=console)
        network = load_model(folder / "last.keras")
        return [_score(network, scores, size) for size in sizes]


def _score(network, dataset, size):
    detector = KerasDetector(network, EVALUATION, size=size)
    found = list(detector.detect([record.image for record in dataset.records]))
    return evaluate(dataset, found).map


def train_one(options, number, seed, rates, threads):
    """Row `number` with one seed, at the best of the rates: what `table2.json` has of it."""
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    row, console = ROWS[number], Console(quiet=threads is not None)
    recipe, data = recipe_of(options), data_of(options, console)
    folder = options.out / f"{number}_{seed}"
    console.rule(f"{row.name}, seed {seed}")
    start, tried = time.perf_counter(), {}
    for rate in rates:
        tried[rate] = measure(row, seed, rate, recipe, data, folder, console)
    best = max(tried, key=lambda rate: tried[rate][0])
    return {
        "map": tried[best][0],
        "map_large": tried[best][1],
        "rate": best,
        "tried": {str(rate): maps[0] for rate, maps in tried.items()},
        "minutes": round((time.perf_counter() - start) / 60, 2),
    }


def run(options, file, pool):
    """Measures what `table2.json` does not have yet; `{row: {seed: {...}}}`.

    Where several rates are tried, later seeds wait for the best one of the first.
    """
    results = json.loads(file.read_text()) if file.exists() else {}
    threads = None if pool is None else max(1, os.cpu_count() // options.processes)
    for waits in (False, True):
        jobs = {}
        for seed, (number, row) in itertools.product(range(options.seeds), enumerate(ROWS)):
            known = results.setdefault(row.name, {})
            if str(seed) not in known and waits == (seed > 0 and len(row.rates) > 1):
                rates = (known["0"]["rate"],) if waits else row.rates
                jobs[row.name, str(seed)] = (options, number, seed, rates, threads)
        for (name, seed), result in done(pool, jobs):
            results[name][seed] = result
            with replacing(file) as temporary:
                temporary.write_text(json.dumps(results, indent=2) + "\n")
    return results


def done(pool, jobs):
    """Pairs of a job's name and its result, as they come; without a pool one after another."""
    if pool is None:
        return ((name, train_one(*job)) for name, job in jobs.items())
    running = {pool.submit(train_one, *job): name for name, job in jobs.items()}
    finished = concurrent.futures.as_completed(running)
    return ((running[future], future.result()) for future in finished)


# === Showing ===


def show(results, sizes, console):
    marks = Table(*["", *map(str, PAPER)], title="The paper's table 2, mAP on VOC 2007 test")
    for place, idea in enumerate(IDEAS):
        has = ["✓" if place < count else "" for count in ADDED]
        if idea == "anchor boxes":
            has = ["✓" if 3 <= column <= 4 else "" for column in range(len(PAPER))]
        marks.add_row(idea, *has)
    console.print(marks)
    table = Table("measured", *(f"mAP at {size} px" for size in sizes), "seeds", "minutes")
    for name, seeds in results.items():
        cells = []
        for key in ("map", "map_large"):
            values = 100 * np.array([seed[key] for seed in seeds.values()])
            spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.1f}{spread}")
        minutes = sum(seed["minutes"] for seed in seeds.values())
        table.add_row(name, *cells, str(len(seeds)), f"{minutes:.1f}")
    console.print(table)


def draw(results, size, png):
    """Bars: mean mAP of each row, a dot for each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.5 + 0.42 * len(results)), layout="constrained")
    axes = figure.subplots()
    names = list(results)
    values = [[100 * seed["map"] for seed in results[name].values()] for name in names]
    axes.barh(names, [np.mean(some) for some in values], color="#bfdbfe", height=0.65)
    for place, some in enumerate(values):
        axes.plot(some, [place] * len(some), "o", color="#2563eb", markersize=4)
    axes.invert_yaxis()
    axes.set_xlabel(f"mAP % at {size} px; a dot is a seed")
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(png) as temporary:
        figure.savefig(temporary, dpi=150)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/table2"))
    parser.add_argument("--digits", action="store_true", help="the built-in scenes of digits")
    parser.add_argument("--data", help="a real data set")
    parser.add_argument("--split", default="train")
    parser.add_argument("--val-split", default="val")
    parser.add_argument("--low", type=Path, help="trunk of the low-resolution classifier")
    parser.add_argument("--high", type=Path, help="trunk of the high-resolution classifier")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--multi-scale", default="128-224")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, help="that train at the same time")
    parser.add_argument("--scenes", type=int, default=1000, help="digits: scenes that train")
    parser.add_argument("--trunk-epochs", type=int, default=20, help="digits: of the classifier")
    options = parser.parse_args()
    if options.digits == bool(options.data):
        parser.error("either --digits or --data")
    if options.data and not (options.low and options.high):
        parser.error("--data needs --low and --high, trunks that `yolov2 classify train` made")
    return options


def recipe_of(options):
    return DetectionRecipe(
        width=options.width,
        size=options.size,
        multi_scale=tuple(map(int, options.multi_scale.split("-"))),
        epochs=options.epochs,
        batch_size=options.batch_size,
        optimizer="adam",
        learning_rate=options.learning_rate,
        schedule="cosine",
        flip=not options.digits,
    )


def data_of(options, console):
    return digits(options, console) if options.digits else real(options)


def main():
    options, console = arguments(), Console()
    options.out.mkdir(parents=True, exist_ok=True)
    data_of(options, console)  # trains the trunks, once for all
    file = options.out / "table2.json"
    if options.processes is None:
        results = run(options, file, None)
    else:
        spawn = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(options.processes, spawn) as pool:
            results = run(options, file, pool)
    recipe = recipe_of(options)
    show(results, (recipe.size, recipe.multi_scale[1]), console)
    draw(results, recipe.size, options.out / "table2.png")


if __name__ == "__main__":
    main()
