"""A hundred thousand pictures: how fast a training starts, how fast `predict` goes, what both take.

    python benchmarks/many_pictures.py FOLDER PICTURES [--number 100000] [--forms csv yolo voc coco]
        [--predicted 20000] [--model MODEL] [--workers 0 1 2] [--killed 2000]

FOLDER is filled with links to the pictures of the folder PICTURES under many names, and with two
boxes for each in the forms that are named. Then, each in a process of its own:

* `yolov2 train` on each form (a tiny network at 64 px) twice, until the first step is done:
  seconds from the start of the process, those of a processor, and its memory at its highest. Again
  with a quarter of the pictures: the slope between the two is what a picture takes. At last on four
  pictures: what of it is TensorFlow's start and the first step.
* `yolov2 predict --jsonl` with MODEL, by one process (0) and by so many workers: pictures a second
  from the first row to the last, and the memory of all its processes together at its highest
  (shared pages are counted for each). Whether each picture has one row, and all files are the same.
* The same of fewer pictures, of which a worker, then all of it is killed half way, and resumed:
  whether the file is the same.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from PIL import Image

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
    """Links to the pictures, in a folder `images`; returns their names and sizes."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for path in pictures.iterdir() if path.suffix in (".jpg", ".png"))
    sizes = [Image.open(path).size for path in sources]
    named = {f"{i:07}{sources[i % len(sources)].suffix}": i % len(sources) for i in range(number)}
    for name, source in named.items():
        if not (images / name).exists():
            (images / name).hardlink_to(sources[source])
    return {name: sizes[source] for name, source in named.items()}


def boxes(i):
    """Two boxes `(x_min, y_min, x_max, y_max, label)` of the i-th picture, in pixels from 0."""
    return (5 + i % 9, 5, 40, 30 + i % 20, "a"), (9, 9, 30, 40, "b")


def write_csv(folder, sizes):
    rows = ["image,xmin,ymin,xmax,ymax,label"]
    rows += [",".join(map(str, (name, *box))) for i, name in enumerate(sizes) for box in boxes(i)]
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")


def write_yolo(folder, sizes):
    labels = folder / "labels"
    labels.mkdir(exist_ok=True)
    (folder / "data.yaml").write_text("train: images\nnames: [a, b]\n")
    for i, (name, (width, height)) in enumerate(sizes.items()):
        rows = [
            f"{'ab'.index(label)} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} "
            f"{(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}\n"
            for x1, y1, x2, y2, label in boxes(i)
        ]
        (labels / f"{Path(name).stem}.txt").write_text("".join(rows))


def write_voc(folder, sizes):
    files = folder / "Annotations"
    files.mkdir(exist_ok=True)
    for i, (name, (width, height)) in enumerate(sizes.items()):
        objects = "".join(
            f"<object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{x1 + 1}</xmin>"
            f"<ymin>{y1 + 1}</ymin><xmax>{x2 + 1}</xmax><ymax>{y2 + 1}</ymax></bndbox></object>\n"
            for x1, y1, x2, y2, label in boxes(i)
        )
        (files / f"{Path(name).stem}.xml").write_text(
            f"<annotation><filename>{name}</filename><size><width>{width}</width>"
            f"<height>{height}</height><depth>3</depth></size>\n{objects}</annotation>\n"
        )


