"""`yolov2 demo`: the embedded data set, start to finish."""

import dataclasses
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from yolov2_tf.training.recipes import DetectionRecipe


class Amount(NamedTuple):
    """How much a demonstration does.

    Attributes:
        scenes: Scenes to learn from.
        watched: Scenes that are scored during the training.
        held_out: Scenes that are scored after it.
        calibration: Scenes that the exported file is calibrated on.
        epochs: Passes over the scenes.
    """

    scenes: int
    watched: int
    held_out: int
    calibration: int
    epochs: int


WHOLE = Amount(scenes=4_000, watched=200, held_out=200, calibration=100, epochs=10)
QUICK = Amount(scenes=1_000, watched=50, held_out=100, calibration=30, epochs=3)

RECIPE = DetectionRecipe(
    model="tiny",
    width=0.25,
    size=160,
    anchors=3,
    epochs=WHOLE.epochs,
    batch_size=16,
    optimizer="adam",
    learning_rate=4e-3,
    schedule="cosine",
    jitter=0.05,  # the scenes vary enough
    flip=False,  # a mirrored digit is another sign
)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path(
        "demo_output"
    ),
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Fewer scenes, seen less often: a minute, and fewer found."),
    ] = False,
):
    """Find a person in a photo with the starter; train, score and export a detector of digits.

    Needs no data and no network. The photo takes seconds, the training minutes.

    `yolov2 demo --out demo_output`

    Whether everything works, in about a minute:

    `yolov2 demo --quick`
    """
    import time

    from rich.text import Text

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.data.digits.scenes import open_digits
    from yolov2_tf.data.image_check import check_images
    from yolov2_tf.data.images import load_image
    from yolov2_tf.training.detection import DetectionTask
    from yolov2_tf.training.fit import train

    start = time.perf_counter()
    console = make_console()
    amount = QUICK if quick else WHOLE
    recipe = dataclasses.replace(RECIPE, epochs=amount.epochs)
    _step(console, 1, "Looking at a photo with the starter, which comes with the package")
    show_starter(out, console)

    _step(console, 2, f"Painting {amount.scenes:,} scenes of handwritten digits to learn from")
    scenes, _ = check_images(open_digits("train", size=RECIPE.size, count=amount.scenes))
    watched, _ = check_images(open_digits("val", size=RECIPE.size, count=amount.watched))
    unseen, _ = check_images(open_digits("test", size=RECIPE.size, count=amount.held_out))

    _step(console, 3, f"Training a Tiny YOLOv2 of a quarter's width, {RECIPE.size} px")
    train(DetectionTask(scenes, watched), recipe, out, overwrite=True, console=console)

    path = out / "model.keras"
    evaluation = score_and_draw(path, unseen, out, console)

    _step(console, 6, "Exporting it for phones, browsers and small computers")
    calibration = [load_image(record.image) for record in scenes.records[: amount.calibration]]
    phone = export_for_phones(path, out / "model.tflite", calibration, console)

    seconds = time.perf_counter() - start
    took = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.1f} minutes"
    console.print(
        Text(f"\nmAP {evaluation.map:.3f}", "bold"),
        f"in {took}. Look at "
        f"{out / 'detections.png'}, {out / 'history.png'}, {out / 'precision_recall.png'}.\n"
        f"Use it: yolov2 predict {path} PICTURE --out drawn"
        + (f", or yolov2 demo-web {phone}" if phone else ""),
    )


def score_and_draw(path, unseen, out, console):
    """Scores a detector on scenes and draws what it finds in some of them.

    Args:
        path: Path of the `.keras` file.
        unseen: `Dataset`.
        out: Folder; gets `precision_recall.png` and `detections.png`.
        console: `rich.console.Console`.

    Returns:
        `yolov2_tf.evaluation.detections.Evaluation`.
    """
    from yolov2_tf.data.images import load_image
    from yolov2_tf.detection.thresholds import EVALUATION
    from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
    from yolov2_tf.drawing.plots import plot_precision_recall
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model

    _step(console, 4, f"Scoring {len(unseen)} scenes by other hands")
    pictures = [load_image(record.image) for record in unseen.records]
    evaluation = evaluate(unseen, open_model(path, EVALUATION).detect(pictures))
    console.print(evaluation.table())
    plot_precision_recall(evaluation, out / "precision_recall.png")

    _step(console, 5, "Drawing what it finds")
    detector = open_model(path)
    drawn = [
        draw_detections(
            picture, found["boxes"], found["labels"], found["scores"], unseen.class_names
        )
        for picture, found in zip(pictures[:12], detector.detect(pictures[:12]), strict=True)
    ]
    _save(contact_sheet(drawn), out / "detections.png")
    return evaluation


def export_for_phones(model, phone, calibration, console):
    """Writes an int8 file, if the packages for that are there; says what became of it.

    Args:
        model: Path of the `.keras` file.
        phone: `.tflite` file to write.
        calibration: Pictures as arrays.
        console: `rich.console.Console`.

    Returns:
        `phone`, or None.
    """
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.optional import import_optional
    from yolov2_tf.export.tflite import export_tflite
    from yolov2_tf.models.loading import load_model

    try:
        import_optional("litert_quantizer")  # with the runtime that it wants
    except InputError as error:  # the rest has shown what it is to show
        console.print(
            f"left out: {error.what}; pip install 'yolov2-tf[export]' brings what it needs",
            highlight=False,
        )
        return None
    difference = export_tflite(
        load_model(model), phone, quantization="int8", calibration=calibration
    )
    console.print(f"{phone}: {phone.stat().st_size / 1e6:.1f} MB, {difference}", highlight=False)
    return phone


def show_starter(out, console):
    """Draws what the starter finds in the one real photo that a dependency brings along.

    Args:
        out: Folder, made where missing; gets `photo.png`.
        console: `rich.console.Console`.
    """
    from yolov2_tf.data.images import load_image
    from yolov2_tf.data.photos import portrait
    from yolov2_tf.drawing.pictures import draw_detections
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.zoo.names import model_path

    photo = portrait()
    if photo is None:
        console.print("Matplotlib came without grace_hopper.jpg: yolov2 predict starter PICTURE")
        return
    detector, picture = open_model(model_path("starter")), load_image(photo)
    found = detector.detect(picture)
    names = detector.class_names
    out.mkdir(parents=True, exist_ok=True)
    drawn = draw_detections(picture, found["boxes"], found["labels"], found["scores"], names)
    _save(drawn, out / "photo.png")
    what = ", ".join(
        f"{names[label]} {score:.2f}"
        for label, score in zip(found["labels"], found["scores"], strict=True)
    )
    console.print(f"{out / 'photo.png'}: {what or 'nothing'}", highlight=False)


def _step(console, number, text):
    from rich.text import Text

    console.print(Text(str(number), "bold"), text)


def _save(image, path):
    from PIL import Image

    from yolov2_tf.files import replacing

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary)
