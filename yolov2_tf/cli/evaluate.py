"""`yolov2 evaluate`: average precision of a model in any of its forms."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json


def evaluate(
    model: Annotated[
        str,
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
    tree_scores: Annotated[
        str | None,
        typer.Option(
            help="Label trees: `label`, a box has one label (default), or `all`, it is scored as "
            "every class of DATA, as by Darknet with a map (`.keras` only)."
        ),
    ] = None,
    boxed: Annotated[
        Path | None,
        typer.Option(
            help="Label trees: numbers of the nodes that had boxes, e.g. coco9k.map: means apart."
        ),
    ] = None,
    metric: Annotated[str, typer.Option(help="voc07, voc10 or coco.")] = "voc07",
    size: Annotated[
        int | None, typer.Option(help="Input side, if not the model's own (`.keras` only).")
    ] = None,
    sizes: Annotated[
        str | None,
        typer.Option(help="Several input sides, e.g. 288-544 (every 64) or 320,416: mAP and ms."),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images at once: `.keras` 8; `.onnx`, `.xml` of dynamic batch 1."),
    ] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(help="Execution provider of ONNX Runtime, by preference; may be repeated."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(help="Leave out pictures whose pixels are damaged; else one ends the run."),
    ] = True,
    json: Json = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw precision over recall, with --sizes mAP over speed.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Write detections as VOC's devkit (a folder) or COCO's tools (`.json`) read them."
        ),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a page with all that went right and wrong.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Second model to compare with, on the page of --report.")
    ] = None,
):
    """Score a model: per-class AP and mAP.

    **Examples**
    `yolov2 evaluate runs/voc/model.keras VOCdevkit/VOC2007 --split test`

    `yolov2 evaluate model.tflite data.yaml --metric coco --json -`

    `yolov2 evaluate voc.keras VOCdevkit/VOC2007 --split test --sizes 288-544 --plot speed.png`

    `yolov2 evaluate yolo9000.keras ILSVRC --split val --tree-scores all --boxed coco9k.map`

    `yolov2 evaluate runs/new/model.keras data/ --report report --against runs/old/model.keras`
    """
    import numpy as np
    from rich.console import Console

    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.detection.thresholds import EVALUATION, Thresholds
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.formats import check_running_options, format_to_run

    console = messages()
    if against is not None and report is None:
        raise InputError("--against without --report", expected="--report FOLDER to compare in")
    model = model_file(model, console)
    given = {"size": size, "batch_size": batch_size, "tree_threshold": tree_threshold}
    given |= {"tree_scores": tree_scores, "sizes": sizes, "provider": provider or None}
    check_running_options(format_to_run(model), given, model)
    thresholds = Thresholds(EVALUATION.score, None, EVALUATION.detections, tree_threshold)
    opened = open_model(
        model, thresholds, size=size, batch_size=batch_size, providers=provider or None
    )
    of_trees = {"tree_threshold": tree_threshold, "tree_scores": tree_scores, "boxed": boxed}
    for name, value in of_trees.items():
        if opened.tree is None and value is not None:
            flag = "--" + name.replace("_", "-")
            raise InputError("has no label tree", where=model, expected=f"no {flag}")
    if tree_scores not in (None, "label", "all"):
        raise InputError(f"--tree-scores {tree_scores!r}", expected="label or all")
    every_node = tree_scores == "all"
    if every_node and tree_threshold is not None:
        raise InputError("--tree-threshold with --tree-scores all", expected="one of them")
    sides = None if sizes is None else _sides(sizes, size, results or report, every_node or boxed)
    opening = {"split": split, "images": images, "format": format}
    # Pixels are decoded once, when they are scored; for several sizes they are looked at before.
    opening["decode"] = check and sides is not None
    dataset = open_for(opened, model, data, console, nodes=class_map, **opening)
    if sides is not None:
        _at_sizes(model, dataset, sides, metric, thresholds, batch_size or 8, plot, json)
        return
    if every_node:
        opened = opened.scoring(np.unique(dataset.records.labels))
    dataset, found, seconds = detect_all(opened, dataset, console, leave_out=check)
    if results is not None:
        _write_results(dataset, found, results, data, split)
    evaluation = evaluate(dataset, found, metric, tree=opened.tree, every_node=every_node)
    if plot is not None:
        from yolov2_tf.drawing.plots import plot_precision_recall

        plot_precision_recall(evaluation, plot)
    if report is not None:
        from yolov2_tf.cli.score_report import write_report

        second = None if against is None else (model_file(against, console), thresholds)
        write_report(
            report, (model, opened), dataset, (found, evaluation, seconds), second, console
        )
    groups = {} if boxed is None else _by_supervision(evaluation, opened.tree, boxed)
    if json is not None:
        more = {"by_supervision": groups} if groups else {}
        write_json({**evaluation.to_json(), "seconds": round(seconds, 2), **more}, json)
    if json != "-":
        Console().print(evaluation.table())
        for name, group in groups.items():
            typer.echo(f"{name}: mAP {100 * group['map']:.1f} of {group['classes']} classes")


def detect_all(detector, dataset, console, *, leave_out=False):
    """Detects in all pictures of a data set, with a bar that shows how far it is.

    Args:
        detector: `Detector`.
        dataset: `Dataset`.
        console: Where the bar is.
        leave_out: Whether pictures that cannot be read are left out, with a note; else the first
            is an error.

    Returns:
        `(dataset, detections, seconds)`: the pictures that were read, and what is in them.

    Raises:
        InputError: If a picture cannot be read, or with `leave_out` not a single one.
    """
    import dataclasses
    import time

    from rich.progress import track

    from yolov2_tf.cli.parsing import print_notes
    from yolov2_tf.data.annotations import listing
    from yolov2_tf.errors import InputError
    from yolov2_tf.prediction.stream import look_at_records

    start, found, faults = time.perf_counter(), [], {}
    records = track(
        dataset.records, "detecting", total=len(dataset), console=console, transient=True
    )
    for number, seen in enumerate(look_at_records(detector, records)):
        if seen.error is None:
            found.append(seen.found)
        elif leave_out:
            faults[number] = seen.error
        else:
            raise seen.error
    seconds = time.perf_counter() - start
    if faults:
        reasons = [f"{dataset.records[i].image_id}: {error.what}" for i, error in faults.items()]
        if not found:
            raise InputError(
                f"not one of {len(dataset):,} pictures can be read; the first: {reasons[0]}",
                where=dataset.name,
            )
        left_out = f"pictures that cannot be read, left out: {len(faults):,} ({listing(reasons)})"
        print_notes([left_out], console)
        records = [record for i, record in enumerate(dataset.records) if i not in faults]
        dataset = dataclasses.replace(dataset, records=records)
    return dataset, found, seconds


def _sides(text, size, written, of_trees):
    """`"288-544"` to sides 64 apart, as in the paper's table 3; `"320,416"` to these."""
    from yolov2_tf.cli.parsing import integer_range
    from yolov2_tf.errors import InputError
    from yolov2_tf.training.recipe_values import checked_side

    if size is not None or written is not None or of_trees:
        raise InputError(
            "--sizes with --size, --results, --report, --tree-scores all or --boxed",
            expected="--sizes alone",
        )
    if "," in text:
        sides = [integer_range(part, "--sizes")[0] for part in text.split(",")]
    else:
        first, last = integer_range(text, "--sizes")
        sides = [*range(first, last, 64), last]
    return [checked_side("sizes", side) for side in sides]


