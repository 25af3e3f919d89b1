"""`yolov2 predict`: pictures in, drawn pictures and detections out."""

import json as json_module
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
    inputs: Annotated[list[Path], typer.Argument(help="Pictures, folders of pictures, videos.")],
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
    server: Annotated[
        str | None,
        typer.Option(help="TensorFlow Serving: `http://HOST:8501` (REST), `grpc://HOST:8500`."),
    ] = None,
):
    """Detect objects in pictures and draw them.

    **Examples**
    `yolov2 predict runs/voc/model.keras street.jpg --out drawn`

    `yolov2 predict runs/voc/model.keras photos/ --json detections.json`

    `yolov2 predict yolov2 photos/ --server http://localhost:8501 --out drawn`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.drawing.media import find_media, read_media, written_media
    from yolov2_tf.drawing.pictures import draw_detections
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.operating_points import above, least_threshold, read_thresholds
    from yolov2_tf.export.serving.client import ServerError

    if out is None and json is None:
        raise InputError("nowhere to put the detections", expected="--out FOLDER or --json FILE")
    console = messages()
    sources = find_media(inputs)
    if server is None:
        model = model_file(model, console)
    limits = _limits(threshold, model, server)
    least = limits if isinstance(limits, float) else least_threshold(limits)
    detector = _open(model, server, least, iou, tree_threshold, size)
    names = detector.class_names
    if not isinstance(limits, float):
        limits = read_thresholds(limits, names)
    results = []
    for source in sources:
        try:
            with written_media(source, out) as write:
                for name, picture in read_media(source):
                    found = above(detector.detect(picture), limits)
                    results.append({"image": name, "detections": _as_json(found, names)})
                    if out is not None:
                        drawn = draw_detections(
                            picture, found["boxes"], found["labels"], found["scores"], names
                        )
                        write(drawn)
        except ServerError:
            raise
        except InputError as error:  # the others are still worth looking at
            console.print(f"[yellow]skipped:[/yellow] {error}", highlight=False, soft_wrap=True)
    if not results:
        raise InputError("none of the pictures could be read", where=", ".join(map(str, inputs)))
    if json is not None:
        write_json(results, json)
    if json != "-":
        total = sum(len(result["detections"]) for result in results)
        place = "" if out is None else f", drawn in {out}"
        Console().print(f"{total:,} detections in {len(results):,} pictures{place}")


def _limits(threshold, model, server):
    """The least score, or the file with that of each class."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.operating_points import thresholds_beside
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
    path = thresholds_beside(model)
    hint = f"yolov2 evaluate {model} DATA --report FOLDER"
    if not path.is_file():
        raise InputError("no best thresholds of this model", where=path, hint=hint)
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
