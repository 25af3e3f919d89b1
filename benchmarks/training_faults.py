"""What `yolov2 train` says when something breaks in its course: the table in docs/results.md.

Needs root, for a small tmpfs. Run it as `python benchmarks/training_faults.py FOLDER`.
"""

import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from yolov2_tf.cli import main as main_of_command
from yolov2_tf.data import pixel_memory

pixel_memory.MOST_PICTURES = 0  # what is kept in memory cannot vanish; a large set is not

SMALL = ["--model", "tiny", "--width", "0.05", "--size", "64", "--anchors", "2", "--epochs", "60"]
SMALL += ["--batch-size", "4", "--checkpoint-minutes", "0", "--hold-out", "0"]


def data(folder, count=24):
    """A CSV data set of small pictures with a box each."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(0)
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for i in range(count):
        picture = draw.integers(0, 80, (64, 64, 3), np.uint8)
        x, y = draw.integers(4, 24, 2)
        width, height = draw.integers(16, 36, 2)
        picture[y : y + height, x : x + width] = 200
        Image.fromarray(picture).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{x},{y},{x + width},{y + height},{'ab'[i % 2]}")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    return folder / "boxes.csv"


def train(boxes, out, *options, after=None):
    """Trains until the command ends; `after` happens once the run has two checkpoints.

    In this process, so that TensorFlow loads once for all cases.
    """

    def wait():
        while not ended.is_set():
            if (Path(out) / "previous.keras").exists():
                after()
                return
            time.sleep(0.05)

    ended, code = threading.Event(), 0
    if after is not None:
        threading.Thread(target=wait).start()
    sys.argv = [str(part) for part in ("yolov2", "train", boxes, "--out", out, *SMALL, *options)]
    said, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(error):
        try:
            main_of_command()
        except SystemExit as end:
            code = end.code or 0
    ended.set()
    lines = [line for line in said.getvalue().splitlines() if line.startswith("note:")]
    keep = ("error:", "  where:", "  expected:", "  try:", "stopped")
    lines += [line for line in error.getvalue().splitlines() if line.startswith(keep)]
    return code, lines


def state(out):
    """What the last checkpoint is."""
    if not Path(out).exists():
        return "no folder"
    from yolov2_tf.training.checkpoint import load

    _, at = load(Path(out) / "last.keras")
    left = [path.name for path in Path(out).iterdir() if path.name.startswith(".")]
    place = f"epoch {at.position.epoch} step {at.position.step}"
    return f"{place}, loads; left over: {left or 'nothing'}"


def fill(disk):
    """Leaves no byte on a file system."""
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def read_only(folder):
    """Makes a folder read-only for root, too: another view of it is mounted over it.

    A file system cannot become read-only while a file in it is open for writing, as a log is.
    """
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)


def show(name, result, out):
    """Prints what happened in one case."""
    code, lines = result
    print(f"## {name}: exit code {code}; last checkpoint: {state(out)}")
    print("\n".join(f"    {line}" for line in lines), flush=True)


def main(folder):
    """Goes through the cases."""
    folder = Path(folder)
    boxes = data(folder / "data")
    out = folder / "nan"
    show("no number", train(boxes, out, "--learning-rate", "1e30"), out)

    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk], check=True)
    show("full disk", train(boxes, disk / "run", after=lambda: fill(disk)), disk / "run")
    (disk / "filler").unlink()
    shutil.rmtree(disk / "run")
    out = disk / "again"
    show("read-only", train(boxes, out, after=lambda: read_only(out)), out)
    show("read-only from the start", train(boxes, out, "--resume"), out)
    subprocess.run(["umount", out], check=True)
    subprocess.run(["umount", disk], check=True)

    out = folder / "vanishing"
    show("vanished folder", train(boxes, out, after=lambda: shutil.rmtree(out)), out)

    out = folder / "cut"
    victim = folder / "data" / "7.png"
    show(
        "damaged picture",
        train(boxes, out, "--epochs", "6", after=lambda: os.truncate(victim, 500)),
        out,
    )
    victim.unlink()
    boxes.write_text("".join(line for line in boxes.open() if not line.startswith("7.png")))

    out, scored = folder / "scored", data(folder / "val", 40)
    victim = folder / "val" / "7.png"
    show(
        "damaged validation picture",
        train(
            *(boxes, out, "--val", scored, "--epochs", "6"),
            after=lambda: os.truncate(victim, 500),
        ),
        out,
    )
    victim.unlink()
    scored.write_text("".join(line for line in scored.open() if not line.startswith("7.png")))
    out = folder / "unscored"
    show(
        "vanished validation data",
        train(boxes, out, "--val", scored, after=lambda: shutil.rmtree(folder / "val")),
        out,
    )

    out = folder / "gone"
    show("vanished data", train(boxes, out, after=lambda: shutil.rmtree(folder / "data")), out)
    boxes = data(folder / "data")
    out = folder / "stopped"
    show("SIGTERM", train(boxes, out, after=lambda: os.kill(os.getpid(), signal.SIGTERM)), out)


if __name__ == "__main__":
    main(sys.argv[1])
