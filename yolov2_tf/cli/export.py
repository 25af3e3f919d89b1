"""`yolov2 export`: a trained model to the forms that servers, phones and other programs run."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[
        str, typer.Argument(help="`.keras` file of a detector, or a name of `yolov2 models`.")
    ],
    out: Annotated[Path, typer.Option(help="File to write; a folder for saved_model and darknet.")],
    format: Annotated[
        str | None,
        typer.Option(help="saved_model, tflite, onnx, openvino, darknet; default: as --out ends."),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(help="none (default), fp16, int8 (needs --calibrate); TFLite: dynamic, too."),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            help="Data set, or folder of pictures, that int8 is calibrated on; a fifth is held "
            "out and compared."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Image set of --calibrate; default: what would train.")
    ] = None,
    nms: Annotated[
        bool | None,
        typer.Option(
            "--nms/--no-nms", help="Suppression inside the file; default: of TFLite alone."
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="TFLite: raw, for accelerators: the file ends in the head tensor."),
    ] = None,
    batch_size: Annotated[
        str | None,
        typer.Option(help="Pictures at once, 1; ONNX, OpenVINO: dynamic, for any number."),
    ] = None,
    size: Annotated[
        int | None, typer.Option(help="Side of the input, a multiple of 32; default: the model's.")
    ] = None,
    opset: Annotated[
        int | None, typer.Option(help="ONNX, OpenVINO: version of the operators, 13 to 18; 17.")
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

    `yolov2 export model.keras --out model.onnx --nms --batch-size dynamic`
    """
    from yolov2_tf.cli.calibration import calibration_pictures
    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import messages, model_file
    from yolov2_tf.detection.thresholds import Thresholds

    given = {
        "quantize": quantize,
        "calibrate": calibrate,
        "split": split,
        "nms": nms,
        "head": head,
        "batch_size": batch_size,
        "size": size,
        "opset": opset,
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
    loaded = _load(model_file(model, console), kind.name, tree_threshold, size)
    if size is not None:
        _tell_of_memory(loaded, size, console)
    pictures, dataset = None, None
    if calibrate is not None:
        pictures, dataset = calibration_pictures(calibrate, split, console)
    with console.status("exporting"):
        out, result = _write(kind.name, loaded, out, pictures, thresholds, given)
    lines = [f"{out}: {_megabytes(out):.1f} MB, {result}"]
    if quantize not in (None, "none") and dataset is not None:
        lines += held_out_map(loaded, out, dataset, thresholds)
    make_console().print("\n".join(lines), highlight=False, soft_wrap=True)


def _checked_format(out, name, given):
    """The format to write, once all that was asked for fits it and one another."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.formats import check_quantization, format_to_write

    format = format_to_write(out, name, given)
    if given["split"] is not None and given["calibrate"] is None:
        raise InputError("--split without --calibrate", expected="the data set that has it")
    _check_suppression(format, given)
    if given["quantize"] is not None:
        check_quantization(given["quantize"], given["calibrate"], format.name)
    if given["batch_size"] is not None:
        batch = batch_of(given["batch_size"])
        if batch is None and format.name == "tflite":
            raise InputError("--batch-size dynamic is for onnx and openvino", expected="a number")
    return format


def _check_suppression(format, given):
    from yolov2_tf.errors import InputError

    raw = given["head"] is not None
    if raw and given["head"] != "raw":
        raise InputError(f"--head {given['head']!r}", expected="raw")
    if raw and given["nms"]:
        raise InputError("--nms behind --head raw", expected="one of the two")
    without = given["nms"] is False or raw or (format.name != "tflite" and not given["nms"])
    if given["threshold"] is not None and without and format.name != "saved_model":
        how = "--no-nms" if given["nms"] is False else "--head raw" if raw else "this file"
        raise InputError(
            f"--threshold is that of the suppression, which {how} leaves out",
            expected="one of the two" if how != "this file" else "--nms, too",
        )


def batch_of(text):
    """`"8"` to 8, `"dynamic"` to None.

    Raises:
        InputError: If it is neither.
    """
    from yolov2_tf.errors import InputError

    if text == "dynamic":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"--batch-size {text!r}", expected="a number from 1 on, or dynamic")
    return int(text)


def _load(path, format, tree_threshold, size):
    """The model, once it is one that the format and the options are for."""
    from yolov2_tf.errors import InputError
    from yolov2_tf.export.formats import check_tree_options
    from yolov2_tf.export.inference_network import at_size
    from yolov2_tf.models.detection_model import DetectionModel
    from yolov2_tf.models.loading import load_model

    model = load_model(path)
    if format == "darknet" and size is None:
        return model
    if not isinstance(model, DetectionModel):
        raise InputError("not a detector", where=path, expected="a model that finds boxes")
    check_tree_options(model.head.tree, {"tree_threshold": tree_threshold}, path)
    return at_size(model, size)


def _tell_of_memory(model, size, console):
    """Says what a size needs, if that is not there: the system would end the command in silence."""
    from yolov2_tf.cli.console import remark
    from yolov2_tf.export.inference_network import least_memory
    from yolov2_tf.free_memory import free_bytes

    needed, free = least_memory(model), free_bytes()
    if needed > free:
        there = f"{free / 1e9:.1f} GB are free (a smaller --size takes less)"
        takes = f"{needed / 1e9:.1f} GB of memory or more"
        remark(console, "note", f"at {size} px this takes {takes}, and {there}")


def _write(format, model, out, pictures, thresholds, given):
    """Writes the model; returns where, and how well it agrees with the file."""
    quantization, batch = given["quantize"] or "none", batch_of(given["batch_size"] or "1")
    settings = {"thresholds": thresholds}
    if quantization != "int8":
        settings["pictures"] = pictures
    match format:
        case "tflite":
            from yolov2_tf.export.metadata import ModelInfo
            from yolov2_tf.export.tflite import export_tflite

            words = ("name", "description", "author", "license")
            raw = given["head"] == "raw"
            return out, export_tflite(
                model,
                out,
                quantization=quantization,
                nms=given["nms"] is not False and not raw,
                raw_head=raw,
                batch=batch,
                calibration=pictures,
                info=ModelInfo(**{key: given[key] for key in words if given[key] is not None}),
                **settings,
            )
        case "saved_model":
            from yolov2_tf.export.saved_model import export_saved_model

            return export_saved_model(model, out, **settings)
        case "onnx" | "openvino":
            from yolov2_tf.export.onnx import export_onnx
            from yolov2_tf.export.openvino import export_openvino

            export = export_onnx if format == "onnx" else export_openvino
            return out, export(
                model,
                out,
                nms=bool(given["nms"]),
                quantization=quantization,
                batch=batch,
                opset=given["opset"],
                calibration=pictures,
                **settings,
            )
        case "darknet":
            from yolov2_tf.darknet.writer import export_darknet

            return out, "; ".join(["the same outputs", *export_darknet(model, out).notes])


def _megabytes(out):
    """Size of a file or a folder in 10⁶ bytes; an OpenVINO file with the weights beside it."""
    beside = [out.with_suffix(".bin")] if out.suffix == ".xml" else []
    written = (file for file in (out, *out.rglob("*"), *beside) if file.is_file())
    return sum(file.stat().st_size for file in written) / 1e6


def held_out_map(model, out, dataset, thresholds):
    """MAP of the model and of its quantised file on the held-out pictures, as lines to print."""
    import dataclasses

    from yolov2_tf.data.annotations import rename_classes
    from yolov2_tf.detection.thresholds import EXPORT, Thresholds
    from yolov2_tf.errors import InputError
    from yolov2_tf.evaluation.detections import evaluate
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.held_out import is_held_out
    from yolov2_tf.export.keras_detector import KerasDetector
    from yolov2_tf.models.heads import find_head

    head = find_head(model)
    try:
        dataset = rename_classes(dataset, head.class_names)
    except InputError as error:
        return [f"no mAP: the labels of --calibrate are not those of the model ({error})"]
    records = [r for i, r in enumerate(dataset.records) if is_held_out(i, len(dataset))]
    if not records:
        return []
    dataset = dataclasses.replace(dataset, records=records)
    limits = thresholds.over(EXPORT)
    detectors = KerasDetector(model, limits), open_model(out, Thresholds(limits.score))
    pictures = [record.image for record in records]
    before, after = (
        100 * evaluate(dataset, detector.detect(pictures), tree=head.tree).map
        for detector in detectors
    )
    return [f"mAP on the {len(records)} pictures held out: {before:.1f}, of the file {after:.1f}"]
