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
    size: Annotated[int | None, typer.Option(help="Input side, if not the model's own.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at once.")] = 8,
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
    import dataclasses
    import time

    from rich.console import Console
    from rich.progress import track

    from yolov2_tf.cli.parsing import messages, open_checked, write_json
    from yolov2_tf.data.images import load_image
    from yolov2_tf.data.nodes import map_boxes_onto_tree
    from yolov2_tf.detection.thresholds import EVALUATION
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model

    console = messages()
    thresholds = dataclasses.replace(EVALUATION, tree=tree_threshold)
    opened = open_model(model, thresholds, size=size, batch_size=batch_size)
    if opened.tree is None and class_map is not None:
        raise InputError("has no label tree", where=model, expected="no --map")
    class_names = opened.class_names if opened.tree is None else None
    dataset = open_checked(
        data,
        console,
        split=split,
        images=images,
        format=format,
        class_names=class_names,
        decode=check,
    )
    if opened.tree is not None:
        dataset = map_boxes_onto_tree(dataset, opened.tree, opened.class_names, class_map)
    pictures = (load_image(record.image) for record in dataset.records)
    start = time.perf_counter()
    found = list(
        track(
            opened.detect(pictures),
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
