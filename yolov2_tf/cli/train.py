"""`yolov2 train`: annotated images to a trained detector."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli import training_options as common
from yolov2_tf.cli.local import LocalText
from yolov2_tf.cli.training_data import open_task
from yolov2_tf.collector import without_collector
from yolov2_tf.data.image_sets import HELD_OUT
from yolov2_tf.training.recipes import DetectionRecipe

DEFAULTS = DetectionRecipe()
CHOSEN = None
"""Default of what the recipe chooses."""

RECIPES = ("auto", "paper")

Data = Annotated[
    str | None,
    typer.Argument(metavar="DATA", help="Data set: folder, file, `tfds:NAME` or `digits`."),
]
Images = Annotated[Path | None, typer.Option(help="Folder of the pictures.")]
ValImages = Annotated[
    Path | None, typer.Option(help="Folder of the pictures of --val; default: that of --images.")
]
Format = Annotated[
    str | None, typer.Option(help="Form of the annotations, where DATA has several.")
]
Classes = Annotated[
    LocalText | None,
    typer.Option(
        parser=LocalText,
        metavar="voc|FILE|A,B",
        help="All classes that DATA has, in the order to have: voc, a file of names, or a,b,c; "
        "default: those found. (`convert --only` makes a set of some.)",
    ),
]
HoldOut = Annotated[
    float,
    typer.Option(min=0, max=0.9, help="Share to score on where no image set is for that; 0: none."),
]
Classification = Annotated[
    str | None,
    typer.Option(help="Joint training: pictures with a label and no boxes; needs --tree."),
]
ClassificationSplit = Annotated[str | None, typer.Option(help="Image set of --classification.")]
Ratio = Annotated[
    str, typer.Option(help="Pictures with boxes : pictures with a label; four at once are four.")
]
Mosaic = Annotated[
    float, typer.Option(help="Share of views with labels that are four pictures at once, 0 to 1.")
]
BoxMosaic = Annotated[
    float, typer.Option(help="Share of views with boxes that are four pictures at once, 0 to 1.")
]
ImageRule = Annotated[str, typer.Option(help="Which box a label trains: paper, darknet or object.")]
Balance = Annotated[
    bool, typer.Option("--balance", help="Give all classes the same share in the class loss.")
]
Spare = Annotated[
    bool,
    typer.Option("--spare", help="Leave classes without boxes out of boxes' class loss."),
]
ClassMap = Annotated[
    Path | None, typer.Option("--map", help="Number of each class's node, e.g. coco9k.map.")
]
Recipe = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="Chooses what is not given: auto (the data and the machine decide, from the starter's "
        "weights) or paper (section 2: 320 to 608 px, SGD 1e-3, batches of 64, 160 epochs).",
    ),
]
FromScratch = Annotated[
    bool, typer.Option("--from-scratch", help="Start from random weights, not the starter's.")
]
Passes = Annotated[int, typer.Option(help="Passes over the data that make an epoch.")]
Model = Annotated[
    str, typer.Option(help="yolov2, tiny, yolo9000, or a `.keras` file to go on from.")
]
MultiScale = Annotated[str | None, typer.Option(help="Range of sides, e.g. 320-608.")]
ResizeEvery = Annotated[int, typer.Option(help="Batches that share a side.")]
Anchors = Annotated[int, typer.Option(help="Number of anchors.")]
Passthrough = Annotated[
    str, typer.Option(help="squeezed (the released network's), full (the paper's) or none.")
]
TeacherName = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        help="A larger detector of the same classes, whose answers are learnt too: "
        "a `.keras` file or a name.",
    ),
]
LearningRate = Annotated[float, typer.Option(help="Rate after burn-in.")]
Jitter = Annotated[float, typer.Option(help="How far borders move, 0 to 0.45.")]


def train(
    context: typer.Context,
    out: common.Out,
    data: Data = None,
    val: common.Val = None,
    split: common.Split = None,
    val_split: common.ValSplit = None,
    images: Images = None,
    val_images: ValImages = None,
    format: Format = None,
    classes: Classes = None,
    hold_out: HoldOut = HELD_OUT,
    classification: Classification = None,
    classification_split: ClassificationSplit = None,
    ratio: Ratio = ":".join(map(str, DEFAULTS.ratio)),
    mosaic: Mosaic = DEFAULTS.mosaic,
    image_rule: ImageRule = DEFAULTS.image_rule,
    balance: Balance = False,
    spare: Spare = False,
    tree: common.Tree = None,
    names: common.Names = None,
    class_map: ClassMap = None,
    tree_logits: common.TreeLogits = DEFAULTS.tree_logits,
    recipe_name: Recipe = "auto",
    from_scratch: FromScratch = False,
    model: Model = CHOSEN,
    width: common.Width = CHOSEN,
    size: common.Size = CHOSEN,
    multi_scale: MultiScale = None,
    resize_every: ResizeEvery = DEFAULTS.resize_every,
    resize: common.Resize = CHOSEN,
    anchors: Anchors = CHOSEN,
    passthrough: Passthrough = DEFAULTS.passthrough,
    epochs: common.Epochs = CHOSEN,
    minutes: common.Minutes = None,
    passes: Passes = CHOSEN,
    batch_size: common.BatchSize = CHOSEN,
    optimizer: common.Optimizer = CHOSEN,
    learning_rate: LearningRate = CHOSEN,
    schedule: common.Schedule = CHOSEN,
    jitter: Jitter = DEFAULTS.jitter,
    box_mosaic: BoxMosaic = DEFAULTS.box_mosaic,
    saturation: common.Saturation = DEFAULTS.saturation,
    exposure: common.Exposure = DEFAULTS.exposure,
    clip_norm: common.ClipNorm = f"{DEFAULTS.clip_norm:g}",
    accumulate: common.Accumulate = DEFAULTS.accumulate,
    sync_batch_norm: common.SyncBatchNorm = DEFAULTS.sync_batch_norm,
    flip: common.Flip = CHOSEN,
    weights: common.Weights = None,
    freeze: common.Freeze = False,
    teacher: TeacherName = None,
    mean: common.Mean = CHOSEN,
    precision: common.Precision = CHOSEN,
    seed: common.Seed = DEFAULTS.seed,
    check: common.Check = True,
    checkpoint_minutes: common.CheckpointMinutes = DEFAULTS.checkpoint_minutes,
    resume: common.Resume = False,
    overwrite: common.Overwrite = False,
):
    """Train a detector and leave a folder with the model, its history and plots.

    **Examples**
    `yolov2 train DATA --out runs/mine`

    `yolov2 train DATA --minutes 20 --out runs/mine`

    `yolov2 train data.yaml --model tiny --width 0.5 --size 320 --out runs/mine`

    The paper's training:

    `yolov2 train VOCdevkit/VOC2007 --recipe paper --weights darknet19_448 --out runs/voc`

    A run that was stopped, or that shall go on for longer:

    `yolov2 train --resume --epochs 200 --out runs/voc`

    A trained network on new data in two stages, first with all but the head held:

    `yolov2 train pets/ --model voc.keras --freeze --epochs 10 --out runs/head`

    `yolov2 train pets/ --model runs/head/last.keras --epochs 40 --out runs/pets`

    A smaller network that learns from a larger one as well:

    `yolov2 narrow runs/mine/model.keras small.keras`

    `yolov2 train pets/ --model small.keras --teacher runs/mine/model.keras --out runs/small`

    The trunk of a classifier in a new detector:

    `yolov2 train pets/ --weights darknet19.keras --out runs/pets`

    Boxes for some classes, labels for all, joined by a tree (YOLO9000):

    `yolov2 train coco/ --classification imagenet/ --tree 9k.tree --names 9k.names --out runs/9k`
    """
    _run(context)


def _run(context):
    import time

    from rich.text import Text

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import integer_range

    began = time.monotonic()
    parsers = {
        "multi_scale": lambda text, _: integer_range(text, "--multi-scale"),
        "ratio": lambda text, _: _ratio(text),
    }
    choose = _chooser(context.params["recipe_name"], context.params["from_scratch"])
    options = common.read_options(context, "detection", DetectionRecipe, parsers, choose)
    _check_use(options)
    _record_recipe(options)
    common.join()
    console = make_console()
    with without_collector():
        task = open_task(options, console)

        from yolov2_tf.training.clock import counting_from
        from yolov2_tf.training.ending import ending
        from yolov2_tf.training.fit import train

    recipe = options.recipe
    with common.naming_options(), counting_from(began):
        if options.recipe_name == "auto" and not options.resume:
            from yolov2_tf.training import auto

            recipe = auto.fitted(recipe, task.dataset, options.given)
            console.print(f"recipe: {auto.summary(recipe)}", highlight=False, soft_wrap=True)
        rows = train(
            task,
            recipe,
            options.out,
            resume=options.resume,
            overwrite=options.overwrite,
            console=console,
        )
    console.print(
        Text(str(options.out / "model.keras"), "bold"),
        f"; history: {options.out / 'history.png'}",
        sep="",
    )
    if said := ending(rows, recipe):
        console.print(said, highlight=False, soft_wrap=True)


def _record_recipe(options):
    """Has the record say which recipe it was; refuses another one for a run that goes on."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.training.run import Run

    name = options.recipe_name
    if options.resume:
        recorded = Run(options.out).record.get("sources", {}).get("recipe", "paper")
        if "recipe_name" in options.given and name != recorded:
            raise InputError(f"recipe was {recorded}, now {name}", where=options.out)
        if options.from_scratch and options.recipe.weights is not None:
            raise InputError("the run did not begin from scratch", where=options.out)
        name = recorded
    options.sources["recipe"] = name


