"""How fast `yolov2 evaluate` is, against an earlier revision of this repository.

    python benchmarks/evaluation.py trial3.keras ../shared/data/voc2007_sample --against 5fb6dd8

Both score the same pictures in turn, each in a process of its own that has seen none of them
before. Told are the seconds and processor seconds of the whole command, the seconds that went into
pictures (its own figure), and both scores.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = "import sys; from yolov2_tf import cli; sys.argv[0] = 'yolov2'; cli.main()"

ROOT = Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a `.keras` file that both revisions read")
    parser.add_argument("data")
    parser.add_argument("--against", required=True, metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(other), options.against], check=True)
        try:
            compare({"now": ROOT, options.against: other}, options)
        finally:
            subprocess.run([*git, "remove", "--force", str(other)], check=True)


def compare(checkouts, options):
    """Times the checkouts in turn and prints a table."""
    rows = {name: [] for name in checkouts}
    for _ in range(options.rounds):
        for name, checkout in checkouts.items():
            rows[name].append(evaluate(checkout, options.model, options.data))
    load = os.getloadavg()[0]
    print(f"| revision | command s | processor s | pictures s | mAP |  load {load:.1f}")
    print("|---|--:|--:|--:|--:|")
    for name, runs in rows.items():
        seconds = [statistics.median(run[i] for run in runs) for i in range(3)]
        print(f"| {name} | " + " | ".join(f"{s:.2f}" for s in seconds) + f" | {runs[0][3]:.4f} |")


def evaluate(checkout, model, data):
    """Scores once; returns seconds, processor seconds, its own seconds and the mAP."""
    line = [sys.executable, "-c", COMMAND, "evaluate", os.path.abspath(model)]
    line += [os.path.abspath(data), "--json", "-"]
    with tempfile.TemporaryDirectory() as cache:
        around = os.environ | {"PYTHONPATH": str(checkout), "YOLOV2_CACHE": cache}
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(line, cwd=checkout, env=around, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{checkout}: {done.stderr[-2000:]}")
    figures = json.loads(done.stdout)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, processor, figures["seconds"], figures["map"]


if __name__ == "__main__":
    main()
