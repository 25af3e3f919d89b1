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

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.cli.scoring import detect_all, open_for
    from yolov2_tf.detection.thresholds import EVALUATION, Thresholds
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.formats import (
        check_running_options,
        check_tree_options,
        format_to_run,
    )
    from yolov2_tf.trees.class_maps import read_class_map

    console = messages()
    every_node = _checked_choices(metric, tree_scores, tree_threshold, report, against)
    sides = None if sizes is None else _sides(sizes, size, results or report, every_node or boxed)
    model = model_file(model, console)
    against = None if against is None else model_file(against, console)
    provider = provider or None
    running = {"size": size, "batch_size": batch_size, "provider": provider}
    given = {"tree_threshold": tree_threshold, "tree_scores": tree_scores, "sizes": sizes}
    check_running_options(format_to_run(model), running | given, model)
    thresholds = Thresholds(EVALUATION.score, None, EVALUATION.detections, tree_threshold)
    opened = open_model(model, thresholds, size=size, batch_size=batch_size, providers=provider)
    of_trees = {"tree_threshold": tree_threshold, "tree_scores": tree_scores, "boxed": boxed}
    check_tree_options(opened.tree, of_trees, model)
    with_boxes = None if boxed is None else read_class_map(boxed, opened.tree)
    if report is not None:
        from yolov2_tf.cli.score_report import check_report, open_second, write_report

        check_report(opened, model)
        second = against and open_second(against, thresholds, opened, **running)
    opening = {"split": split, "images": images, "format": format}
    # Pixels are decoded once, when they are scored; for several sizes they are looked at before.
    opening["decode"] = check and sides is not None
    dataset, classes = open_for(opened, model, data, console, nodes=class_map, **opening)
    if sides is not None:
        _at_sizes(model, dataset, sides, metric, thresholds, batch_size or 8, plot, json)
        return
    if plot is not None and not dataset.num_boxes:
        raise InputError("no box, so no curve for --plot", where=dataset.name)
    if every_node:
        opened = opened.scoring(np.unique(dataset.records.labels))
    write_results = None
    if results is not None:
        source = data, split
        write_results = _results_writer(
            opened, dataset, classes, results, source, every_node, console
        )
    dataset, found, seconds = detect_all(opened, dataset, console, leave_out=check)
    if write_results is not None:
        write_results(dataset, found)
    evaluation = evaluate(dataset, found, metric, tree=opened.tree, every_node=every_node)
    if plot is not None:
        from yolov2_tf.drawing.plots import plot_precision_recall

        plot_precision_recall(evaluation, plot)
    if report is not None:
        write_report(
            report, (model, opened), dataset, (found, evaluation, seconds), second, console
        )
    groups = {} if boxed is None else _by_supervision(evaluation, opened.tree, with_boxes)
    if json is not None:
        more = {"by_supervision": groups} if groups else {}
        write_json({**evaluation.to_json(), "seconds": round(seconds, 2), **more}, json)
    if json != "-":
        make_console().print(evaluation.table())
        for name, group in groups.items():
            typer.echo(f"{name}: mAP {100 * group['map']:.1f} of {group['classes']} classes")


def _checked_choices(metric, tree_scores, tree_threshold, report, against):
    """Whether each box is scored as every class, once what is asked for goes together."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import METRICS

    if metric not in METRICS:
        raise InputError(f"unknown metric {metric!r}", expected=", ".join(METRICS))
    if against is not None and report is None:
        raise InputError("--against without --report", expected="--report FOLDER to compare in")
    if tree_scores not in (None, "label", "all"):
        raise InputError(f"--tree-scores {tree_scores!r}", expected="label or all")
    if tree_scores == "all" and tree_threshold is not None:
        raise InputError("--tree-threshold with --tree-scores all", expected="one of them")
    return tree_scores == "all"


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
    from rich.progress import Progress
    from rich.table import Table

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import messages, write_json
    from yolov2_tf.evaluation.detections import null_if_nan, percent
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
        {"size": row.size, "map": null_if_nan(row.map), "median_ms": round(row.median_ms, 2)}
        for row in rows
    ]
    if json is not None:
        write_json(figures, json)
    if json == "-":
        return
    table = Table("input", "mAP %", "ms", "pictures a second")
    table.title = f"{dataset.name}, {len(dataset):,} images ({metric})"
    for row in rows:
        speed = f"{1e3 / row.median_ms:.1f}"
        table.add_row(f"{row.size}", percent(row.map), f"{row.median_ms:.1f}", speed)
    make_console().print(table)


def _results_writer(opened, dataset, classes, path, source, every_node, console):
    """Function of a data set and its detections that writes these as VOC's or COCO's tools do.

    These tools know the classes of the data alone, none of the nodes of a label tree.

    Raises:
        InputError: If they could not be written.
    """
    import dataclasses

    from yolov2_tf.cli.parsing import print_notes
    from yolov2_tf.data.annotations import listing
    from yolov2_tf.data.readers.coco_files import category_ids
    from yolov2_tf.evaluation import submissions
    from yolov2_tf.evaluation.hierarchy import of_classes

    def known(*found):
        if opened.tree is None:
            return found
        return of_classes(*found, opened.tree, classes, every_node=every_node)

    if opened.tree is not None:
        dataset = dataclasses.replace(dataset, class_names=tuple(classes))
    if path.suffix != ".json":
        submissions.check_voc_results(dataset, path)
        return lambda *found: submissions.write_voc_results(*known(*found), path)
    ids = category_ids(*source)
    submissions.check_coco_results(dataset, path, ids)
    if missing := submissions.without_category(dataset, ids):
        what = f"classes without a category of {source[0]}, whose detections {path} leaves out"
        print_notes([f"{what}: {len(missing):,} ({listing(missing)})"], console)
    return lambda *found: submissions.write_coco_results(*known(*found), path, ids)


def _by_supervision(evaluation, tree, nodes):
    """Means over the classes that had boxes, those below one, and the others."""
    from yolov2_tf.evaluation.hierarchy import by_supervision

    means = by_supervision(list(evaluation.ap.values()), tree, nodes)
    return {name: {"map": mean, "classes": count} for name, (mean, count) in means.items()}
