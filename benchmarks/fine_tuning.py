"""What the starter network is worth to someone with some hundred pictures, or fifty, or twenty.

    python benchmarks/fine_tuning.py NAME=DATA ... --minutes 20 --out runs/fine_tuning
    python benchmarks/fine_tuning.py bccd=../shared/data/bccd cards=../shared/data/cards \
        --minutes 6 --pictures 50 20 --out runs/fine_tuning

Trains `yolov2 train` with no option but `--minutes`, once from the starter and once with
`--from-scratch`, for each set, number of pictures and seed, and scores each on pictures that
neither trained nor chose the epoch: the image set `test`, or every fifth picture where there is
none. What trains is all else. `results.jsonl` gets a line a run, with the load of the machine; runs
that are there are not repeated, so it may be stopped anywhere. At the end: a table and `gain.png`.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

STARTS = {"starter": (), "scratch": ("--from-scratch",)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=DATA")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument(
        "--pictures", nargs="+", type=int, default=[0], help="that train; 0: all there are"
    )
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--options", default="", help="more options of `yolov2 train`, one text")
    parser.add_argument("--out", type=Path, default=Path("runs/fine_tuning"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.jsonl"
    for name, _, data in (text.partition("=") for text in options.sets):
        for count in options.pictures:
            for seed in range(options.seeds):  # the starts side by side, if it is stopped
                for start in options.starts:
                    facts = {"set": name, "pictures": count, "start": start, "seed": seed}
                    facts |= {"minutes": options.minutes, "options": options.options}
                    if not any(facts.items() <= row.items() for row in read(results)):
                        row = facts | run(facts, data, options.out)
                        with results.open("a") as file:
                            file.write(json.dumps(row) + "\n")
                        print(json.dumps(row), flush=True)
    print(table(read(results)))
    plot(read(results), options.out / "gain.png")


def read(path):
    """The rows so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run(facts, data, out):
    """Trains and scores once; returns what was measured, as a dict."""
    folder = out / "-".join(str(value) for value in facts.values()).replace(" ", "_")
    train, test = prepare(data, out / "sets" / facts["set"], facts["pictures"], facts["seed"])
    before, began = os.getloadavg()[1], time.monotonic()
    command("train", train, "--out", folder, "--minutes", facts["minutes"], "--seed", facts["seed"],
            "--overwrite", *STARTS[facts["start"]], *facts["options"].split())  # fmt: skip
    minutes = (time.monotonic() - began) / 60
    scores = command("evaluate", folder / "model.keras", test, "--json", "-")
    last = command("evaluate", folder / "last.keras", test, "--json", "-")
    record = json.loads((folder / "config.json").read_text())
    rows = (folder / "history.csv").read_text().splitlines()
    return {
        "map": json.loads(scores)["map"],
        "map_last": json.loads(last)["map"],
        "took": round(minutes, 2),
        "epochs": len(rows) - 1,
        "seen": record["progress"][-1]["images"],
        "size": record["size"],
        "anchors": record["anchors"],
        "precision": record["precision"],
        "load": [round(before, 1), round(os.getloadavg()[1], 1)],
    }


def command(*arguments):
    """Runs `yolov2`; returns what it prints. Ends this script with its message if it fails."""
    line = [sys.executable, "-m", "yolov2_tf.cli", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(line)}\n{done.stderr[-3000:]}")
    return done.stdout


def prepare(data, folder, count, seed):
    """Writes what trains and what scores as folders of their own, with linked pictures.

    Args:
        data: Data set, as `yolov2 train` takes it.
        folder: Where they go.
        count: Pictures that train, drawn by the seed; 0 for all.
        seed: Of the draw.

    Returns:
        Paths of the two.
    """
    from yolov2_tf.data.source import open_dataset
    from yolov2_tf.data.writers.conversion import convert

    dataset = open_dataset(data)
    records = [dataclasses.replace(record, image_sets=()) for record in dataset.records]
    tests = [number for number, r in enumerate(dataset.records) if "test" in r.image_sets]
    tests = set(tests or range(0, len(records), 5))
    rest = [number for number in range(len(records)) if number not in tests]
    if count:
        rest = sorted(np.random.default_rng(seed).permutation(rest)[:count])
    train = folder / (f"train-{count}-{seed}" if count else "train")
    for part, numbers in ((train, rest), (folder / "test", sorted(tests))):
        if not part.exists():
            part.parent.mkdir(parents=True, exist_ok=True)
            chosen = [records[number] for number in numbers]
            convert(dataclasses.replace(dataset, records=chosen), part, "voc", pictures="link")
    return train, folder / "test"


def table(rows):
    """Markdown: the mean over the seeds, and each."""
    lines = ["| set | pictures | minutes | start | mAP | of each seed | pictures seen | load |"]
    lines.append("|---|--:|--:|---|--:|---|--:|---|")
    keys = dict.fromkeys(map(key_of, rows))
    for key in keys:
        same = [row for row in rows if key_of(row) == key]
        scores = [r["map"] for r in same]
        loads = [load for r in same for load in r["load"]]
        name, count, minutes, *start = key
        each = ", ".join(f"{score:.3f}" for score in scores)
        lines.append(
            f"| {name} | {count or 'all'} | {minutes:g} | {' '.join(start)} "
            f"| {np.mean(scores):.3f} | {each} "
            f"| {np.mean([r['seen'] for r in same]):,.0f} | {min(loads):g} to {max(loads):g} |"
        )
    return "\n".join(lines)


def key_of(row):
    """What the seeds of one row of the table have in common."""
    return tuple(row[name] for name in ("set", "pictures", "minutes", "start", "options"))


def plot(rows, path):
    """One panel a set: mAP over the number of pictures, starter against scratch."""
    from matplotlib.figure import Figure

    names = sorted({row["set"] for row in rows})
    figure = Figure(figsize=(4 * len(names), 3.4), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
        for start in dict.fromkeys((row["start"], row["options"]) for row in rows):
            mine = [r for r in rows if (r["set"], r["start"], r["options"]) == (name, *start)]
            counts = sorted({row["pictures"] for row in mine}, key=lambda count: count or 1e9)
            means = [np.mean([r["map"] for r in mine if r["pictures"] == c]) for c in counts]
            axes.plot([str(count or "all") for count in counts], means, "o-", label=" ".join(start))
        axes.set(title=name, xlabel="training pictures", ylim=(0, 1))
    np.atleast_1d(figure.axes)[0].set_ylabel("VOC07 mAP")
    figure.axes[0].legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
