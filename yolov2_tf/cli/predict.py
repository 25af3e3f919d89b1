"""`yolov2 predict`: pictures in, drawn pictures and detections out."""

import contextlib
import itertools
import time
from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import LOCAL_FILE, LocalText
from yolov2_tf.detection.thresholds import SCORE


def predict(
    model: Annotated[
        str,
        typer.Argument(
            help="`.keras`, `.tflite`, `.onnx`, OpenVINO `.xml`, SavedModel folder, or a name of "
            "`yolov2 models`; with --server the model's name there."
        ),
    ],
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, videos, folders, patterns (`photos/*.jpg`), `.txt` lists, addresses "
            "(`https://…`, `rtsp://…`), cameras (`0`)."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the drawn pictures.")] = None,
    json: Annotated[
        LocalText | None,
        typer.Option(help="Write JSON to a file, a list in the end; `-`: to stdout.", **LOCAL_FILE),
    ] = None,
    jsonl: Annotated[
        LocalText | None,
        typer.Option(
            help="Write JSON lines: each picture's as soon as it is known; `-`: to stdout. "
            "`--json FILE.jsonl` is the same.",
            **LOCAL_FILE,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the file of --jsonl: skip what is in it."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes at work, by Ray Data (`pip install 'yolov2-tf[ray]'`), on the cluster "
            "of `$RAY_ADDRESS` or this machine. With --server: requests at once, 4.",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images at once: `.keras` 8; `.onnx`, `.xml` of dynamic batch 1."),
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(help="Execution provider of ONNX Runtime, by preference; may be repeated."),
    ] = None,
    threshold: Annotated[
        LocalText,
        typer.Option(
            parser=LocalText,
            metavar="X|best|FILE",
            help="Least score, or `best`: of each class what `evaluate --report` found best, or "
            "that report's thresholds.json.",
        ),
    ] = str(SCORE),
    iou: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Overlap of one object's boxes, 0.45 (`.keras`, files without suppression).",
        ),
    ] = None,
    tree_threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Label trees: least Pr(node | object) (`.keras` only)."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Input side, if not the model's own (`.keras` only).")
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(help="Also write what was found as annotations into OUT: voc, yolo or coco."),
    ] = None,
    crop: Annotated[
        bool, typer.Option("--crop", help="Also cut each detection out, into OUT/crops.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show drawings in a window; q or Escape ends.")
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(help="TensorFlow Serving: `http://HOST:8501` (REST), `grpc://HOST:8500`."),
    ] = None,
):
    """Detect objects in pictures, videos and cameras; draw them, or write them down.

    **Examples**
    `yolov2 predict runs/voc/model.keras street.jpg --out drawn`

    `yolov2 predict runs/voc/model.keras photos/ --json detections.json`

    `yolov2 predict runs/voc/model.keras photos/ --jsonl detections.jsonl --resume --workers 4`

    `yolov2 predict runs/voc/model.keras "photos/**/*.jpg" --save yolo --out annotated`

    `yolov2 predict runs/voc/model.keras 0 --show`

    `yolov2 predict yolov2 photos/ --server http://localhost:8501 --out drawn`
    """
    from yolov2_tf.cli import predict_checks as checks
    from yolov2_tf.cli.console import make_console, remark
    from yolov2_tf.cli.parsing import messages, model_file
    from yolov2_tf.drawing.media_finder import stream_media
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.operating_points import least_threshold

    json, jsonl = checks.where_to_write(json, jsonl)
    by_ray = workers is not None and server is None
    wanted = {"show": show, "save": save, "crop": crop}
    checks.check_together(out, json, jsonl, resume, by_ray, batch_size, **wanted)
    console = messages()
    sources = stream_media(inputs, out)
    checks.check_sources(stream_media(inputs, out), save, resume, by_ray)
    if server is None:
        model = model_file(model, console)
    limits = checks.least_scores(threshold, model, server, size)
    least = limits if isinstance(limits, float) else least_threshold(limits)
    settings = {"iou": iou, "tree_threshold": tree_threshold, "size": size}
    settings |= {"batch_size": batch_size, "provider": provider or None}
    checks.check_settings(model, server, settings)
    with contextlib.ExitStack() as stack:
        rows = _Rows(stack, json, jsonl, resume)
        work = _Work(sources, rows, console)
        if by_ray:
            work.by_workers(workers, model, least, limits, settings)
        else:
            detector = _open(model, server, least, settings, workers)
            work.here(detector, limits, out, wanted)
        if not rows.written and not rows.done:
            raise InputError("none of the pictures could be read", where=", ".join(inputs))
    for note in work.write_annotations():
        remark(console, "note", note)
    if "-" not in (json, jsonl):
        make_console().print(work.summary(), highlight=False, soft_wrap=True)