def _chooser(recipe, from_scratch):
    """Function of the given fields to those that a recipe chooses before the data are known."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.training import paper

    if recipe not in RECIPES:
        raise InputError(f"--recipe {recipe!r}", expected=" or ".join(RECIPES))

    def choose(given):
        if recipe == "paper":
            return paper.start(paper.DETECTION, given)
        from yolov2_tf.training.auto import start  # loads TensorFlow

        return start(given, from_scratch=from_scratch)

    return choose


def _check_use(options):
    """Refuses options that would be ignored."""
    from yolov2_tf.errors import InputError

    def without(names, needed, expected):
        for name in names:
            flag = "--" + {"class_map": "map"}.get(name, name).replace("_", "-")
            if name in options.given:
                raise InputError(f"{flag} without {needed}", expected=expected)

    if options.from_scratch and {"weights"} & options.given:
        raise InputError("--from-scratch with --weights", expected="one of them")
    if options.from_scratch and options.recipe.continues and not options.resume:
        raise InputError("--from-scratch with a trained --model", expected="one of them")
    if options.val is None and options.val_split is None:
        without(("val_images",), "--val or --val-split", "the data set that they are of")
    elif "hold_out" in options.given and options.hold_out:
        raise InputError(
            "--hold-out with --val or --val-split", expected="one of them: what is to be scored on"
        )
    if options.resume and "hold_out" in options.given:
        raise InputError(
            "--hold-out with --resume",
            expected="a run goes on with the pictures that it held out",
            hint="--val, to score on other ones",
        )
    if options.tree is None:
        names = ("classification", "class_map", "tree_logits")
        without(names, "--tree", "the tree that joins the classes")
    if options.classification is None:
        names = ("classification_split", "ratio", "mosaic", "image_rule")
        without(names, "--classification", "pictures with a label to mix in")
    if options.recipe.multi_scale is None:
        without(("resize_every",), "--multi-scale", "a range of sides, e.g. 320-608")
    if options.recipe.teacher is not None and "anchors" in options.given:
        raise InputError("--anchors with --teacher", expected="the teacher's, unchanged")
    if options.recipe.continues and not options.resume:
        for name in {"width", "anchors", "tree_logits"} & options.given:
            raise InputError(
                f"--{name.replace('_', '-')} with the network of {options.model}",
                expected="its own, unchanged",
            )


def _ratio(text):
    """`"1:4"` to `(1, 4)`."""
    from yolov2_tf.errors import InputError

    first, _, second = text.partition(":")
    try:
        ratio = int(first), int(second)
    except ValueError:
        ratio = (0, 0)
    if min(ratio) < 1:
        raise InputError(f"--ratio {text!r}", expected="two numbers from 1 such as 1:4")
    return ratio
