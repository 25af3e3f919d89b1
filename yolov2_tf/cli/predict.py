"""`yolov2 predict`: pictures in, drawn pictures and detections out."""

import json as json_module
import time
from pathlib import Path
from typing import Annotated

import typer

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
            help="Pictures, videos, folders, patterns (`photos/*.jpg`), addresses "
            "(`https://…`, `rtsp://…`), cameras (`0`)."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the drawn pictures.")] = None,
    json: Annotated[str | None, typer.Option(help="Write JSON to a file, `-`: to stdout.")] = None,
    threshold: Annotated[
        str,
        typer.Option(
            help="Least score, or `best`: of each class what `evaluate --report` found best, or "
            "that report's thresholds.json."
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

    `yolov2 predict runs/voc/model.keras "photos/**/*.jpg" --save yolo --out annotated`

    `yolov2 predict runs/voc/model.keras 0 --show`

    `yolov2 predict yolov2 photos/ --server http://localhost:8501 --out drawn`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.drawing.media import find_media
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.operating_points import least_threshold, read_thresholds
    from yolov2_tf.export.serving.client import ServerError

    if out is None and json is None and not show:
        raise InputError(
            "nowhere to put the detections", expected="--out FOLDER, --json FILE or --show"
        )
    if out is None and (save or crop):
        raise InputError("--save and --crop without --out", expected="--out FOLDER")
    console = messages()
    sources = find_media(inputs, out)
    if save and any(source.kind != "picture" for source in sources):
        raise InputError("--save with a video or camera", expected="pictures alone")
    if server is None:
        model = model_file(model, console)
    limits = _limits(threshold, model, server)
    least = limits if isinstance(limits, float) else least_threshold(limits)
    detector = _open(model, server, least, iou, tree_threshold, size)
    if not isinstance(limits, float):
        limits = read_thresholds(limits, detector.class_names)
    work = _Work(detector, limits, out, show=show, save=save, crop=crop)
    try:
        for source in sources:
            try:
                if not work.look_at(source):
                    break
            except ServerError:
                raise
            except InputError as error:  # the others are still worth looking at
                if error.where == "--show":
                    raise
                console.print(f"[yellow]skipped:[/yellow] {error}", highlight=False, soft_wrap=True)
    finally:
        work.close()
    if not work.results:
        raise InputError("none of the pictures could be read", where=", ".join(inputs))
    if json is not None:
        write_json(work.results, json)
    for note in work.write_annotations():
        console.print(f"[yellow]note:[/yellow] {note}", highlight=False, soft_wrap=True)
    if json != "-":
        Console().print(work.summary(), highlight=False, soft_wrap=True)


class _Work:
    """Looks at one source after the other, and puts what is found where it is wanted."""

    def __init__(self, detector, limits, out, *, show, save, crop):
        from yolov2_tf.drawing.annotated import Annotations, Crops
        from yolov2_tf.drawing.media import Window

        self.results = []
        self._detector, self._limits, self._out = detector, limits, out
        self._window = Window() if show else None
        names = detector.class_names
        self._annotations = Annotations(out / save, save, names) if save else None
        self._crops = Crops(out / "crops", names) if crop else None
        self._seconds = 0.0
        self._frames = 0

    def look_at(self, source):
        """Detects in a picture or in all frames; False if the user wants no more."""
        from yolov2_tf.drawing.media import read_media, written_media

        goes_on = True
        with written_media(source, self._out) as write:
            try:
                for name, picture in read_media(source):
                    drawn = self._detect(source, name, picture)
                    if self._out is not None:
                        write(drawn)
                    if self._window is not None:
                        goes_on = self._window.show(drawn, wait=source.kind == "picture")
                    if not goes_on:
                        break
            except KeyboardInterrupt:  # the end of a camera: what there is so far is kept
                if source.kind != "live":
                    raise
                return False
        return goes_on

    def _detect(self, source, name, picture):
        from yolov2_tf.drawing.pictures import draw_detections
        from yolov2_tf.evaluation.operating_points import above

        start = time.perf_counter()
        found = above(self._detector.detect(picture), self._limits)
        self._seconds += time.perf_counter() - start
        names = self._detector.class_names
        self.results.append({"image": name, "detections": _as_json(found, names)})
        frame = source.kind != "picture"
        self._frames += frame
        if self._annotations is not None:
            self._annotations.add(source, picture, found)
        if self._crops is not None:
            place = source.drawn
            if frame:
                place = place.with_name(f"{place.stem}-{name.rpartition('#')[2]}{place.suffix}")
            self._crops.add(place, picture, found)
        if self._out is None and self._window is None:
            return None
        return draw_detections(picture, found["boxes"], found["labels"], found["scores"], names)

    def write_annotations(self):
        """Writes the annotations, if they are wanted; returns notes."""
        return () if self._annotations is None else self._annotations.write()

    def close(self):
        """Closes the window."""
        if self._window is not None:
            self._window.close()

    def summary(self):
        """One line: how many detections, in what, how fast, and where."""
        total = sum(len(result["detections"]) for result in self.results)
        pictures = len(self.results) - self._frames
        parts = [f"{pictures:,} pictures"] if pictures else []
        parts += [f"{self._frames:,} frames"] if self._frames else []
        speed = 1000 * self._seconds / len(self.results)
        places = [] if self._out is None else [f"drawn in {self._out}"]
        places += [] if self._annotations is None else [f"annotated in {self._annotations.folder}"]
        return ", ".join(
            [f"{total:,} detections in {' and '.join(parts)}", f"{speed:.1f} ms each", *places]
        )


def _limits(threshold, model, server):
    """The least score, or the file with that of each class."""
    from yolov2_tf.cli.parsing import thresholds_file
    from yolov2_tf.errors import InputError
    from yolov2_tf.files import fingerprint

    if threshold != "best":
        try:
            number = float(threshold)
        except ValueError:
            return Path(threshold)
        if not 0 <= number <= 1:
            raise InputError(f"--threshold {threshold}", expected="0 to 1, or best")
        return number
    if server is not None:
        raise InputError(
            "--threshold best with --server", expected="--threshold FILE, a thresholds.json"
        )
    path = thresholds_file(model)
    hint = f"yolov2 evaluate {model} DATA --report FOLDER"
    if path is None or not path.is_file():
        raise InputError("no best thresholds of this model", where=path or model, hint=hint)
    try:
        known = json_module.loads(path.read_text(encoding="utf-8")).get("model")
    except (ValueError, AttributeError):
        known = None
    if known != fingerprint(model):
        raise InputError("thresholds of another state of this model", where=path, hint=hint)
    return path


def _open(model, server, threshold, iou, tree_threshold, size):
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.formats import SERVER, check_running_options, format_to_run

    given = {"iou": iou, "tree_threshold": tree_threshold, "size": size}
    check_running_options(format_to_run(model) if server is None else SERVER, given, model)
    if server is not None:
        from yolov2_tf.export.serving.client import ServedDetector

        return ServedDetector(server, model, threshold)

    from yolov2_tf.detection.thresholds import Thresholds
    from yolov2_tf.export.detectors import open_model

    thresholds = Thresholds(threshold, iou, tree=tree_threshold)
    detector = open_model(model, thresholds, size=size)
    if detector.tree is None and tree_threshold is not None:
        raise InputError("has no label tree", where=model, expected="no --tree-threshold")
    return detector


def _as_json(found, class_names):
    return [
        {
            "box": [round(float(side), 5) for side in box],
            "label": class_names[label],
            "score": round(float(score), 5),
        }
        for box, label, score in zip(found["boxes"], found["labels"], found["scores"], strict=True)
    ]