class _Rows:
    """The files that rows are written to."""

    def __init__(self, stack, json, jsonl, resume):
        from yolov2_tf.prediction.rows import JsonLines, json_list

        self.written = self.detections = 0
        self.done = ()
        self._writers = []
        if json is not None:
            self._writers.append(stack.enter_context(json_list(json)))
        if jsonl is not None:
            lines = JsonLines(jsonl, resume=resume)
            stack.callback(lines.close)
            self._writers.append(lines.write)
            self.done = lines.done

    def write(self, row):
        self.written += 1
        self.detections += len(row["detections"])
        for write in self._writers:
            write(row)


class _Work:
    """Goes through the sources, tells what it skips, and sums up."""

    def __init__(self, sources, rows, console):
        self._rows, self._console = rows, console
        self._outputs, self._seconds = None, 0.0
        self._sources = self._left(sources)

    def _left(self, sources):
        """Yields the sources that have no row yet."""
        for source in sources:
            if source.name not in self._rows.done:
                yield source
            elif self._outputs is not None:
                self._outputs.pass_over(source)

    def here(self, detector, limits, out, wanted):
        """Looks at all in this process."""
        from yolov2_tf.errors import InputError
        from yolov2_tf.evaluation.operating_points import read_thresholds
        from yolov2_tf.export.serving.client import ServerError
        from yolov2_tf.prediction.outputs import Outputs
        from yolov2_tf.prediction.stream import look_at

        if not isinstance(limits, float):
            limits = read_thresholds(limits, detector.class_names)
        outputs = Outputs(detector.class_names, limits, self._rows.write, out, **wanted)
        self._outputs = outputs
        try:
            seen = look_at(detector, self._sources, singly=wanted["show"], tell=self._note)
            seen = self._counted(seen)
            for source, frames in itertools.groupby(seen, key=lambda one: one.source):
                try:
                    if not outputs.take(source, frames):
                        break
                except ServerError:
                    raise
                except InputError as error:  # the others are still worth looking at
                    if error.where == "--show":
                        raise
                    self._skip(error)
        finally:
            outputs.close()

    def by_workers(self, workers, model, least, limits, settings):
        """Has workers look at all."""
        from yolov2_tf.prediction.ray_workers import rows_by_workers

        names = (source.name for source in self._sources)
        asked = rows_by_workers(
            names, workers, model=model, least=least, limits=limits, settings=settings
        )
        for row, error in self._counted(asked):
            if error:
                self._skip(error)
            else:
                self._rows.write(row)

    def _note(self, note):
        from yolov2_tf.cli.console import remark

        remark(self._console, "note", note)

    def _skip(self, error):
        from yolov2_tf.cli.console import remark

        remark(self._console, "skipped", error)

    def _counted(self, items):
        """Yields the items; shows how many there were, and takes the time that they took."""
        from rich import progress

        columns = ("{task.completed:,} looked at", progress.TimeElapsedColumn())
        hidden = not self._console.is_terminal
        with progress.Progress(
            *columns, console=self._console, transient=True, disable=hidden
        ) as bar:
            task = bar.add_task("", total=None)
            start = time.perf_counter()
            for item in items:
                self._seconds += time.perf_counter() - start
                yield item
                bar.advance(task)
                start = time.perf_counter()

    def write_annotations(self):
        """Writes the annotations, if they are wanted; returns notes."""
        return () if self._outputs is None else self._outputs.write_annotations()

    def summary(self):
        """One line: how many detections, in what, how fast, and where."""
        rows, outputs = self._rows, self._outputs
        frames = 0 if outputs is None else outputs.frames
        pictures = rows.written - frames
        parts = [f"{pictures:,} pictures"] if pictures or not frames else []
        parts += [f"{frames:,} frames"] if frames else []
        speed = [f"{1000 * self._seconds / rows.written:.1f} ms each"] if rows.written else []
        done = [f"{len(rows.done):,} were done before"] if rows.done else []
        places = [] if outputs is None else outputs.places
        found = f"{rows.detections:,} detections in {' and '.join(parts)}"
        return ", ".join([found, *speed, *done, *places])


def _open(model, server, least, settings, workers):
    if server is None:
        from yolov2_tf.prediction.opening import open_detector

        return open_detector(model, least, **settings)
    from yolov2_tf.export.serving.client import ServedDetector
    from yolov2_tf.export.serving.connection import Connection

    connection = Connection() if workers is None else Connection(requests=workers)
    return ServedDetector(server, model, least, connection=connection)
