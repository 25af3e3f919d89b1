"""`yolov2 demo`: the embedded data set, start to finish."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.recipe import Recipe

SCENES, HELD_OUT = 1_000, 200
RECIPE = Recipe(
    model="tiny",
    width=0.25,
    size=160,
    epochs=24,
    batch_size=16,
    optimizer="adam",
    schedule="cosine",
    flip=False,  # a mirrored digit is another sign
)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything it makes.")] = Path(
        "demo_output"
    ),
):
    """Train a small detector of handwritten digits, score it, draw what it finds.

    Needs no data and no network.

    `yolov2 demo --out demo_output`
    """
    import time

    from rich.console import Console

    from yolov2_tf.data.digits import open_digits
    from yolov2_tf.data.images import check_images, load_image
    from yolov2_tf.evaluation import evaluate
    from yolov2_tf.model_file import EVALUATION, KerasDetector, Thresholds
    from yolov2_tf.plots import plot_precision_recall
    from yolov2_tf.training import train
    from yolov2_tf.visualize import contact_sheet, draw_detections

    start = time.perf_counter()
    console = Console()
    console.print(f"[bold]1[/bold] Painting {SCENES:,} scenes of handwritten digits to learn from")
    scenes, _ = check_images(open_digits("train", count=SCENES))
    unseen, _ = check_images(open_digits("test", count=HELD_OUT))

    console.print(f"[bold]2[/bold] Training a Tiny YOLOv2 of a quarter's width, {RECIPE.size} px")
    train(RECIPE, scenes, out, validation=unseen, console=console)

    console.print(f"[bold]3[/bold] Scoring {HELD_OUT} scenes by other hands")
    pictures = [load_image(record.image) for record in unseen.records]
    path = out / "model.keras"
    evaluation = evaluate(unseen, KerasDetector(path, EVALUATION).detect(pictures))
    console.print(evaluation.table())
    plot_precision_recall(evaluation, out / "precision_recall.png")

    console.print("[bold]4[/bold] Drawing what it finds")
    detector = KerasDetector(path, Thresholds())
    drawn = [
        draw_detections(
            picture, found["boxes"], found["labels"], found["scores"], unseen.class_names
        )
        for picture, found in zip(pictures[:12], detector.detect(pictures[:12]), strict=True)
    ]
    _save(contact_sheet(drawn), out / "detections.png")

    minutes = (time.perf_counter() - start) / 60
    console.print(
        f"\n[bold]mAP {evaluation.map:.3f}[/bold] in {minutes:.1f} minutes. Look at "
        f"{out / 'detections.png'}, {out / 'history.png'}, {out / 'precision_recall.png'}.\n"
        f"Use it: yolov2 predict {path} PICTURE --out drawn"
    )


def _save(image, path):
    from PIL import Image

    from yolov2_tf.files import replacing

    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary)
