"""`yolov2 train`: annotated images to a trained detector."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.training.recipes import Recipe

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
    classification: Annotated[
        str | None,
        typer.Option(help="Joint training: pictures with a label and no boxes; needs --tree."),
    ] = None,
    classification_split: Annotated[
        str | None, typer.Option(help="Image set of --classification.")
    ] = None,
    ratio: Annotated[
        str, typer.Option(help="Pictures with boxes to pictures with a label.")
    ] = ":".join(map(str, DEFAULTS.ratio)),
    mosaic: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of pictures with a label that are four at once."),
    ] = DEFAULTS.mosaic,
    image_rule: Annotated[
        str, typer.Option(help="Which box a label trains: paper, darknet or object.")
    ] = DEFAULTS.image_rule,
    balance: Annotated[
        bool, typer.Option("--balance", help="Give all classes the same share in the class loss.")
    ] = False,
    spare: Annotated[
        bool, typer.Option("--spare", help="Boxes say nothing against classes that have none.")
    ] = False,
    tree: Annotated[
        Path | None, typer.Option(help="Label tree whose nodes the classes become.")
    ] = None,
    names: Annotated[
        Path | None, typer.Option(help="What people call the tree's nodes, one per line.")
    ] = None,
    class_map: Annotated[
        Path | None, typer.Option("--map", help="Number of each class's node, e.g. coco9k.map.")
    ] = None,
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

    Boxes for some classes, labels for all, joined by a tree (YOLO9000):

    `yolov2 train coco/ --classification imagenet/ --tree 9k.tree --names 9k.names --out runs/9k`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import checked, integer_range, open_checked, read_tree
    from yolov2_tf.data.labels import map_onto_tree, open_classification
    from yolov2_tf.data.nodes import map_boxes_onto_tree
    from yolov2_tf.errors import InputError

    if tree is None and (classification is not None or class_map is not None):
        option = "--map" if classification is None else "--classification"
        raise InputError(f"{option} without --tree", expected="the tree that joins the classes")
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
        ratio=_ratio(ratio),
        mosaic=mosaic,
        image_rule=image_rule,
        balance=balance,
        spare=spare,
        precision=precision,
        freeze=freeze,
        seed=seed,
    )
    console = Console()
    label_tree, node_names = read_tree(tree, names)

    def on_nodes(dataset):
        return map_boxes_onto_tree(dataset, label_tree, node_names, class_map)

    dataset = open_checked(data, console, split=split, images=images)
    box_classes = dataset.class_names
    if label_tree is not None:
        dataset = on_nodes(dataset)
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
            class_names=box_classes,
        )
        if label_tree is not None:
            validation = on_nodes(validation)
        console.print(f"scoring on {validation.name}: {len(validation):,} images")
    pictures = None
    if classification is not None:
        pictures = open_classification(classification, classification_split)
        pictures = checked(map_onto_tree(pictures, label_tree, node_names), console)
        console.print(f"and on {len(pictures):,} pictures with a label of {pictures.name}")

    from yolov2_tf.training.detection import train

    rows = train(
        recipe,
        dataset,
        out,
        tree=label_tree,
        classification=pictures,
        validation=validation,
        weights=weights,
        resume=resume,
        console=console,
    )
    scores = [float(row["val_map"]) for row in rows if row.get("val_map")]
    best = f", best mAP {max(scores):.3f}" if scores else ""
    console.print(f"[bold]{out / 'model.keras'}[/bold]{best}; history: {out / 'history.png'}")


def _ratio(text):
    """`"4:1"` to `(4, 1)`."""
    from yolov2_tf.errors import InputError

    first, _, second = text.partition(":")
    try:
        ratio = int(first), int(second)
    except ValueError:
        ratio = (0, 0)
    if min(ratio) < 1:
        raise InputError(f"--ratio {text!r}", expected="two numbers from 1 such as 4:1")
    return ratio
