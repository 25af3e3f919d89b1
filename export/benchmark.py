"""Size, speed and accuracy of every exported form of a detector, side by side, in one run."""

import dataclasses
import functools

import numpy as np
from PIL import Image

from yolov2_tf.data.images import load_image
from yolov2_tf.detection.thresholds import SCORE
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.numpy_resize import resize
from yolov2_tf.export.timing import InProcess

TILE = 360
"""Longer side, in pixels, of the pictures in `draw_side_by_side`."""


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one form.

    Attributes:
        form: Name of the form, e.g. `"TFLite int8"`.
        runtime: What ran it.
        megabytes: Size of its files, in 10⁶ bytes.
        load_ms: Milliseconds to open it.
        median_ms: Milliseconds for one picture, the median: what the form itself does with a
            picture of its size, that is the network, decoding, and suppression where it has it. Of
            a batch it is a picture's share.
        p95_ms: Likewise, the 95th percentile.
        tail_share: Share of decoding and suppression in that, 0..1, at the score threshold of
            apps, `SCORE`; None where the form has no suppression that can be cut off.
        map: Mean AP (VOC2007), a fraction.
        map_loss: How much less that is than the Keras model's.
        threads: How many CPU threads it could use.
        batch: How many pictures it took at once.
    """

    form: str
    runtime: str
    megabytes: float
    load_ms: float
    median_ms: float
    p95_ms: float
    tail_share: float | None
    map: float
    map_loss: float
    threads: int
    batch: int


def benchmark(
    forms,
    dataset,
    *,
    runs=50,
    threads=(2,),
    timer=InProcess,
    progress=lambda items, total, what: items,
):
    """Measures forms of one detector.

    Times are taken in turn, one picture through every form and then the next, so that whatever
    else the machine does meets all of them. A form sees each picture twice; the second counts.

    Args:
        forms: List of `Form`, the one that the others are compared with first.
        dataset: `Dataset` to score them on, its classes those of the detectors.
        runs: How many pictures are timed.
        threads: Numbers of CPU threads to time the forms with, one number after the other.
        timer: `InProcess`, or `OwnProcess`, which gives each form a process of its own.
        progress: Called with (iterable, its length, what it is) and iterated in its place.

    Returns:
        List of `Row`: all forms with the first number of threads, then with the next.
    """
    first = forms[0].open(threads[0])
    pictures = [
        resize(load_image(record.image), first.input_size, first.layout.resize)[0]
        for record in (dataset.records[i % len(dataset)] for i in range(runs))
    ]
    taken = [_timed(forms, count, timer, pictures, progress) for count in threads]
    scored = _scored(forms, first, dataset, threads[0], progress)
    return [
        Row(
            form=form.name,
            runtime=runtime,
            megabytes=_size(form.path) / 1e6,
            load_ms=load,
            median_ms=float(np.median(times)),
            p95_ms=float(np.percentile(times, 95)),
            tail_share=share,
            map=score,
            map_loss=scored[0][1] - score,
            threads=count,
            batch=form.batch,
        )
        for count, measured in zip(threads, taken, strict=True)
        for form, (runtime, score), (load, times, share) in zip(
            forms, scored, measured, strict=True
        )
    ]


def _timed(forms, threads, timer, pictures, progress):
    """`(load_ms, milliseconds of each run, tail_share)` of each form."""
    timers = [timer(functools.partial(form.open, threads)) for form in forms]
    runs = progress(range(-1, len(pictures)), len(pictures) + 1, f"timing, threads: {threads}")
    times = [
        [
            one.milliseconds(_input(pictures, max(run, 0), form.batch))
            for one, form in zip(timers, forms, strict=True)
        ]
        for run in runs  # the first one, -1, warms up
    ]
    for one in timers:
        one.close()
    shares = [form.tail_share and form.tail_share(pictures, threads=threads) for form in forms]
    loaded = [one.load_ms for one in timers]
    return list(zip(loaded, np.array(times[1:]).T, shares, strict=True))


def _input(pictures, start, batch):
    """A picture, or several from there on where a form takes them at once."""
    if batch == 1:
        return pictures[start]
    return np.stack([pictures[(start + i) % len(pictures)] for i in range(batch)])


def _scored(forms, first, dataset, threads, progress):
    """`(runtime, mean AP)` of each form; the first one is open already."""
    found = []
    for form in forms:
        detector = form.open(threads) if found else first
        pictures = progress((r.image for r in dataset.records), len(dataset), form.name)
        score = evaluate(dataset, detector.detect(pictures), tree=detector.tree).map
        found.append((detector.runtime, score))
    return found


def markdown(rows):
    """Rows as a Markdown table."""
    header = (
        "form",
        "runtime",
        "threads",
        "MB",
        "load ms",
        "ms/image",
        "p95",
        "decode+NMS",
        "mAP %",
        "loss",
    )
    cells = [header, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    words = 2  # so many columns of words come before those of numbers, which stand on the right
    lines = [
        "|".join(
            f" {text.ljust(width)} " if place < words else f" {text.rjust(width)} "
            for place, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    ruler = "|".join(
        "-" * (width + 2) if place < words else "-" * (width + 1) + ":"
        for place, width in enumerate(widths)
    )
    return "".join(f"|{line}|\n" for line in (lines[0], ruler, *lines[1:]))


def _cells(row):
    return (
        row.form,
        row.runtime,
        f"{row.threads}",
        f"{row.megabytes:.1f}",
        f"{row.load_ms:.0f}",
        f"{row.median_ms:.1f}",
        f"{row.p95_ms:.1f}",
        "" if row.tail_share is None else f"{100 * row.tail_share:.1f} %",
        f"{100 * row.map:.2f}",
        f"{100 * row.map_loss:+.2f}",
    )


def plot(rows, path):
    """Draws milliseconds and mAP of each form as bars."""
    from matplotlib.figure import Figure

    from yolov2_tf.files import replacing

    figure = Figure(figsize=(10, 1.2 + 0.42 * len(rows)), layout="constrained")
    speed, accuracy = figure.subplots(1, 2, sharey=True)
    several = len({row.threads for row in rows}) > 1
    names = [
        f"{row.form}, {row.megabytes:.1f} MB" + f", {row.threads} thr." * several for row in rows
    ]
    speeds = [row.median_ms for row in rows]
    tails = [f"{row.median_ms:.1f} (95 %: {row.p95_ms:.1f})" for row in rows]
    scores = [100 * row.map for row in rows]
    for axes, values, texts, title in (
        (speed, speeds, tails, "ms per picture, median"),
        (accuracy, scores, [f"{score:.2f}" for score in scores], "mAP, %"),
    ):
        bars = axes.barh(names, values, color="#2563eb", height=0.65)
        axes.bar_label(bars, texts, padding=3, fontsize="small")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.set_xlim(0, 1.45 * max(values))
        axes.spines[["top", "right"]].set_visible(False)
    speed.invert_yaxis()
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def draw_side_by_side(forms, class_names, pictures, path):
    """Draws what each form detects in the same pictures, a row for each form.

    Args:
        forms: List of `Form`.
        class_names: What the labels index.
        pictures: A few `(H, W, 3)` uint8 pictures.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure

    from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
    from yolov2_tf.files import replacing

    figure = Figure(figsize=(2.4 * len(pictures), 2.2 * len(forms)), layout="constrained")
    for form, axes in zip(forms, np.atleast_1d(figure.subplots(len(forms))), strict=True):
        detector = form.open(1)
        drawn = []
        for picture in pictures:
            found = detector.detect(picture)
            small = Image.fromarray(picture)
            small.thumbnail((TILE, TILE))  # before drawing: the names stay legible
            sure = found["scores"] > SCORE
            boxes, labels, scores = (found[k][sure] for k in ("boxes", "labels", "scores"))
            drawn.append(draw_detections(np.asarray(small), boxes, labels, scores, class_names))
        axes.imshow(contact_sheet(drawn, columns=len(drawn), tile=TILE))
        axes.set_title(f"{form.name} ({detector.runtime})", loc="left", fontsize="small")
        axes.axis("off")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _size(path):
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())
