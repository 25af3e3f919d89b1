"""Which figures of a training rise and fall with its mAP on the validation set.

    python benchmarks/following_map.py RUN ...

RUN is a folder of `yolov2 train`. The figures are Spearman's rank correlations over the epochs that
were scored, and over the later half of them, where a training has become level: 1 is a figure
whose order tells that of the scores, 0 one that tells nothing, a negative one misleads (a loss
should be at -1).
"""

import csv
import sys
from pathlib import Path

from scipy.stats import spearmanr

FIGURES = ("object", "class_accuracy", "average_iou", "recall", "no_object", "loss")


def correlations(rows):
    """Rank correlation of each of `FIGURES` with mAP over rows of `history.csv`."""
    scores = [float(row["val_map"]) for row in rows]
    return [spearmanr([float(row[name]) for row in rows], scores).statistic for name in FIGURES]


def main(runs):
    print("| run | epochs scored | mAP | " + " | ".join(FIGURES) + " |")
    print("|---|--:|---" + "|--:" * len(FIGURES) + "|")
    for run in map(Path, runs):
        with open(run / "history.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("val_map")]
        for name, part in ((run.name, rows), ("… later half", rows[len(rows) // 2 :])):
            scores = [float(row["val_map"]) for row in part]
            cells = [name, str(len(part)), f"{scores[0]:.3f} to {scores[-1]:.3f}"]
            print(f"| {' | '.join(cells)} |" + "".join(f" {c:.2f} |" for c in correlations(part)))


if __name__ == "__main__":
    main(sys.argv[1:])
