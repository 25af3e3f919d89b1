"""Builds the sets of YOLO9000 on real pictures from those of the starter networks.

    python recipes/yolo9000/sets.py RAW STARTER OUT

Boxes train for VOC's 20 classes alone: `STARTER/voc`, and of each of its training pictures two
objects with what is around them, shrunk to the 32 px of Tiny ImageNet, so that boxes are learnt in
pictures of that kind as well. Labels train for the 200 classes of Tiny ImageNet at 32 px and for
the ten of Imagenette at up to 176 px: no box of these is ever read for training. Tiny ImageNet's
validation pictures, which have a box each, score. A classifier learns the names first, of all that
have a label and of crops of VOC's boxes; it is scored on a fiftieth of them.
"""

import argparse
import csv
import itertools
import os
import random
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf import trees
from yolov2_tf.data.records import Record
from yolov2_tf.data.source import open_dataset
from yolov2_tf.data.writers.conversion import Item
from yolov2_tf.data.writers.voc_writer import voc_xml

LIST = "tiny.txt"
"""The wnids of Tiny ImageNet's classes, one a line."""

SHRUNK = 32
"""Side of the pictures that show one object of VOC, as those of Tiny ImageNet are here."""

OBJECTS = 2
"""Such pictures of each of VOC's; where it shows one object, twice of that one."""

LARGE = (0.3, 1.0)
"""Of the side of such a picture, what the object takes."""

NAMED_VAL = 50
"""One of so many pictures with one name scores the classifier and does not train it."""

SIDE = 64
"""The boxes of Tiny ImageNet are in pixels of 64 × 64, whatever size a copy's pictures have."""


def link(source, target):
    """Hard link, and the folders that it needs: RAW and OUT are on one disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        os.link(source, target)


def labels(raw, photos, out, most):
    """Pictures with a label, folders by wnid: Tiny ImageNet's training set, Imagenette's."""
    classes = sorted(folder.name for folder in (raw / "tiny/train").glob("n*"))
    for wnid in classes:
        for path in sorted((raw / "tiny/train" / wnid / "images").iterdir())[:most]:
            link(path, out / wnid / f"t_{path.name}")
    ten = {folder.name for folder in (raw / "imagenette").glob("*/n*")}
    for wnid in sorted(ten):
        for path in sorted((photos / "train" / wnid).glob("*.jpg"))[:most]:
            link(path, out / wnid / path.name)
    return classes


def named(photos, labelled, out, most):
    """What has one name each, `train` and `val`: labelled pictures, and crops of VOC's boxes."""
    folders = {folder.name: folder for folder in sorted(labelled.iterdir())}
    nodes = pairs(Path(trees.__file__).parent / "wnids/voc.txt", "=")
    for name, wnid in pairs(Path(__file__).parents[1] / "starter/voc.txt", " ").items():
        folders[nodes[name]] = photos / "train" / wnid
    for wnid, folder in folders.items():
        for number, path in enumerate(sorted(folder.iterdir())[:most]):
            subset = "train" if number % NAMED_VAL else "val"
            link(path, out / subset / wnid / path.name)


def pairs(table, between):
    """Class names and wnids of a table: a dict."""
    lines = table.read_text().splitlines()
    return {name: rest.split()[0] for name, _, rest in (line.partition(between) for line in lines)}


def boxed(voc, out, most):
    """VOC's pictures, each once, and some objects of each of those that train; a VOC folder."""
    draw = random.Random(0)
    for folder in ("JPEGImages", "Annotations"):
        for path in (voc / folder).iterdir():
            if not path.stem.endswith("_again"):
                link(path, out / folder / path.name)
    link(voc / "ImageSets/Main/val.txt", out / "ImageSets/Main/val.txt")
    dataset = open_dataset(voc, split="train")
    names = []
    for record in dataset.records[:most]:
        if record.image_id.endswith("_again"):
            continue
        names.append(record.image_id)
        objects = np.flatnonzero(~record.ignore).tolist()
        draw.shuffle(objects)
        for number, chosen in zip(range(OBJECTS), itertools.cycle(objects), strict=False):
            picture, small = one_object(record, chosen, draw)
            item = Item(f"{small.image_id}_{number}.jpg", small)
            picture.save(out / "JPEGImages" / item.name, quality=95)
            annotation = out / f"Annotations/{item.stem}.xml"
            annotation.write_text(voc_xml(item, dataset.class_names), encoding="utf-8")
            names.append(item.stem)
    (out / "ImageSets/Main/train.txt").write_text("".join(f"{name}\n" for name in names))
    return len(names)


def one_object(record, chosen, draw):
    """A square about the chosen object, shrunk, and the `Record` of what of VOC is in it."""
    with Image.open(record.image) as picture:
        picture = picture.convert("RGB")
    pixels = record.boxes * [picture.height, picture.width, picture.height, picture.width]
    y_min, x_min, y_max, x_max = pixels[chosen]
    side = max(y_max - y_min, x_max - x_min) / draw.uniform(*LARGE)
    side = min(side, picture.height, picture.width)
    top, left = (
        min(max(draw.uniform(*sorted((high - side, low))), 0), whole - side)
        for low, high, whole in ((y_min, y_max, picture.height), (x_min, x_max, picture.width))
    )
    small = picture.resize(
        (SHRUNK, SHRUNK), Image.Resampling.LANCZOS, (left, top, left + side, top + side)
    )
    inside = np.clip((pixels - [top, left, top, left]) / side, 0, 1)
    whole = (pixels[:, 2:] - pixels[:, :2]).prod(axis=1) / side**2
    seen = (inside[:, 2:] - inside[:, :2]).prod(axis=1) > 0.25 * whole
    kept = seen & ~record.ignore
    return small, Record(
        image=None,
        image_id=f"{record.image_id}_small",
        boxes=inside[kept].astype(np.float32),
        labels=record.labels[kept],
        ignore=record.ignore[kept],
        width=SHRUNK,
        height=SHRUNK,
    )


def scored(raw, out, most):
    """Tiny ImageNet's validation pictures with their boxes, as a CSV of fractions' pixels."""
    rows = []
    lines = (raw / "tiny/val/val_annotations.txt").read_text().splitlines()
    for line in lines[:most]:
        name, wnid, *numbers = line.split("\t")
        path = raw / "tiny/val/images" / name
        link(path, out / "images" / name)
        with Image.open(path) as picture:
            width, height = picture.size
        x_min, y_min, x_max, y_max = map(int, numbers)
        box = (x_min * width, y_min * height, (x_max + 1) * width, (y_max + 1) * height)
        rows.append([name, width, height, wnid, *(round(side / SIDE, 2) for side in box)])
    with (out / "boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"])
        writer.writerows(rows)


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="folders tiny and imagenette")
    parser.add_argument("starter", type=Path, help="what recipes/starter/sets.py made")
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, help="pictures a class and scored ones: for a trial")
    args = parser.parse_args()
    classes = labels(args.raw, args.starter / "photos", args.out / "labels", args.most)
    named(args.starter / "photos", args.out / "labels", args.out / "named", args.most)
    (args.out / LIST).write_text("".join(f"{wnid}\n" for wnid in classes))
    pictures = boxed(args.starter / "voc", args.out / "boxed", args.most)
    scored(args.raw, args.out / "scored", args.most)
    print(f"{pictures} pictures with boxes; {len(classes)} classes with labels alone; {args.out}")


if __name__ == "__main__":
    main()
