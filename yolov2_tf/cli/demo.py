"""`yolov2 demo`: the embedded data set, start to finish."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.training.recipes import DetectionRecipe

SCENES, WATCHED, HELD_OUT, CALIBRATION = 4_000, 200, 200, 100
RECIPE = DetectionRecipe(
    model="tiny",
    width=0.25,
    size=160,
    anchors=3,
    epochs=10,
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
):
    """Find a person in a photo with the starter; train, score and export a detector of digits.

    Needs no data and no network. The photo takes seconds, the training minutes.

    `yolov2 demo --out demo_output`
    """
    import time

    from rich.console import Console

    from yolov2_tf.data.digits.scenes import open_digits
    from yolov2_tf.data.image_check import check_images
    from yolov2_tf.data.images import load_image
    from yolov2_tf.detection.thresholds import EVALUATION
    from yolov2_tf.drawing.pictures import contact_sheet, draw_detections
    from yolov2_tf.drawing.plots import plot_precision_recall
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.tflite import export_tflite
    from yolov2_tf.models.loading import load_model
    from yolov2_tf.training.detection import DetectionTask
    from yolov2_tf.training.fit import train

    start = time.perf_counter()
    console = Console()
    console.print(
        "[bold]1[/bold] Looking at a photo with the starter, which comes with the package"
    )
    show_starter(out, console)

    console.print(f"[bold]2[/bold] Painting {SCENES:,} scenes of handwritten digits to learn from")
    scenes, _ = check_images(open_digits("train", size=RECIPE.size, count=SCENES))
    watched, _ = check_images(open_digits("val", size=RECIPE.size, count=WATCHED))
    unseen, _ = check_images(open_digits("test", size=RECIPE.size, count=HELD_OUT))

    console.print(f"[bold]3[/bold] Training a Tiny YOLOv2 of a quarter's width, {RECIPE.size} px")
    train(DetectionTask(scenes, watched), RECIPE, out, overwrite=True, console=console)

    console.print(f"[bold]4[/bold] Scoring {HELD_OUT} scenes by other hands")
    pictures = [load_image(record.image) for record in unseen.records]
    path = out / "model.keras"
    evaluation = evaluate(unseen, open_model(path, EVALUATION).detect(pictures))
    console.print(evaluation.table())
    plot_precision_recall(evaluation, out / "precision_recall.png")

    console.print("[bold]5[/bold] Drawing what it finds")
    detector = open_model(path)
    drawn = [
        draw_detections(
            picture, found["boxes"], found["labels"], found["scores"], unseen.class_names
        )
        for picture, found in zip(pictures[:12], detector.detect(pictures[:12]), strict=True)
    ]
    _save(contact_sheet(drawn), out / "detections.png")

    console.print("[bold]6[/bold] Exporting it for phones, browsers and small computers")
    phone = out / "model.tflite"
    calibration = [load_image(record.image) for record in scenes.records[:CALIBRATION]]
    difference = export_tflite(
        load_model(path), phone, quantization="int8", calibration=calibration
    )
    console.print(f"{phone}: {phone.stat().st_size / 1e6:.1f} MB, {difference}", highlight=False)

    minutes = (time.perf_counter() - start) / 60
    console.print(
        f"\n[bold]mAP {evaluation.map:.3f}[/bold] in {minutes:.1f} minutes. Look at "
        f"{out / 'detections.png'}, {out / 'history.png'}, {out / 'precision_recall.png'}.\n"
        f"Use it: yolov2 predict {path} PICTURE --out drawn, or yolov2 demo-web {phone}"
    )


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


def _save(image, path):
    from PIL import Image

    from yolov2_tf.files import replacing

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary)
