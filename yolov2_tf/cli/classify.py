"""`yolov2 classify`: Darknet-19 as a classifier, and as the trunk of a detector to come."""

import dataclasses
import functools
from typing import Annotated

import typer

from yolov2_tf.cli import training_options as common
from yolov2_tf.cli.local import Json, LocalCommand
from yolov2_tf.training.recipes import FINE_EPOCHS, ClassificationRecipe

app = typer.Typer(
    help="Train and use Darknet-19 classifiers, with a label tree or without.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

DEFAULTS = ClassificationRecipe()

Data = Annotated[
    str, typer.Argument(help="Folder with a folder for each class, `tfds:NAME` or `digits`.")
]
TrainingData = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA", help="Folder with a folder for each class, `tfds:NAME` or `digits`."
    ),
]
Model = Annotated[
    str, typer.Argument(help="`.keras` file of a classifier, or a name of `yolov2 models`.")
]
Size = Annotated[int | None, typer.Option(help="Input side, if not the model's own.")]


HighResolution = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE[,EPOCHS]",
        help="Go on at a larger size, e.g. 448,10. `paper`: twice --size, 10 epochs.",
    ),
]
LearningRate = Annotated[
    float, typer.Option(help="Rate at the start; the larger size starts at a hundredth.")
]
Zoom = Annotated[str, typer.Option(metavar="MIN-MAX", help="Magnification of training pictures.")]
FineZoom = Annotated[
    str, typer.Option(metavar="MIN-MAX", help="The same at the larger size; the paper's: 1-1.143.")
]
Rotation = Annotated[float, typer.Option(help="Turn pictures by up to so many degrees.")]
Recipe = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="Chooses what is not given: default, or paper (rotation, colours, crops at the larger "
        "size and no limit of the gradient as in the paper).",
    ),
]


@app.command(cls=LocalCommand)
def train(
    context: typer.Context,
    out: common.Out,
    data: TrainingData = None,
    val: common.Val = None,
    split: common.Split = None,
    val_split: common.ValSplit = None,
    tree: common.Tree = None,
    names: common.Names = None,
    tree_logits: common.TreeLogits = DEFAULTS.tree_logits,
    recipe_name: Recipe = "default",
    width: common.Width = DEFAULTS.width,
    size: common.Size = DEFAULTS.size,
    high_resolution: HighResolution = None,
    resize: common.Resize = DEFAULTS.resize,
    epochs: common.Epochs = DEFAULTS.epochs,
    minutes: common.Minutes = None,
    batch_size: common.BatchSize = DEFAULTS.batch_size,
    optimizer: common.Optimizer = DEFAULTS.optimizer,
    learning_rate: LearningRate = DEFAULTS.learning_rate,
    schedule: common.Schedule = DEFAULTS.schedule,
    zoom: Zoom = "-".join(f"{limit:g}" for limit in DEFAULTS.zoom),
    fine_zoom: FineZoom = "-".join(f"{limit:g}" for limit in DEFAULTS.fine_zoom),
    rotation: Rotation = DEFAULTS.rotation,
    saturation: common.Saturation = DEFAULTS.saturation,
    exposure: common.Exposure = DEFAULTS.exposure,
    clip_norm: common.ClipNorm = f"{DEFAULTS.clip_norm:g}",
    accumulate: common.Accumulate = DEFAULTS.accumulate,
    sync_batch_norm: common.SyncBatchNorm = DEFAULTS.sync_batch_norm,
    flip: common.Flip = DEFAULTS.flip,
    weights: common.Weights = None,
    freeze: common.Freeze = False,
    mean: common.Mean = DEFAULTS.mean,
    precision: common.Precision = DEFAULTS.precision,
    seed: common.Seed = DEFAULTS.seed,
    check: common.Check = True,
    checkpoint_minutes: common.CheckpointMinutes = DEFAULTS.checkpoint_minutes,
    resume: common.Resume = False,
    overwrite: common.Overwrite = False,
):
    """Train Darknet-19 and leave a folder with the model, its history and plot.

    **Examples**
    `yolov2 classify train photos --high-resolution paper --out run`

    `yolov2 classify train imagenet --tree wordnet.tree --names names.txt --out run`

    `yolov2 classify train digits --width 0.25 --size 64 --no-flip --out run`

    `yolov2 classify train photos --size 128 --minutes 30 --schedule cosine --out run`

    A run that was stopped:

    `yolov2 classify train --resume --out run`

    A detector that starts from its features:

    `yolov2 train pets/ --weights run/model.keras --out runs/pets`
    """
    import time

    from rich.text import Text

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import number_range
    from yolov2_tf.errors import InputError

    began = time.monotonic()
    parsers = {
        "high_resolution": lambda text, values: _stage(text, values["size"]),
        "zoom": lambda text, _: number_range(text, "--zoom"),
        "fine_zoom": lambda text, _: number_range(text, "--fine-zoom"),
    }
    choose = _chooser(recipe_name)
    options = common.read_options(context, "classification", ClassificationRecipe, parsers, choose)
    if resume and "recipe_name" in options.given:
        raise InputError("--recipe with --resume", expected="a run goes on with its own recipe")
    if "fine_zoom" in options.given and options.recipe.high_resolution is None:
        raise InputError(
            "--fine-zoom without --high-resolution", expected="a larger size, e.g. 448"
        )
    if "tree_logits" in options.given and options.tree is None:
        raise InputError("--tree-logits without --tree", expected="the tree of the classes")
    common.join()
    console = make_console()
    task = _open(options, console)

    from yolov2_tf.training.clock import counting_from
    from yolov2_tf.training.fit import train

    with common.naming_options(), counting_from(began):
        rows = train(task, options.recipe, out, resume=resume, overwrite=overwrite, console=console)
    scores = [row["val_top1"] for row in rows if "val_top1" in row]
    last = f", last top-1 {scores[-1]:.3f}" if scores else ""
    console.print(
        Text(str(out / "model.keras"), "bold"), f"{last}; history: {out / 'history.png'}", sep=""
    )


