"""The report of `yolov2 evaluate`: opens the second model, writes page, figures and thresholds."""

import json

from yolov2_tf.errors import InputError
from yolov2_tf.files import fingerprint, replacing
from yolov2_tf.zoo import shipped


def check_report(detector, where):
    """Refuses a detector that no report can be written on.

    Args:
        detector: `Detector`.
        where: Its file, for the message.

    Raises:
        InputError: If it has a label tree.
    """
    if detector.tree is not None:
        raise InputError(
            "a report on a network with a label tree", where=where, expected="one without --report"
        )


def open_second(path, thresholds, first, *, size=None, batch_size=None, provider=None):
    """Opens the model to compare with.

    Args:
        path: Its file.
        thresholds: `Thresholds` of both.
        first: `Detector` of the first model.
        size: Side of the input in pixels that is asked for, or None for the model's own.
        batch_size: How many pictures at once, or None; heeded where its form takes it.
        provider: Execution providers of ONNX Runtime, or None; likewise.

    Returns:
        `(path, Detector)`.

    Raises:
        InputError: If it has other classes than the first one, or another input size, fixed, than
            the one that is asked for.
    """
    from yolov2_tf.export.detectors import open_model
    from yolov2_tf.export.formats import format_to_run

    takes = format_to_run(path).running
    second = open_model(
        path,
        thresholds,
        size=size if "size" in takes else None,
        batch_size=batch_size if "batch_size" in takes else None,
        providers=provider if "provider" in takes else None,
    )
    if size not in (None, second.input_size):
        raise InputError(
            f"--size {size}, but its input size is fixed at {second.input_size}",
            where=path,
            expected=f"a .keras file, or an export of --size {size}",
        )
    if second.tree is not None or set(second.class_names) != set(first.class_names):
        raise InputError(
            "has other classes than the first model",
            where=path,
            expected=", ".join(first.class_names[:10]),
        )
    return path, second


def write_report(folder, first, dataset, scored, second, console):
    """Writes the report into a folder, and the best thresholds also beside the model.

    Args:
        folder: Where.
        first: `(path, Detector)` of the model.
        dataset: `Dataset` it was scored on.
        scored: `(detections, Evaluation, seconds)`.
        second: `(path, Detector)` of a model to compare with, see `open_second`, or None.
        console: Where to tell what was written.
    """
    from yolov2_tf.cli.parsing import thresholds_file
    from yolov2_tf.report.page import write_page
    from yolov2_tf.report.score_page import score_page
    from yolov2_tf.report.score_report import measure

    path, detector = first
    detections, evaluation, seconds = scored
    against = second and _second(*second, detector, dataset, evaluation.metric, console)
    report = measure(dataset, detections, evaluation, seconds, against)
    page = score_page(
        dataset, detections, report, model=_name(path, second), device=detector.runtime
    )
    thresholds = {
        "model": fingerprint(path),
        "input_size": detector.input_size,
        "data": dataset.name,
        **report.thresholds,
    }
    write_page(folder, page, report=report.as_json(dataset), thresholds=thresholds)
    kept, note = thresholds_file(path), ""
    if report.thresholds["all"] is None:
        note = "; no best thresholds: nothing was found"
    elif kept is not None:
        try:
            with replacing(kept) as temporary:
                temporary.write_text(json.dumps(thresholds, indent=2) + "\n", encoding="utf-8")
            note = f"; best thresholds: {kept}"
        except OSError as error:  # a model may lie where nothing can be written
            note = f"; best thresholds only there ({kept.parent}: {error.strerror})"
    console.print(f"report: {folder / 'index.html'}{note}", highlight=False, soft_wrap=True)


def _second(path, other, detector, dataset, metric, console):
    """Detects with the second model and scores it, labelled as the first one labels."""
    import numpy as np

    from yolov2_tf.cli.scoring import detect_all
    from yolov2_tf.evaluation.detections import evaluate

    _, found, _ = detect_all(other, dataset, console)
    order = np.array([detector.class_names.index(name) for name in other.class_names])
    found = [{**one, "labels": order[np.asarray(one["labels"], int)]} for one in found]
    return _name(path, True), found, evaluate(dataset, found, metric)


def _name(path, several):
    """A model by its file; by its folder too where two models may share the file's name."""
    if path.resolve().parent == shipped.FOLDER.resolve():
        return path.stem
    name = path.resolve().name if path.name in ("", "..") else path.name
    return f"{path.resolve().parent.name}/{name}" if several else name
