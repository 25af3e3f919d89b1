"""Prints what the trainings scored, as far as they are done, and draws what the joint one finds.

python recipes/yolo9000/report.py SETS RUNS   reads RUNS/*/*.json, writes RUNS/sheet.png
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from yolov2_tf.data.images import load_image
from yolov2_tf.data.source import open_dataset
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
from yolov2_tf.evaluation.distinct_names import distinct_names
from yolov2_tf.export.keras_detector import KerasDetector
from yolov2_tf.trees.class_maps import read_class_map
from yolov2_tf.trees.wordtree import WordTree, read_lines

RUNS = ("detection", "flat", "nodes", "joint", "own")
TREES = {"flat": "flat", "own": "own"}
"""Whose tree another run than those on the WordTree has."""

SHOWN = 24


def table(sets, runs):
    """MAP of the classes with boxes, and of those without, seen synsets and unseen ones.

    A class is seen if its synset lies below one that had boxes, in the WordTree, for all runs.
    """
    tree = WordTree.read(sets / "word.tree")
    boxed = set(read_class_map(sets / "voc.map", tree).tolist())
    found = Table("training", "20 with boxes", "all without", "seen synsets", "unseen")
    for run in RUNS:
        if not (runs / run / "never_a_box.json").exists():
            continue  # not trained yet
        keys = _keys(sets / TREES.get(run, "word"))
        ap = json.loads((runs / run / "never_a_box.json").read_text())["ap"]
        with_boxes = json.loads((runs / run / "with_boxes.json").read_text())["map"]
        groups = {True: [], False: []}
        for node, name in enumerate(tree.names):
            score = ap.get(keys.get(name))
            if score is None or math.isnan(score) or node in boxed:
                continue
            above = {int(up) for up in tree.paths[node] if up >= 0}
            groups[bool(above & boxed)].append(score)
        both = [*groups[True], *groups[False]]
        means = [with_boxes, *(np.mean(some or [math.nan]) for some in (both, *groups.values()))]
        counts = ["", len(both), len(groups[True]), len(groups[False])]
        cells = [
            f"{100 * mean:.1f}" + (f" ({count})" if count != "" else "")
            for mean, count in zip(means, counts, strict=True)
        ]
        found.add_row(run, *cells)
    Console().print(found)


def _keys(tree):
    """What figures call each synset of a tree: dict from wnid to name."""
    names = distinct_names(read_lines(tree.with_suffix(".names")))
    return dict(zip(WordTree.read(tree.with_suffix(".tree")).names, names, strict=True))


def sheet(sets, runs):
    """Pictures of things that never had a box, with what the joint training finds in them."""
    detector = KerasDetector(runs / "own/model.keras", Thresholds(0.2))
    names = detector.class_names
    records = open_dataset(sets / "scored", images=sets / "scored/images").records
    step = max(1, len(records) // SHOWN)
    pictures = []
    for record in list(records)[::step][:SHOWN]:
        image = load_image(record.image)
        found = detector.detect(image)
        large = np.array(Image.fromarray(image).resize((256, 256), Image.BICUBIC))
        pictures.append(
            draw_detections(large, found["boxes"], found["labels"], found["scores"], names)
        )
    Image.fromarray(contact_sheet(pictures)).save(runs / "sheet.png")


if __name__ == "__main__":
    table(*map(Path, sys.argv[1:]))
    sheet(*map(Path, sys.argv[1:]))
