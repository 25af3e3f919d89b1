"""`yolov2 export`: a trained model to the forms that servers, phones and other programs run."""

from pathlib import Path
from typing import Annotated

import typer

CALIBRATION_PICTURES = 100


def export(
    model: Annotated[
        Path, typer.Argument(help="`.keras` file of a detector, or a name of `yolov2 models`.")
    ],
    out: Annotated[Path, typer.Option(help="File to write; a folder for saved_model and darknet.")],
    format: Annotated[
        str | None,
        typer.Option(help="saved_model, tflite, onnx, openvino, darknet; default: as --out ends."),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(help="TFLite: none (default), fp16, dynamic or int8 (needs --calibrate)."),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(help="Data set whose pictures int8 is calibrated on; they are compared, too."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Image set of --calibrate.")] = None,
    nms: Annotated[
        bool | None,
        typer.Option("--nms/--no-nms", help="TFLite: suppression inside the file (default)."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Score below which suppression drops boxes for good, 0.005."
        ),
    ] = None,
    iou: Annotated[
        float | None, typer.Option(min=0, max=1, help="Overlap of one object's boxes, 0.45.")
    ] = None,
    max_detections: Annotated[
        int | None, typer.Option(min=1, help="Most objects in a picture, 100.")
    ] = None,
    tree_threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Label trees: least Pr(node | object) of a label, 0.5."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="TFLite: name of the model.")] = None,
    description: Annotated[str | None, typer.Option(help="TFLite: what it is for.")] = None,
    author: Annotated[str | None, typer.Option(help="TFLite: who made it.")] = None,
    license: Annotated[str | None, typer.Option(help="TFLite: the terms of its use.")] = None,
):
    """Write a model as SavedModel, TFLite, ONNX, OpenVINO or Darknet files.

    Whatever is written was run on pictures and compared with the model first.

    **Examples**
    `yolov2 export model.keras --format saved_model --out served/yolov2`

    `yolov2 export model.keras --quantize int8 --calibrate data.yaml --out model.tflite`

    `yolov2 export model.keras --out model.onnx`
    """
    from rich.console import Console

    from yolov2_tf.cli.parsing import messages, model_file
    from yolov2_tf.detection.thresholds import Thresholds

    given = {
        "quantize": quantize,
        "calibrate": calibrate,
        "split": split,
        "nms": nms,
        "threshold": threshold,
        "iou": iou,
        "max_detections": max_detections,
        "tree_threshold": tree_threshold,
        "name": name,
        "description": description,
        "author": author,
        "license": license,
    }
    kind = _checked_format(out, format, given)
    thresholds = Thresholds(threshold, iou, max_detections, tree_threshold)
    console = messages()
    loaded = _load(model_file(model, console), kind.name, tree_threshold)
    pictures = None if calibrate is None else calibration_pictures(calibrate, split, console)
    with console.status("exporting"):
        out, result = _write(kind.name, loaded, out, pictures, thresholds, given)
    Console().print(f"{out}: {_megabytes(out):.1f} MB, {result}", highlight=False, soft_wrap=True)


def _checked_format(out, name, given):
    """The format to write, once all that was asked for fits it and one another."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.formats import check_quantization, format_to_write

    format = format_to_write(out, name, given)
    if given["split"] is not None and given["calibrate"] is None:
        raise InputError("--split without --calibrate", expected="the data set that has it")
    if given["threshold"] is not None and given["nms"] is False:
        raise InputError(
            "--threshold is that of the suppression, which --no-nms leaves out",
            expected="one of the two",
        )
    if given["quantize"] is not None:
        check_quantization(given["quantize"], given["calibrate"])
    return format


def _load(path, format, tree_threshold):
    """The model, once it is one that the format and the options are for."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.detection_model import DetectionModel
    from yolov2_tf.models.loading import load_model

    model = load_model(path)
    if format == "darknet":
        return model
    if not isinstance(model, DetectionModel):
        raise InputError("not a detector", where=path, expected="a model that finds boxes")
    if tree_threshold is not None and model.head.tree is None:
        raise InputError("has no label tree", where=path, expected="no --tree-threshold")
    return model


def _write(format, model, out, pictures, thresholds, given):
    """Writes the model; returns where, and how well it agrees with the file."""
    settings = {"pictures": pictures, "thresholds": thresholds}
    match format:
        case "tflite":
            from yolov2_tf.export.metadata import ModelInfo
            from yolov2_tf.export.tflite import export_tflite

            words = ("name", "description", "author", "license")
            return out, export_tflite(
                model,
                out,
                quantization=given["quantize"] or "none",
                nms=given["nms"] is not False,
                calibration=pictures,
                thresholds=thresholds,
                info=ModelInfo(**{key: given[key] for key in words if given[key] is not None}),
            )
        case "saved_model":
            from yolov2_tf.export.saved_model import export_saved_model

            return export_saved_model(model, out, **settings)
        case "onnx":
            from yolov2_tf.export.onnx import export_onnx

            return out, export_onnx(model, out, **settings)
        case "openvino":
            from yolov2_tf.export.openvino import export_openvino

            return out, export_openvino(model, out, **settings)
        case "darknet":
            from yolov2_tf.darknet.writer import export_darknet

            return out, "; ".join(["the same outputs", *export_darknet(model, out).notes])


def _megabytes(out):
    """Size of a file or a folder in 10⁶ bytes; an OpenVINO file with the weights beside it."""
    beside = [out.with_suffix(".bin")] if out.suffix == ".xml" else []
    written = (file for file in (out, *out.rglob("*"), *beside) if file.is_file())
    return sum(file.stat().st_size for file in written) / 1e6


def calibration_pictures(data, split, console):
    """Some of a data set's pictures, evenly spread over it."""
    import numpy as np

    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.images import load_image

    records = open_checked(data, console, split=split).records
    chosen = np.linspace(0, len(records) - 1, min(len(records), CALIBRATION_PICTURES)).astype(int)
    return [load_image(records[i].image) for i in chosen]
