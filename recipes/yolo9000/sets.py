"""Builds the sets of YOLO9000 on real pictures from those of the starter networks.

    python recipes/yolo9000/sets.py RAW STARTER OUT

Boxes train for VOC's 20 classes alone, `STARTER/voc`. Labels train for the 200 classes of Tiny
ImageNet at 32 px and for the ten of Imagenette at up to 176 px: no box of these is ever read for
training. Tiny ImageNet's validation pictures, which have a box each, score.
"""

import argparse
import csv
import os
from pathlib import Path

LIST = "tiny.txt"
"""The wnids of Tiny ImageNet's classes, one a line."""

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


def scored(raw, out, most):
    """Tiny ImageNet's validation pictures with their boxes, as a CSV of fractions' pixels."""
    from PIL import Image

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
    (args.out / LIST).write_text("".join(f"{wnid}\n" for wnid in classes))
    scored(args.raw, args.out / "scored", args.most)
    print(f"{len(classes)} classes with labels alone; {args.out}")


if __name__ == "__main__":
    main()
