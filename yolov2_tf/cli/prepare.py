"""`yolov2 prepare`: a data set as a few large files instead of many small ones."""

from pathlib import Path
from typing import Annotated

import typer

_BY_WORKERS_OF_BEAM = rb"(INFO|WARNING):(root|__main__|apache_beam[\w.]*):"


def prepare(
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    out: Annotated[Path, typer.Argument(help="Folder to write, new or empty.")],
    shards: Annotated[
        int | None,
        typer.Option(min=1, help="Files of each image set; default: as many as its size asks for."),
    ] = None,
    file_format: Annotated[str, typer.Option(help="array_record or tfrecord.")] = "array_record",
    split: Annotated[str | None, typer.Option(help="Image set; default: all, kept apart.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where DATA has several.")
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Read the pictures' headers, do not decode them.")
    ] = False,
    beam_pipeline_options: Annotated[
        str | None,
        typer.Option(
            help="Write by the workers of Apache Beam: its options without dashes, e.g. "
            "`runner=DirectRunner,direct_num_workers=4`; needs the extra beam."
        ),
    ] = None,
):
    """Write a data set as shards of TensorFlow Datasets, pictures and boxes together.

    Every command opens the folder that is written, and so does TFDS (`builder_from_directory`).

    **Examples**
    `yolov2 prepare VOCdevkit/VOC2007 shards --shards 8`

    `yolov2 train shards --out runs/voc`

    By the workers of a cluster, for which pictures and folder have the same paths:

    `yolov2 prepare DATA OUT --beam-pipeline-options runner=FlinkRunner,flink_master=host:8081`
    """
    from rich.progress import track
    from rich.text import Text

    from yolov2_tf.cli.parsing import messages, open_checked, print_notes
    from yolov2_tf.cli.quiet import leave_out
    from yolov2_tf.data.writers.tfds_writer import FILE_FORMATS, write_shards
    from yolov2_tf.errors import InputError

    if file_format not in FILE_FORMATS:
        raise InputError(f"--file-format {file_format!r}", expected=", ".join(FILE_FORMATS))
    console = messages()
    dataset = open_checked(
        data, console, split=split, images=images, format=format, decode=not no_check
    )

    def progress(items, total):
        return track(items, "pictures", total=total, console=console, transient=True)

    beam = None
    if beam_pipeline_options is not None:
        beam = beam_pipeline_options.split(",")
        leave_out(_BY_WORKERS_OF_BEAM)
    how = {"shards": shards, "file_format": file_format, "beam_options": beam}
    notes = write_shards(dataset, out, **how, progress=progress)
    print_notes(notes, console)
    files = sum(file_format in path.name for path in out.iterdir())
    console.print(
        Text(str(out), "bold"),
        f": {len(dataset):,} pictures in {files:,} {file_format} files",
        sep="",
        highlight=False,
        soft_wrap=True,
    )
