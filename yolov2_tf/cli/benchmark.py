"""`yolov2 benchmark`: size, speed and accuracy of every exported form, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json


def benchmark(
    model: Annotated[
        str, typer.Argument(help="`.keras` file of a detector, or a name of `yolov2 models`.")
    ],
    data: Annotated[str, typer.Option(help="Data set to score the forms on.")],
    split: Annotated[
        str | None, typer.Option(help="Image set of --data; default: val, else test.")
    ] = None,
    class_map: Annotated[
        Path | None,
        typer.Option("--map", help="Label trees: number of each class's node, e.g. coco9k.map."),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the pictures.")] = None,
    format: Annotated[
        str | None, typer.Option(help="Form of the annotations, where --data has several.")
    ] = None,
    calibrate: Annotated[
        str | None, typer.Option(help="Data set to calibrate int8 on; without it int8 is left out.")
    ] = None,
    calibrate_split: Annotated[
        str | None, typer.Option(help="Image set of --calibrate; default: what would train.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the forms, the table, a plot, and drawn pictures."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score the first pictures only.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Pictures that are timed.")] = 50,
    threads: Annotated[
        str, typer.Option(help="CPU threads of each form, e.g. 2, or several: 1,all.")
    ] = "2",
    batch_size: Annotated[
        int | None,
        typer.Option(min=2, help="Also files that take so many pictures at once; a picture's ms."),
    ] = None,
    json: Json = None,
):
    """Compare the forms of a model: MB, ms, mAP; each is timed in a process of its own.

    Keras, SavedModel and TFLite always run; ONNX Runtime, OpenVINO and OpenCV where they are
    installed. In `--out`, `benchmark.md` has the table, `benchmark.png` the plot, and
    `side_by_side.png` the same pictures drawn through every form.

    **Examples**
    `yolov2 benchmark model.keras --data VOCdevkit/VOC2007 --split test --calibrate photos.yaml`

    `yolov2 benchmark model.keras --data digits --split val --calibrate digits --json -`

    `yolov2 benchmark starter --data VOCdevkit/VOC2007 --split test --threads 1,all --batch-size 4`
    """
    import dataclasses
    import tempfile

    from yolov2_tf.cli.calibration import calibration_pictures, shared_with
    from yolov2_tf.cli.console import remark
    from yolov2_tf.cli.parsing import messages, model_file, print_notes, write_json
    from yolov2_tf.cli.scoring import open_for
    from yolov2_tf.data.images import load_image
    from yolov2_tf.errors import InputError
    from yolov2_tf.export import benchmark as measure
    from yolov2_tf.export.forms import write_forms
    from yolov2_tf.export.timing import OwnProcess

    counts = thread_counts(threads)
    if calibrate_split is not None and calibrate is None:
        raise InputError(
            "--calibrate-split without --calibrate", expected="the data set that has it"
        )
    console = messages()
    model = model_file(model, console)
    loaded = _load(model)
    dataset, _ = open_for(
        loaded.head,
        model,
        data,
        console,
        nodes=class_map,
        split=split,
        images=images,
        format=format,
    )
    dataset = dataclasses.replace(dataset, records=dataset.records[:limit])
    if not dataset.num_boxes:
        raise InputError(
            "no boxes to score the forms on",
            where=dataset.name,
            expected="pictures with boxes" + (" among the first" if limit else ""),
        )
    calibration = None
    if calibrate is not None:
        calibration, calibrating = calibration_pictures(
            calibrate, calibrate_split, console, "--calibrate-split"
        )
        if (note := shared_with(calibrating, dataset)) is not None:
            print_notes([note], console)
    examples = [load_image(record.image) for record in dataset.records[:4]]
    with tempfile.TemporaryDirectory() as scratch:
        with console.status("exporting"):
            folder = Path(scratch) if out is None else out
            written = {"calibration": calibration, "pictures": examples, "batch": batch_size}
            forms, notes = write_forms(loaded, model, folder, **written)
        for note in notes:
            remark(console, "left out", note)
        settings = {"runs": runs, "timer": OwnProcess, "progress": _progress(console)}
        rows = measure.benchmark(forms, dataset, threads=counts, **settings)
    table = measure.markdown(rows)
    if json is not None:  # first: a drawing that fails shall not cost the figures
        write_json([dataclasses.asdict(row) for row in rows], json)
    if out is not None:
        _draw(table, rows, forms, loaded.head.class_names, examples, out)
    if json != "-":
        typer.echo(table, nl=False)


def thread_counts(text):
    """`"1,all"` to `(1, 8)` on eight cores.

    Raises:
        InputError: If something in it is no number of threads.
    """
    import os

    from yolov2_tf.errors import InputError

    counts = []
    for word in text.split(","):
        if word.strip() == "all":
            own = getattr(os, "sched_getaffinity", None)  # Linux tells what this process may use
            count = len(own(0)) if own else os.cpu_count()
        elif word.strip().isdecimal() and int(word) > 0:
            count = int(word)
        else:
            raise InputError(f"--threads {text!r}", expected="numbers from 1 on, or all: 1,all")
        if count not in counts:
            counts.append(count)
    return tuple(counts)


def _load(path):
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.detection_model import DetectionModel
    from yolov2_tf.models.loading import load_model

    model = load_model(path)
    if not isinstance(model, DetectionModel):
        raise InputError("not a detector", where=path, expected="a model that finds boxes")
    return model


def _progress(console):
    from rich.progress import track

    return lambda items, total, what: track(
        items, what, total=total, console=console, transient=True
    )


def _draw(table, rows, forms, class_names, pictures, out):
    from yolov2_tf.export import benchmark as measure
    from yolov2_tf.files import replacing

    with replacing(out / "benchmark.md") as temporary:
        temporary.write_text(table)
    measure.plot(rows, out / "benchmark.png")
    measure.draw_side_by_side(forms, class_names, pictures, out / "side_by_side.png")