def _at_sizes(model, dataset, sides, metric, thresholds, batch_size, plot, json):
    """Scores and times a model at several input sizes, prints and draws it."""
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from yolov2_tf.cli.parsing import messages, write_json
    from yolov2_tf.export.input_sizes import plot as draw
    from yolov2_tf.export.input_sizes import score_sizes

    with Progress(console=messages(), transient=True) as progress:
        rows = score_sizes(
            *(model, dataset, sides, metric, thresholds),
            batch_size=batch_size,
            watch=lambda pictures: progress.track(pictures, description="detecting"),
        )
    if plot is not None:
        draw(rows, plot, f"{Path(model).stem} on {dataset.name}")
    figures = [
        {"size": row.size, "map": row.map, "median_ms": round(row.median_ms, 2)} for row in rows
    ]
    if json is not None:
        write_json(figures, json)
    if json == "-":
        return
    table = Table("input", "mAP %", "ms", "pictures a second")
    table.title = f"{dataset.name}, {len(dataset):,} images ({metric})"
    for row in rows:
        speed = f"{1e3 / row.median_ms:.1f}"
        table.add_row(f"{row.size}", f"{100 * row.map:.1f}", f"{row.median_ms:.1f}", speed)
    Console().print(table)


def _write_results(dataset, found, path, data, split):
    """Writes detections as VOC's development kit or COCO's tools read them."""
    from yolov2_tf.data.readers.coco_files import category_ids
    from yolov2_tf.evaluation.submissions import write_coco_results, write_voc_results

    if path.suffix == ".json":
        write_coco_results(dataset, found, path, category_ids(data, split))
    else:
        write_voc_results(dataset, found, path)


def _by_supervision(evaluation, tree, boxed):
    """Means over the classes that had boxes, those below one, and the others."""
    from yolov2_tf.evaluation.hierarchy import by_supervision
    from yolov2_tf.trees.class_maps import read_class_map

    nodes = read_class_map(boxed, tree)
    means = by_supervision(list(evaluation.ap.values()), tree, nodes)
    return {name: {"map": mean, "classes": count} for name, (mean, count) in means.items()}


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