def _chooser(recipe):
    """Function of the given fields to those that a recipe chooses, or None."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.training import paper

    if recipe not in ("default", "paper"):
        raise InputError(f"--recipe {recipe!r}", expected="default or paper")
    if recipe == "default":
        return None
    return lambda given: paper.start(paper.CLASSIFICATION, given)


def _open(options, console):
    """The `ClassificationTask` that the options describe; says what it is."""
    from yolov2_tf.cli.parsing import checked, read_tree
    from yolov2_tf.data.labels import map_onto_tree
    from yolov2_tf.data.training_sets import open_labelled_sets
    from yolov2_tf.training.classification import ClassificationTask

    tree, node_names = read_tree(options.tree, options.names)
    sources = options.data, options.split, options.val, options.val_split
    dataset, validation, notes = open_labelled_sets(*sources, shared=tree is None)
    if tree is not None:
        dataset = map_onto_tree(dataset, tree, node_names)
    dataset = checked(dataset, console, decode=options.check)
    console.print(
        f"training on {dataset.name}: {len(dataset):,} images, "
        f"{len(dataset.class_names):,} {'nodes' if tree else 'classes'}"
    )
    task = ClassificationTask(dataset, tree=tree, sources=options.sources)
    common.check_data(options, task)
    for note in notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    if validation is None:
        return task
    if tree is not None:
        validation = map_onto_tree(validation, tree, node_names)
    validation = checked(validation, console, decode=options.check)
    console.print(f"scoring on {validation.name}: {len(validation):,} images")
    return dataclasses.replace(task, validation=validation)


@app.command(cls=LocalCommand)
def evaluate(
    model: Model,
    data: Data,
    split: Annotated[str | None, typer.Option(help="Image set, e.g. test.")] = None,
    names: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|imagenet",
            help="What DATA calls the model's classes, one on each line; `imagenet`: the ids of "
            "ImageNet's thousand, in Darknet's order.",
        ),
    ] = None,
    size: Size = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at once.")] = 32,
    json: Json = None,
):
    """Score a classifier: top-1 and top-5, with a tree hierarchical accuracy too.

    With a tree a leaf is right if it is the label or lies below it, and the hierarchical accuracy
    is the share of the label's path, from the root on, that the most probable leaf is below.

    **Examples**
    `yolov2 classify evaluate run/model.keras photos --split test --json -`

    `yolov2 classify evaluate darknet19 ILSVRC/val --names imagenet`
    """
    from rich.progress import track

    from yolov2_tf.classification.accuracy import evaluate_classifier
    from yolov2_tf.classification.classifier import classifier, load_classifier
    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import checked, messages, model_file, names_in_data, write_json
    from yolov2_tf.data.labels import map_onto_tree, open_classification, with_classes
    from yolov2_tf.models.heads import find_classification_head
    from yolov2_tf.models.input_sides import check_side

    if size is not None:
        check_side(size)
    console = messages()
    network = load_classifier(model_file(model, console))
    head = find_classification_head(network)
    called = names_in_data(names, head.class_names)
    dataset = open_classification(data, split)
    if head.tree is None:
        hint = None if names else "--names FILE, what DATA calls the model's classes, or imagenet"
        dataset = with_classes(dataset, called, hint)
    else:
        dataset = map_onto_tree(dataset, head.tree, called)
    dataset = dataclasses.replace(dataset, class_names=head.class_names)

    def progress(items, total):
        return track(items, "classifying", total=total, console=console, transient=True)

    evaluation = evaluate_classifier(
        classifier(network),
        checked(dataset, console),
        size=size,
        batch_size=batch_size,
        progress=progress,
    )
    if json is not None:
        write_json(evaluation.to_json(), json)
    if json != "-":
        make_console().print(evaluation.table())


@app.command(cls=LocalCommand)
def predict(
    model: Model,
    inputs: Annotated[
        list[str], typer.Argument(help="Pictures, videos, folders, patterns, addresses, cameras.")
    ],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name.")] = 5,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Label trees: least probability of a node, 0.5."),
    ] = None,
    size: Size = None,
    json: Json = None,
):
    """Name what pictures show; with a tree, as exactly as the threshold allows.

    **Example**
    `yolov2 classify predict run/model.keras dog.jpg photos/ --json -`
    """
    from yolov2_tf.classification.classifier import classifier, classify, load_classifier
    from yolov2_tf.cli.classify_rows import as_json, as_line
    from yolov2_tf.cli.console import make_console, remark
    from yolov2_tf.cli.parsing import messages, model_file, write_json
    from yolov2_tf.detection.thresholds import TREE
    from yolov2_tf.drawing.media import find_media, read_media
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.formats import check_tree_options
    from yolov2_tf.models.heads import find_classification_head
    from yolov2_tf.models.input_sides import check_side

    if size is not None:
        check_side(size)
    console = messages()
    sources = find_media(inputs)
    file = model_file(model, console)
    network = load_classifier(file)
    head = find_classification_head(network)
    check_tree_options(head.tree, {"threshold": threshold}, file)
    ranking = classifier(network, top, TREE if threshold is None else threshold)
    tell = functools.partial(remark, console, "note")
    results = []
    for source in sources:
        try:
            for name, picture in read_media(source, tell):
                (found,) = classify(ranking, [picture], size=size)
                results.append({"image": name, **as_json(found, head)})
        except InputError as error:  # the others are still worth looking at
            remark(console, "skipped", error)
    if not results:
        raise InputError("none of the pictures could be read", where=", ".join(map(str, inputs)))
    if json is not None:
        write_json(results, json)
    if json != "-":
        for result in results:
            make_console().print(as_line(result), highlight=False, soft_wrap=True)


def _stage(text, size):
    """`"448"`, `"448,10"` or `"paper"` to `(size, epochs)`."""
    from yolov2_tf.errors import InputError

    if text is None:
        return None
    if text == "paper":
        return 2 * size, FINE_EPOCHS
    larger, _, epochs = text.partition(",")
    try:
        return int(larger), int(epochs or FINE_EPOCHS)
    except ValueError:
        raise InputError(
            f"--high-resolution {text!r}", expected="a size such as 448, or 448,10, or paper"
        ) from None
