"""`yolov2 inspect`: what is in a data set, as a page to look at."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json


def inspect(
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report, whose index.html is one whole file.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set; default: all.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where DATA has several.")
    ] = None,
    size: Annotated[int, typer.Option(help="Input side in pixels, a multiple of 32.")] = 416,
    anchors: Annotated[int, typer.Option(min=1, help="Number of anchors to cluster.")] = 5,
    pictures: Annotated[
        bool, typer.Option(help="Show pictures; without, only annotations are read.")
    ] = True,
    check: Annotated[
        bool | None,
        typer.Option(
            "--check/--no-check",
            help="Decode every picture once before (default); else only its header is read.",
        ),
    ] = None,
    json: Json = None,
):
    """Look at a data set before training: contents, shapes, limits, suspicious labels, samples.

    **Examples**
    `yolov2 inspect VOCdevkit/VOC2007 --out report`

    `yolov2 inspect data.yaml --size 320 --json -`
    """
    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import messages, open_checked, write_json
    from yolov2_tf.errors import InputError
    from yolov2_tf.report.data_report import data_page, inspect_dataset
    from yolov2_tf.report.page import write_page
    from yolov2_tf.training.recipe_values import checked_side

    if out is None and json is None:
        raise InputError("nowhere to put the report", expected="--out FOLDER or --json FILE")
    if check is not None and not pictures:
        flag = "--check" if check else "--no-check"
        raise InputError(f"{flag} with --no-pictures, which looks at none", expected="one of them")
    checked_side("size", size)
    console = messages()
    opening = {"split": split, "images": images, "format": format}
    dataset = open_checked(data, console, pictures=pictures, decode=check is not False, **opening)
    report = inspect_dataset(dataset, size, anchors)
    if out is not None:
        page = data_page(dataset, report, pictures=pictures)
        write_page(out, page, data=report.as_json(dataset))
    if json is not None:
        write_json(report.as_json(dataset), json)
    if json != "-":
        place = f", see {out / 'index.html'}" if out is not None else ""
        make_console().print(
            f"{len(report.suspects):,} suspicious labels, {report.sharing:,} truths without a slot "
            f"of their own at {size} px{place}",
            soft_wrap=True,
            highlight=False,
        )
