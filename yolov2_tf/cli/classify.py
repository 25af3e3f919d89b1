"""`yolov2 classify`: Darknet-19 as a classifier, and as the trunk of a detector to come."""

from pathlib import Path
from typing import Annotated

import typer

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
Model = Annotated[Path, typer.Argument(help="`.keras` file of a classifier.")]
Size = Annotated[int | None, typer.Option(help="Input side, if not the model's own.")]
Json = Annotated[str | None, typer.Option(help="Write JSON to a file, `-`: to stdout.")]


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    val: Annotated[
        str | None, typer.Option(help="Data set to score on; DATA if only --val-split.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set to train on.")] = None,
    val_split: Annotated[str | None, typer.Option(help="Image set to score on.")] = None,
    tree: Annotated[Path | None, typer.Option(help="Label tree with the classes in it.")] = None,
    names: Annotated[
        Path | None, typer.Option(help="What people call the tree's nodes, one per line.")
    ] = None,
    width: Annotated[
        float, typer.Option(min=0.01, max=4, help="Multiplies the filters.")
    ] = DEFAULTS.width,
    size: Annotated[
        int, typer.Option(help="Input side in pixels, a multiple of 32.")
    ] = DEFAULTS.size,
    high_resolution: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE[,EPOCHS]",
            help="Go on at a larger size, e.g. 448,10. `paper`: twice --size, 10 epochs.",
        ),
    ] = None,
    resize: Annotated[str, typer.Option(help="stretch or letterbox.")] = DEFAULTS.resize,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = DEFAULTS.batch_size,
    optimizer: Annotated[str, typer.Option(help="sgd (the paper's) or adam.")] = DEFAULTS.optimizer,
    learning_rate: Annotated[
        float, typer.Option(help="Rate at the start; the larger size starts at a hundredth.")
    ] = DEFAULTS.learning_rate,
    zoom: Annotated[
        str, typer.Option(metavar="MIN-MAX", help="Magnification of training pictures.")
    ] = "-".join(f"{limit:g}" for limit in DEFAULTS.zoom),
    flip: Annotated[bool, typer.Option(help="Mirror half of the pictures.")] = DEFAULTS.flip,
    weights: Annotated[
        Path | None, typer.Option(help="`.keras` file whose fitting weights start this.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="float32, mixed_bfloat16, mixed_float16.")
    ] = DEFAULTS.precision,
    seed: Annotated[int, typer.Option(help="Seed of weights, views and order.")] = DEFAULTS.seed,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT.")] = False,
):
    """Train Darknet-19 and leave a folder with the model, its history and plot.

    **Examples**
    `yolov2 classify train photos --split train --val-split val --high-resolution paper --out run`

    `yolov2 classify train imagenet --tree wordnet.tree --names names.txt --out run`

    `yolov2 classify train digits --val-split val --width 0.25 --size 64 --no-flip --out run`

    A detector that starts from its features:

    `yolov2 train pets/ --weights run/model.keras --out runs/pets`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import checked, number_range, read_tree
    from yolov2_tf.data.labels import map_onto_tree, open_classification

    recipe = ClassificationRecipe(
        width=width,
        size=size,
        high_resolution=_stage(high_resolution, size),
        resize=resize,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        zoom=number_range(zoom, "--zoom"),
        flip=flip,
        precision=precision,
        seed=seed,
    )
    label_tree, node_names = read_tree(tree, names)
    console = Console()
    dataset = open_classification(data, split)
    validation = None
    if val is not None or val_split is not None:
        class_names = None if label_tree else dataset.class_names
        validation = open_classification(
            data if val is None else val, val_split, class_names=class_names
        )
    if label_tree is not None:
        dataset = map_onto_tree(dataset, label_tree, node_names)
        validation = validation and map_onto_tree(validation, label_tree, node_names)
    dataset = checked(dataset, console)
    console.print(
        f"training on {dataset.name}: {len(dataset):,} images, "
        f"{len(dataset.class_names):,} {'nodes' if label_tree else 'classes'}"
    )
    if validation is not None:
        validation = checked(validation, console)
        console.print(f"scoring on {validation.name}: {len(validation):,} images")

    from yolov2_tf.training.classification import train_classifier

    rows = train_classifier(
        recipe,
        dataset,
        out,
        tree=label_tree,
        validation=validation,
        weights=weights,
        resume=resume,
        console=console,
    )
    scored = [row for row in rows if row.get("val_top1")]
    last = f", last top-1 {float(scored[-1]['val_top1']):.3f}" if scored else ""
    console.print(f"[bold]{out / 'model.keras'}[/bold]{last}; history: {out / 'history.png'}")


@app.command()
def evaluate(
    model: Model,
    data: Data,
    split: Annotated[str | None, typer.Option(help="Image set, e.g. test.")] = None,
    size: Size = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at once.")] = 32,
    json: Json = None,
):
    """Score a classifier: top-1 and top-5, with a tree hierarchical accuracy too.

    With a tree a leaf is right if it is the label or lies below it, and the hierarchical accuracy
    is the share of the label's path, from the root on, that the most probable leaf is below.

    **Example**
    `yolov2 classify evaluate run/model.keras photos --split test --json -`
    """
    from rich.console import Console
    from rich.progress import track

    from yolov2_tf.classification.accuracy import evaluate_classifier
    from yolov2_tf.classification.predict import classifier, load_classifier
    from yolov2_tf.cli.parsing import checked, messages, write_json
    from yolov2_tf.data.labels import map_onto_tree, open_classification
    from yolov2_tf.models.heads import find_classification_head

    console = messages()
    network = load_classifier(model)
    head = find_classification_head(network)
    if head.tree is None:
        dataset = open_classification(data, split, class_names=head.class_names)
    else:
        dataset = map_onto_tree(open_classification(data, split), head.tree, head.class_names)

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
        Console().print(evaluation.table())


@app.command()
def predict(
    model: Model,
    inputs: Annotated[list[Path], typer.Argument(help="Pictures, folders of pictures, videos.")],
    top: Annotated[int, typer.Option(min=1, help="How many classes to name.")] = 5,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Least probability of a tree's node.")
    ] = 0.5,
    size: Size = None,
    json: Json = None,
):
    """Name what pictures show; with a tree, as exactly as the threshold allows.

    **Example**
    `yolov2 classify predict run/model.keras dog.jpg photos/ --json -`
    """
    from rich.console import Console

    from yolov2_tf.classification.predict import classifier, classify, load_classifier
    from yolov2_tf.cli.parsing import messages, write_json
    from yolov2_tf.drawing.media import find_media, read_media
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.heads import find_classification_head

    console = messages()
    sources = find_media(inputs)
    network = load_classifier(model)
    head = find_classification_head(network)
    ranking = classifier(network, top, threshold)
    results = []
    for source in sources:
        try:
            for name, picture in read_media(source):
                (found,) = classify(ranking, [picture], size=size)
                results.append({"image": name, **_as_json(found, head)})
        except InputError as error:  # the others are still worth looking at
            console.print(f"[yellow]skipped:[/yellow] {error}", highlight=False, soft_wrap=True)
    if not results:
        raise InputError("none of the pictures could be read", where=", ".join(map(str, inputs)))
    if json is not None:
        write_json(results, json)
    if json != "-":
        for result in results:
            Console().print(_line(result), highlight=False, soft_wrap=True, markup=False)


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


def _as_json(found, head):
    names = head.class_names
    predictions = [
        {"label": names[label], "score": round(float(score), 5)}
        for label, score in zip(found["labels"], found["scores"], strict=True)
    ]
    if head.tree is None:
        return {"predictions": predictions}
    # The root itself, where not even a child of it is probable enough, has no name.
    path = [names[node] for node in head.tree.paths[found["node"]] if node >= 0]
    path = path if found["node"] >= 0 else []
    return {
        "label": path[-1] if path else None,
        "score": round(float(found["probability"]), 5),
        "path": path,
        "predictions": predictions,
    }


def _line(result):
    best = ", ".join(f"{p['label']} {p['score']:.2f}" for p in result["predictions"])
    if "path" not in result:
        return f"{result['image']}: {best}"
    path = " > ".join(result["path"]) or "not sure of anything"
    return f"{result['image']}: {path} {result['score']:.2f} ({best})"
