"""`yolov2 convert`: a data set in the form of another tool."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import LOCAL_FILE, LocalText


def convert(
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    out: Annotated[Path, typer.Argument(help="Folder to write, new or empty.")],
    to: Annotated[str, typer.Option(help="voc, coco, yolo, csv or tfrecord.")],
    split: Annotated[
        str | None, typer.Option(help="Image set; default: all, kept apart; of `digits` train.")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where DATA has several.")
    ] = None,
    pictures: Annotated[str, typer.Option(help="copy, link or none (leave them).")] = "copy",
    only: Annotated[
        LocalText | None,
        typer.Option(
            parser=LocalText,
            metavar="voc|FILE|A,B",
            help="Classes to keep; pictures without a box of theirs stay as background.",
        ),
    ] = None,
    drop_ignored: Annotated[
        bool, typer.Option("--drop-ignored", help="Leave out difficult and crowd boxes.")
    ] = False,
    json: Annotated[
        LocalText | None,
        typer.Option(help="Write what DATA holds as JSON to a file, `-`: to stdout.", **LOCAL_FILE),
    ] = None,
):
    """Write a data set as VOC, COCO, YOLO txt, CSV or TFRecord.

    Image sets stay apart, boxes are exact to a hundredth of a pixel, and what the form cannot say
    is told.

    **Examples**
    `yolov2 convert VOCdevkit/VOC2007 voc_as_yolo --to yolo`

    `yolov2 convert instances_val2017.json val_as_voc --to voc --images val2017 --pictures link`

    `yolov2 convert coco people --to coco --only person,bicycle --pictures link`
    """
    from rich.progress import track
    from rich.text import Text

    from yolov2_tf.cli.console import remark
    from yolov2_tf.cli.parsing import class_names, messages, open_checked, write_json
    from yolov2_tf.data.only_classes import only_classes
    from yolov2_tf.data.source import category_ids_of
    from yolov2_tf.data.summary import summarize
    from yolov2_tf.data.writers.conversion import FORMS, PICTURES, without_unreadable
    from yolov2_tf.data.writers.conversion import convert as write
    from yolov2_tf.errors import InputError

    for option, value, known in (("--to", to, FORMS), ("--pictures", pictures, PICTURES)):
        if value not in known:
            raise InputError(f"{option} {value!r}", expected=", ".join(known))
    console = messages()
    dataset = open_checked(data, console, split=split, images=images, format=format, pictures=False)
    dataset, notes = without_unreadable(dataset, to)
    for note in notes:
        remark(console, "note", note)
    if only is not None:
        dataset, note = only_classes(dataset, class_names(only))
        remark(console, "note", note)

    def progress(items, total):
        return track(items, "pictures", total=total, console=console, transient=True)

    how = {"pictures": pictures, "drop_ignored": drop_ignored, "progress": progress}
    if to == "coco":
        how["category_ids"] = category_ids_of(data, split, format)
    notes = write(dataset, out, to, **how)
    for note in notes:
        remark(console, "note", note)
    if json is not None:
        write_json(summarize(dataset).as_json(), json)
    boxes = sum(len(record.boxes) for record in dataset.records)
    console.print(
        Text(str(out), "bold"),
        f": {to}, {len(dataset):,} pictures, {boxes:,} boxes of "
        f"{len(dataset.class_names):,} classes",
        sep="",
        highlight=False,
    )
