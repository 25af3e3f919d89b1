"""`yolov2 train`: annotated images to a trained detector."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.recipe import Recipe

DEFAULTS = Recipe()


def train(
    data: Annotated[str, typer.Argument(help="Data set: folder, file, `tfds:NAME` or `digits`.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    val: Annotated[
        str | None, typer.Option(help="Data set to score on; DATA if only --val-split.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set to train on.")] = None,
    val_split: Annotated[str | None, typer.Option(help="Image set to score on.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the images (COCO).")] = None,
    model: Annotated[
        str, typer.Option(help="yolov2, tiny, or a `.keras` file to go on from.")
    ] = DEFAULTS.model,
    width: Annotated[
        float, typer.Option(min=0.01, max=4, help="Multiplies the filters.")
    ] = DEFAULTS.width,
    size: Annotated[
        int, typer.Option(help="Input side in pixels, a multiple of 32.")
    ] = DEFAULTS.size,
    multi_scale: Annotated[str | None, typer.Option(help="Range of sides, e.g. 320-608.")] = None,
    resize_every: Annotated[
        int, typer.Option(min=1, help="Batches that share a side.")
    ] = DEFAULTS.resize_every,
    resize: Annotated[str, typer.Option(help="stretch or letterbox.")] = DEFAULTS.resize,
    anchors: Annotated[int, typer.Option(min=1, help="Number of anchors.")] = DEFAULTS.anchors,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = DEFAULTS.batch_size,
    optimizer: Annotated[str, typer.Option(help="sgd (the paper's) or adam.")] = DEFAULTS.optimizer,
    learning_rate: Annotated[
        float, typer.Option(help="Rate after burn-in.")
    ] = DEFAULTS.learning_rate,
    schedule: Annotated[
        str, typer.Option(help="steps (the paper's) or cosine.")
    ] = DEFAULTS.schedule,
    jitter: Annotated[
        float, typer.Option(min=0, max=0.45, help="How far borders move.")
    ] = DEFAULTS.jitter,
    flip: Annotated[bool, typer.Option(help="Mirror half of the pictures.")] = DEFAULTS.flip,
    weights: Annotated[
        Path | None, typer.Option(help="`.keras` file whose fitting weights start this.")
    ] = None,
    freeze: Annotated[bool, typer.Option("--freeze", help="Hold the loaded weights.")] = False,
    precision: Annotated[
        str, typer.Option(help="float32, mixed_bfloat16, mixed_float16.")
    ] = DEFAULTS.precision,
    seed: Annotated[int, typer.Option(help="Seed of weights, views and order.")] = DEFAULTS.seed,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
):
    """Train a detector and leave a folder with the model, its history and plots.

    **Examples**
    `yolov2 train VOCdevkit/VOC2007 --split trainval --val-split test --out runs/voc`

    `yolov2 train data.yaml --model tiny --width 0.5 --size 320 --out runs/mine`

    A trained network on new data in two stages, first with all but the head held:

    `yolov2 train pets/ --model voc.keras --freeze --epochs 10 --out runs/head`

    `yolov2 train pets/ --model runs/head/last.keras --epochs 40 --out runs/pets`

    The trunk of a classifier in a new detector:

    `yolov2 train pets/ --weights darknet19.keras --out runs/pets`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import integer_range, open_checked

    recipe = Recipe(
        model=model,
        width=width,
        size=size,
        multi_scale=integer_range(multi_scale, "--multi-scale") if multi_scale else None,
        resize_every=resize_every,
        resize=resize,
        anchors=anchors,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        jitter=jitter,
        flip=flip,
        precision=precision,
        freeze=freeze,
        seed=seed,
    )
    console = Console()
    dataset = open_checked(data, console, split=split, images=images)
    console.print(
        f"training on {dataset.name}: {len(dataset):,} images, {dataset.num_boxes:,} boxes"
    )
    validation = None
    if val is not None or val_split is not None:
        validation = open_checked(
            data if val is None else val,
            console,
            split=val_split,
            images=images,
            class_names=dataset.class_names,
        )
        console.print(f"scoring on {validation.name}: {len(validation):,} images")

    from yolov2_tf.training import train

    rows = train(
        recipe,
        dataset,
        out,
        validation=validation,
        weights=weights,
        resume=resume,
        console=console,
    )
    scores = [float(row["val_map"]) for row in rows if row.get("val_map")]
    best = f", best mAP {max(scores):.3f}" if scores else ""
    console.print(f"[bold]{out / 'model.keras'}[/bold]{best}; history: {out / 'history.png'}")
