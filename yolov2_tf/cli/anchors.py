"""`yolov2 anchors`: box shapes of a data set as anchors."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json


def anchors(
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    k: Annotated[int | None, typer.Option("--k", min=1, help="Number of anchors, 5.")] = None,
    sweep: Annotated[str | None, typer.Option(help="Range of k to compare, e.g. 1-15.")] = None,
    size: Annotated[
        int | None, typer.Option(min=32, help="Input side in pixels for the cells, 416.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set; default: what would train.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where DATA has several.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw shapes and anchors, or the sweep.")
    ] = None,
    json: Json = None,
    difficult: Annotated[bool, typer.Option(help="Count difficult and crowd boxes too.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="The paper's table 1 for this data set.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the clustering.")] = 0,
):
    """Cluster box shapes by IoU (k-means, distance 1 - IoU) and print anchors in cells.

    **Examples**
    `yolov2 anchors VOCdevkit --k 5`

    `yolov2 anchors VOCdevkit --sweep 1-15 --plot sweep.png`

    `yolov2 anchors VOCdevkit/VOC2007 --compare`
    """
    import numpy as np
    from rich.table import Table

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import integer_range, messages, open_checked, write_json
    from yolov2_tf.data.dataset import box_shapes
    from yolov2_tf.data.image_sets import TO_TRAIN
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.anchors import sweep as sweep_k
    from yolov2_tf.models.anchors import to_cells

    if compare:
        _check_alone({"--k": k, "--size": size, "--sweep": sweep, "--plot": plot})
    if sweep is not None and k is not None:
        raise InputError("--k with --sweep", expected="one of them")
    first, last = integer_range(sweep, "--sweep") if sweep is not None else (k or 5, k or 5)
    size = size or 416
    dataset = open_checked(
        data, messages(), split=split or TO_TRAIN, images=images, format=format, pictures=False
    )
    shapes = box_shapes(dataset, ignored=difficult)
    if compare:
        return _compare(dataset, shapes, difficult, seed, json)
    distinct = len(np.unique(shapes, axis=0))
    if distinct < last:
        raise InputError(
            f"{last} anchors from {distinct} distinct box shapes",
            where=dataset.name,
            expected=f"at most {distinct}",
        )
    found = sweep_k(shapes, range(first, last + 1), seed=seed)

    table = Table(title=f"{dataset.name}: {len(shapes):,} boxes, cells of {size} px input")
    table.add_column("k", justify="right")
    table.add_column("average IoU", justify="right")
    table.add_column("anchors: width,height in cells", overflow="fold")
    rows = []
    for count, (centers, average) in found.items():
        cells = [[round(float(side), 4) for side in shape] for shape in to_cells(centers, size)]
        rows.append({"k": count, "anchors": cells, "average_iou": average})
        text = ", ".join(f"{width:g},{height:g}" for width, height in cells)
        table.add_row(str(count), f"{average:.4f}", text)
    if plot is not None:
        _plot(plot, shapes, found, sweep is not None)
    if json is not None:
        write_json(rows if sweep else rows[0], json)
    if json != "-":
        make_console().print(table)


def _check_alone(given):
    """Refuses what the comparison of table 1 has no use for."""
    from yolov2_tf.errors import InputError

    for flag, value in given.items():
        if value is not None:
            raise InputError(f"--compare with {flag}", expected="--compare alone: k is 5 and 9")


def _compare(dataset, shapes, difficult, seed, json):
    """Prints the paper's table 1 with the figures of a data set."""
    from rich.table import Table

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import write_json
    from yolov2_tf.data.dataset import box_picture_sizes
    from yolov2_tf.models.anchor_comparison import PAPER
    from yolov2_tf.models.anchor_comparison import compare as compare_anchors

    found = compare_anchors(shapes, box_picture_sizes(dataset, ignored=difficult), seed=seed)
    named = {
        "SSE 5": ("clustered, squared error", 5),
        "IoU 5": ("clustered, IoU", 5),
        "hand-picked 9": ("Faster R-CNN's, hand-picked", 9),
        "IoU 9": ("clustered, IoU", 9),
    }
    rows = [
        {"anchors": how, "k": k, "average_iou": found[name], "paper": PAPER[name]}
        for name, (how, k) in named.items()
    ]
    if json is not None:
        write_json(rows, json)
    if json == "-":
        return
    table = Table("anchors", "k", "average IoU", "the paper's, VOC 2007")
    table.title = f"{dataset.name}: {len(shapes):,} boxes"
    for row in rows:
        value = row["average_iou"]
        value = "–" if value is None else f"{100 * value:.1f}"
        table.add_row(row["anchors"], str(row["k"]), value, f"{100 * row['paper']:.1f}")
    make_console().print(table)
    if found["hand-picked 9"] is None:
        typer.echo("–: sizes of pictures are not in the annotations (or fewer shapes than k)")


def _plot(png, shapes, found, is_sweep):
    from yolov2_tf.drawing.plots import plot_anchor_sweep, plot_anchors

    if is_sweep:
        plot_anchor_sweep(list(found), [average for _, average in found.values()], png)
    else:
        ((centers, _),) = found.values()
        plot_anchors(shapes, centers, png)
