"""`yolov2 evaluate`: average precision of a model in any of its forms."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[
        Path,
        typer.Argument(
            help="`.keras`, `.tflite`, `.onnx`, `.xml`, SavedModel, or a name of `yolov2 models`."
        ),
    ],
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    split: Annotated[str | None, typer.Option(help="Image set; default: val, else test.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where DATA has several.")
    ] = None,
    class_map: Annotated[
        Path | None,
        typer.Option("--map", help="Label trees: number of each class's node, e.g. coco9k.map."),
    ] = None,
    tree_threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Label trees: least Pr(node | object) (`.keras` only)."),
    ] = None,
    metric: Annotated[str, typer.Option(help="voc07, voc10 or coco.")] = "voc07",
    size: Annotated[
        int | None, typer.Option(help="Input side, if not the model's own (`.keras` only).")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images at once, 8 (`.keras` only).")
    ] = None,
    check: Annotated[
        bool, typer.Option(help="Decode every picture once before; else only its header is read.")
    ] = True,
    json: Annotated[str | None, typer.Option(help="Write JSON to a file, `-`: to stdout.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw precision over recall.")] = None,
):
    """Score a model: per-class AP and mAP.

    **Examples**
    `yolov2 evaluate runs/voc/model.keras VOCdevkit/VOC2007 --split test`

    `yolov2 evaluate model.tflite data.yaml --metric coco --json -`
    """
    import time

    from rich.console import Console
    from rich.progress import track

    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.detection.thresholds import EVALUATION, Thresholds
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.formats import check_running_options, format_to_run

    console = messages()
    model = model_file(model, console)
    given = {"size": size, "batch_size": batch_size, "tree_threshold": tree_threshold}
    check_running_options(format_to_run(model), given, model)
    thresholds = Thresholds(EVALUATION.score, None, EVALUATION.detections, tree_threshold)
    opened = open_model(model, thresholds, size=size, batch_size=batch_size)
    if opened.tree is None and tree_threshold is not None:
        raise InputError("has no label tree", where=model, expected="no --tree-threshold")
    opening = {"split": split, "images": images, "format": format, "decode": check}
    dataset = open_for(opened, model, data, console, nodes=class_map, **opening)
    start = time.perf_counter()
    found = list(
        track(
            opened.detect(record.image for record in dataset.records),
            "detecting",
            total=len(dataset),
            console=console,
            transient=True,
        )
    )
    seconds = time.perf_counter() - start
    evaluation = evaluate(dataset, found, metric, tree=opened.tree)
    if plot is not None:
        from yolov2_tf.drawing.plots import plot_precision_recall

        plot_precision_recall(evaluation, plot)
    if json is not None:
        write_json({**evaluation.to_json(), "seconds": round(seconds, 2)}, json)
    if json != "-":
        Console().print(evaluation.table())


def open_for(detector, where, data, console, *, nodes=None, split=None, **opening):
    """Opens a data set to score a detector on, labelled as the detector labels.

    Args:
        detector: Anything with `class_names` and `tree`.
        where: Its file, for messages.
        data: `DATA` as the commands take it.
        console: Where to tell what was skipped.
        nodes: For label trees: file with the number of each class's node, or None.
        split: Image set; None for the one to score on, see `TO_SCORE`.
        **opening: See `open_checked`.

    Returns:
        `Dataset`; with a tree its labels are nodes.

    Raises:
        InputError: If the data set cannot be used, or its classes are not the detector's.
    """
    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.image_sets import TO_SCORE
    from yolov2_tf.data.nodes import map_boxes_onto_tree
    from yolov2_tf.errors import InputError

    opening["split"] = split or TO_SCORE
    if detector.tree is None:
        if nodes is not None:
            raise InputError("has no label tree", where=where, expected="no --map")
        return open_checked(data, console, class_names=detector.class_names, **opening)
    dataset = open_checked(data, console, **opening)
    return map_boxes_onto_tree(dataset, detector.tree, detector.class_names, nodes)
