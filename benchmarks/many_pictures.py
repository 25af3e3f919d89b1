"""A hundred thousand pictures: how fast a training starts, how fast `predict` goes, what both take.

    python benchmarks/many_pictures.py FOLDER PICTURES [--number 100000] [--predicted 20000]
        [--model MODEL] [--workers 0 1 2]

FOLDER is filled with links to the pictures of the folder PICTURES under many names and a CSV file
of two boxes for each. Then, each in a process of its own:

* `yolov2 train` on them (a tiny network at 64 px) twice, until the first step is done: seconds
  from the start of the process, and its memory at its highest. Again with a quarter of the
  pictures: the slope between the two is what a picture takes.
* `yolov2 predict --jsonl` with MODEL: seconds from the first row to the last, and the memory of
  all its processes together at its highest (shared pages are counted for each).
* The last of these once more, of which a worker, then all of it is killed half way, and resumed:
  whether the file is the same.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

TRAIN = (
    "--model",
    "tiny",
    "--width",
    "0.05",
    "--size",
    "64",
    "--batch-size",
    "8",
    "--anchors",
    "2",
)
TRAIN += ("--epochs", "1", "--recipe", "paper", "--hold-out", "0", "--checkpoint-minutes", "0")


def fill(folder, pictures, number):
    """Links and boxes; returns the CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for path in pictures.iterdir() if path.suffix in (".jpg", ".png"))
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    for i in range(number):
        source = sources[i % len(sources)]
        path = folder / f"{i:07}{source.suffix}"
        if not path.exists():
            path.hardlink_to(source)
        rows += [f"{path.name},{5 + i % 9},5,40,{30 + i % 20},a", f"{path.name},9,9,30,40,b"]
    table = folder / "boxes.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def yolov2(*arguments, **options):
    command = [sys.executable, "-m", "yolov2_tf.cli", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )


def family(process):
    """The process and those below it."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(process.pid)
        return [process, *process.children(recursive=True)]
    return []


def memory(process):
    """Bytes of a process and those below it, now."""
    total = 0
    for one in family(process):
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def processor(process):
    """Seconds of a processor that a process and those below it have used."""
    total = 0
    for one in family(process):
        with contextlib.suppress(psutil.Error):
            total += sum(one.cpu_times()[:2])
    return total


def training_start(table, run, environment):
    """(seconds until the first step is saved, those of a processor, bytes at most)."""
    start, most = time.perf_counter(), 0
    process = yolov2("train", table, "--out", run, *TRAIN, "--overwrite", env=environment)
    (run / "last.keras").unlink(missing_ok=True)
    while not (run / "last.keras").exists():
        if process.poll() is not None:
            sys.exit("the training ended before its first step")
        most = max(most, memory(process))
        time.sleep(0.05)
    seconds, used = time.perf_counter() - start, psutil.Process(process.pid).cpu_times()
    process.send_signal(signal.SIGTERM)
    process.wait()
    return seconds, used.user + used.system, most


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def prediction(model, names, rows, workers, kill=None, resume=()):
    """(rows a second from the first to the last, ms of CPU for each, bytes at most).

    `kill` is called half way.
    """
    more = ("--workers", workers) if workers else ()
    process = yolov2("predict", model, names, "--jsonl", rows, *more, *resume)
    most, used, first, before = 0, 0, None, lines(rows)
    half = lines(names) // 2
    while process.poll() is None:
        most, used = max(most, memory(process)), max(used, processor(process))
        size = rows.stat().st_size if rows.exists() else 0
        if first is None and size and lines(rows) > before:
            first, written, used_before = time.perf_counter(), lines(rows), used
        if kill is not None and lines(rows) >= half:
            kill(process)
            kill = None
        time.sleep(0.1)
    seconds = time.perf_counter() - (first or 0)
    if process.returncode not in (0, -signal.SIGKILL):
        sys.exit(f"predict ended with {process.returncode}")
    number = lines(rows) - written
    return number / seconds, 1000 * (used - used_before) / number, most


def kill_a_worker(process):
    for one in family(process):
        with contextlib.suppress(psutil.Error):
            if "MapWorker" in " ".join(one.cmdline()):
                one.kill()
                return


def kill_all(process):
    for one in family(process):
        with contextlib.suppress(psutil.Error):
            one.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--number", type=int, default=100_000)
    parser.add_argument("--predicted", type=int, default=20_000)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    options = parser.parse_args()
    environment = {**os.environ, "YOLOV2_CACHE": str(options.folder / "cache")}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")

    if options.number:
        most = {}
        for number in (options.number // 4, options.number):
            table = fill(options.folder / f"set{number}", options.pictures, number)
            for what in ("first", "second"):
                run = options.folder / f"run{number}"
                seconds, used, most[number] = training_start(table, run, environment)
                print(f"{what} training, {number:,} pictures: first step after {seconds:.1f} s, "
                      f"{used:.1f} s of CPU, {most[number] / 1e6:.0f} MB", flush=True)  # fmt: skip
        quarter, whole = most.values()
        slope = (whole - quarter) / (options.number * 3 / 4)
        print(f"a picture takes {slope:.0f} bytes: a million {slope / 1e3:.2f} GB")

    if not options.predicted:
        return
    table = fill(options.folder / f"set{options.predicted}", options.pictures, options.predicted)
    names = options.folder / "names.txt"
    names.write_text("".join(f"{table.parent / p}\n" for p in sorted(os.listdir(table.parent))
                             if p != table.name))  # fmt: skip
    done = []
    for workers in options.workers:
        rows = options.folder / f"rows{workers}.jsonl"
        rows.unlink(missing_ok=True)
        speed, used, most = prediction(options.model, names, rows, workers)
        done.append(rows.read_bytes())
        print(f"predict, {workers} workers: {speed:.0f} pictures/s, {used:.1f} ms of CPU each, "
              f"{most / 1e6:.0f} MB, {lines(rows):,} rows, as before: {done[-1] == done[0]}",
              flush=True)  # fmt: skip
    for workers in {0, max(options.workers)}:
        rows = options.folder / "killed.jsonl"
        rows.unlink(missing_ok=True)
        if workers:
            prediction(options.model, names, rows, workers, kill_a_worker)
            print(f"a worker of {workers} killed: {rows.read_bytes() == done[0]}")
            rows.unlink()
        prediction(options.model, names, rows, workers, kill_all)
        left = lines(rows)
        prediction(options.model, names, rows, workers, resume=("--resume",))
        print(f"all killed at {left:,} rows, resumed: {rows.read_bytes() == done[0]}")


if __name__ == "__main__":
    main()