def write_coco(folder, sizes):
    images = [
        {"id": i, "file_name": name, "width": width, "height": height}
        for i, (name, (width, height)) in enumerate(sizes.items())
    ]
    found = [(i, box) for i in range(len(sizes)) for box in boxes(i)]
    annotations = [
        {"id": n, "image_id": i, "category_id": "ab".index(label), "iscrowd": 0,
         "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
        for n, (i, (x1, y1, x2, y2, label)) in enumerate(found)
    ]  # fmt: skip
    content = {"images": images, "annotations": annotations}
    content["categories"] = [{"id": k, "name": name} for k, name in enumerate("ab")]
    (folder / "instances_train.json").write_text(json.dumps(content))


FORMS = {"csv": write_csv, "yolo": write_yolo, "voc": write_voc, "coco": write_coco}


def annotated(folder, form, sizes):
    """A folder of such annotations beside a link to the folder of the pictures."""
    place = folder / form
    place.mkdir(exist_ok=True)
    if not (place / "images").exists():
        FORMS[form](place, sizes)
        (place / "images").symlink_to((folder / "images").resolve(), target_is_directory=True)
    return place


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


def training_start(data, run, environment):
    """(seconds until the first step is saved, those of a processor, bytes at most)."""
    start, most = time.perf_counter(), 0
    process = yolov2("train", data, "--out", run, *TRAIN, "--overwrite", env=environment)
    (run / "last.keras").unlink(missing_ok=True)
    while not (run / "last.keras").exists():
        if process.poll() is not None:
            sys.exit("the training ended before its first step")
        most = max(most, memory(process))
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    used = sum(psutil.Process(process.pid).cpu_times()[:4])  # its own, and of those that ended
    process.send_signal(signal.SIGTERM)
    process.wait()
    return seconds, used, most


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


def start_trainings(folder, pictures, number, forms):
    """Prints how trainings start."""
    environment = {**os.environ, "YOLOV2_CACHE": str(folder / "cache")}
    most = {}
    for count in (number // 4, number, 4):
        place = folder / f"set{count}"
        sizes = fill(place, pictures, count)
        for form in forms if count > 4 else forms[:1]:
            data, run = annotated(place, form, sizes), folder / f"run{count}"
            for what in ("first", "second"):
                seconds, used, most[form, count] = training_start(data, run, environment)
                print(f"{form}, {count:,} pictures, {what} training: first step after "
                      f"{seconds:.1f} s, {used:.1f} s of CPU, {most[form, count] / 1e6:.0f} MB",
                      flush=True)  # fmt: skip
    for form in forms:
        slope = (most[form, number] - most[form, number // 4]) / (number * 3 / 4)
        print(f"{form}: a picture takes {slope:.0f} bytes, a million {slope / 1e3:.2f} GB")


def each_once(rows, names):
    """Whether each picture has one row and no other has."""
    found = [json.loads(line)["image"] for line in rows.read_text().splitlines()]
    return sorted(found) == sorted(names.read_text().splitlines())


def predict(folder, pictures, number, model, workers):
    """Prints how fast pictures are predicted, and by what memory."""
    names, first = list_of_names(folder, pictures, number), None
    for count in workers:
        rows = folder / f"rows{count}.jsonl"
        rows.unlink(missing_ok=True)
        speed, used, most = prediction(model, names, rows, count)
        first = rows.read_bytes() if first is None else first
        print(f"predict, {count} workers: {speed:.0f} pictures/s, {used:.1f} ms of CPU each, "
              f"{most / 1e6:.0f} MB, {lines(rows):,} rows, each picture once: "
              f"{each_once(rows, names)}, same bytes: {rows.read_bytes() == first}",
              flush=True)  # fmt: skip


def predict_killed(folder, pictures, number, model, workers):
    """Prints whether killed predictions end with the rows of one that was left in peace."""
    names, rows = list_of_names(folder, pictures, number), folder / "killed.jsonl"
    rows.unlink(missing_ok=True)
    prediction(model, names, rows, 0)
    whole = rows.read_bytes()
    for count in sorted({0, max(workers)}):
        rows.unlink()
        if count:
            prediction(model, names, rows, count, kill_a_worker)
            print(f"a worker of {count} killed: same bytes: {rows.read_bytes() == whole}")
            rows.unlink()
        prediction(model, names, rows, count, kill_all)
        left = lines(rows)
        prediction(model, names, rows, count, resume=("--resume",))
        print(f"{count} workers, all killed at {left:,} of {number:,} rows, resumed: same bytes: "
              f"{rows.read_bytes() == whole}", flush=True)  # fmt: skip


def list_of_names(folder, pictures, number):
    """A file that lists so many pictures."""
    place, names = folder / f"set{number}", folder / f"names{number}.txt"
    images = place.resolve() / "images"
    names.write_text("".join(f"{images / name}\n" for name in fill(place, pictures, number)))
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--number", type=int, default=100_000, help="0: no training")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=list(FORMS))
    parser.add_argument("--predicted", type=int, default=20_000, help="0: none")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--killed", type=int, default=2_000, help="0: none")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    given = options.folder, options.pictures
    if options.number:
        start_trainings(*given, options.number, options.forms)
    if options.predicted:
        predict(*given, options.predicted, options.model, options.workers)
    if options.killed:
        predict_killed(*given, options.killed, options.model, options.workers)


if __name__ == "__main__":
    main()
