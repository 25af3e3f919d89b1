"""Trains in a process that is killed, again: `python killing.py FOLDER KILLS EPOCHS SCENES`.

The parent loads TensorFlow and leaves it untouched, so that forks are trainings at once.
"""

import dataclasses
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["YOLOV2_CACHE"] = ""

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.training.detection import DetectionTask
from yolov2_tf.training.fit import train
from yolov2_tf.training.recipes import DetectionRecipe

RECIPE = DetectionRecipe(
    model="tiny",
    width=0.01,
    size=64,
    anchors=2,
    batch_size=2,
    multi_scale=(64, 96),
    resize_every=2,
    mean=0.9,
    learning_rate=0.01,
)


def work(folder, epochs, count, minutes):
    """Trains or goes on in this process; with checkpoints of a step, most of the time is saving."""
    scenes = open_digits("train", count=count, size=64)
    task = DetectionTask(scenes, validation=open_digits("test", count=4, size=64))
    recipe = dataclasses.replace(RECIPE, epochs=epochs, checkpoint_minutes=minutes)
    resume = any((folder / name).exists() for name in ("last.keras", "previous.keras"))
    overwrite = not resume and (folder / "config.json").exists()
    train(task, recipe, folder, resume=resume, overwrite=overwrite)


def fork(*args):
    """Process id of a child that does `work`."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(*args)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def wait_for(child, config, changes):
    """Returns once the record changed so often, or the child ended."""
    last = config.stat().st_mtime_ns if config.is_file() else 0
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while changes and not os.waitid(os.P_PID, child, ended):
        now = config.stat().st_mtime_ns if config.is_file() else 0
        changes -= now != last
        last = now
        time.sleep(0.001)


def main(folder, kills, epochs, count):
    """Trains undisturbed in `whole`, in `killed` with kills; prints what each of them left."""
    folder = Path(folder)
    draw = random.Random(1)
    if os.waitpid(fork(folder / "whole", epochs, count, 1000), 0)[1]:
        sys.exit("the undisturbed training failed")
    killed, left = folder / "killed", []
    while len(left) <= kills:
        child = fork(killed, epochs, count, 0)
        if len(left) < kills:
            # From the start on (1) and while one of the next checkpoints is made (2, 3).
            wait_for(child, killed / "config.json", draw.choice((1, 2, 2, 3)))
            time.sleep(draw.uniform(0, 0.25))
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code > 0:
            sys.exit(f"a training ended with {code}")
        left.append([code, *sorted(p.name for p in killed.iterdir() if p.name.startswith("."))])
        if code == 0:
            break
    print(json.dumps(left))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
