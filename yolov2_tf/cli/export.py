"""`yolov2 export`: a trained model to the forms that servers, phones and other programs run."""

from pathlib import Path
from typing import Annotated

import typer

FORMATS = ("saved_model", "tflite", "onnx", "openvino", "darknet")
CALIBRATION_PICTURES = 100


def export(
    model: Annotated[Path, typer.Argument(help="Trained detector, a `.keras` file.")],
    out: Annotated[Path, typer.Option(help="File to write; a folder for saved_model and darknet.")],
    format: Annotated[str, typer.Option(help=f"{', '.join(FORMATS)}.")] = "tflite",
    quantize: Annotated[
        str, typer.Option(help="TFLite: none, fp16, dynamic or int8 (needs --calibrate).")
    ] = "none",
    calibrate: Annotated[
        str | None,
        typer.Option(help="Data set whose pictures int8 is calibrated on; they are compared, too."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set of --calibrate.")] = None,
    nms: Annotated[bool, typer.Option(help="TFLite: suppression inside the file.")] = True,
    threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Score below which suppression drops boxes for good."),
    ] = 0.005,
    iou: Annotated[float, typer.Option(min=0, max=1, help="Overlap of one object's boxes.")] = 0.45,
    max_detections: Annotated[int, typer.Option(min=1, help="Most objects in a picture.")] = 100,
    tree_threshold: Annotated[
        float, typer.Option(min=0, max=1, help="Label trees: least Pr(node | object) of a label.")
    ] = 0.5,
    name: Annotated[
        str, typer.Option(help="TFLite: name of the model.")
    ] = "YOLOv2 object detector",
    description: Annotated[
        str, typer.Option(help="TFLite: what it is for.")
    ] = "Finds objects and their boxes in a picture.",
    author: Annotated[str, typer.Option(help="TFLite: who made it.")] = "",
    license: Annotated[str, typer.Option(help="TFLite: the terms of its use.")] = "",
):
    """Write a model as SavedModel, TFLite, ONNX, OpenVINO or Darknet files.

    Whatever is written was run on pictures and compared with the model first.

    **Examples**
    `yolov2 export model.keras --format saved_model --out served/yolov2`

    `yolov2 export model.keras --format tflite --quantize int8 --calibrate data.yaml --out m.tflite`

    `yolov2 export model.keras --format onnx --out model.onnx`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import messages
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.detection_model import DetectionModel
    from yolov2_tf.models.loading import load_model

    if format not in FORMATS:
        raise InputError(f"unknown format {format!r}", expected=", ".join(FORMATS))
    if format != "tflite" and (quantize != "none" or not nms):
        raise InputError(f"--quantize and --no-nms are for TFLite, not for {format}")
    console = messages()
    loaded = load_model(model)
    if format != "darknet" and not isinstance(loaded, DetectionModel):
        raise InputError("not a detector", where=model, expected="a model that finds boxes")
    pictures = None if calibrate is None else calibration_pictures(calibrate, split, console)
    suppression = {"iou_threshold": iou, "max_detections": max_detections}
    with console.status("exporting"):
        match format:
            case "tflite":
                from yolov2_tf.export.metadata import ModelInfo
                from yolov2_tf.export.tflite import export_tflite

                result = export_tflite(
                    loaded,
                    out,
                    quantization=quantize,
                    nms=nms,
                    calibration=pictures,
                    score_threshold=threshold,
                    tree_threshold=tree_threshold,
                    info=ModelInfo(name, description, author, license),
                    **suppression,
                )
            case "saved_model":
                from yolov2_tf.export.saved_model import export_saved_model

                out, result = export_saved_model(
                    loaded,
                    out,
                    pictures=pictures,
                    score_threshold=threshold,
                    tree_threshold=tree_threshold,
                    **suppression,
                )
            case "onnx" | "openvino":
                from yolov2_tf.export.onnx import export_onnx

                result = export_onnx(loaded, out, format=format, pictures=pictures, **suppression)
            case "darknet":
                from yolov2_tf.darknet.writer import export_darknet

                result = "; ".join(["the same outputs", *export_darknet(loaded, out).notes])
    written = [out, *out.rglob("*")]
    if format == "openvino":
        written.append(out.with_suffix(".bin"))
    size = sum(file.stat().st_size for file in written if file.is_file())
    Console().print(f"{out}: {size / 1e6:.1f} MB, {result}", highlight=False, soft_wrap=True)


def calibration_pictures(data, split, console):
    """Some of a data set's pictures, evenly spread over it."""
    import numpy as np

    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.images import load_image

    records = open_checked(data, console, split=split).records
    chosen = np.linspace(0, len(records) - 1, min(len(records), CALIBRATION_PICTURES)).astype(int)
    return [load_image(records[i].image) for i in chosen]
