"""`yolov2 evaluate`: average precision of a model in any of its forms."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="`.keras`, `.tflite`, `.onnx`, `.xml` or SavedModel folder.")
    ],
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    split: Annotated[str | None, typer.Option(help="Image set, e.g. test.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the images (COCO).")] = None,
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

    from yolov2_tf.cli.parsing import messages, write_json
    from yolov2_tf.detection.thresholds import EVALUATION, Thresholds
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.formats import check_running_options, format_to_run

    given = {"size": size, "batch_size": batch_size, "tree_threshold": tree_threshold}
    check_running_options(format_to_run(model), given, model)
    console = messages()
    thresholds = Thresholds(EVALUATION.score, None, EVALUATION.detections, tree_threshold)
    opened = open_model(model, thresholds, size=size, batch_size=batch_size)
    if opened.tree is None and tree_threshold is not None:
        raise InputError("has no label tree", where=model, expected="no --tree-threshold")
    dataset = open_for(opened, model, data, console, split=split, images=images, nodes=class_map)
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


def open_for(detector, where, data, console, *, split=None, images=None, nodes=None):
    """Opens a data set to score a detector on, labelled as the detector labels.

    Args:
        detector: Anything with `class_names` and `tree`.
        where: Its file, for messages.
        data: `DATA` as the commands take it.
        console: Where to tell what was skipped.
        split: Image set, or None.
        images: Folder of the images (COCO), or None.
        nodes: For label trees: file with the number of each class's node, or None.

    Returns:
        `Dataset`; with a tree its labels are nodes.

    Raises:
        InputError: If the data set cannot be used, or its classes are not the detector's.
    """
    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.nodes import map_boxes_onto_tree
    from yolov2_tf.errors import InputError

    if detector.tree is None:
        if nodes is not None:
            raise InputError("has no label tree", where=where, expected="no --map")
        names = detector.class_names
        return open_checked(data, console, split=split, images=images, class_names=names)
    dataset = open_checked(data, console, split=split, images=images)
    return map_boxes_onto_tree(dataset, detector.tree, detector.class_names, nodes)
