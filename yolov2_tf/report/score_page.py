"""The page of `evaluate --report`: the figures of a `ScoreReport`, and pictures beside them."""

import numpy as np

from yolov2_tf.data.images import load_image
from yolov2_tf.drawing.pictures import class_colors
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.box_tables import found_table, truth_table
from yolov2_tf.evaluation.conditions import found_truths, right_detections
from yolov2_tf.evaluation.error_kinds import KINDS
from yolov2_tf.report import charts
from yolov2_tf.report.page import cropped, data_uri, outlined, render

WORST = 12
SHOWN = 24
MANY = 12
CURVES = 8
FOUND, LOST, WRONG = (46, 204, 113), (255, 70, 70), (255, 176, 0)


def score_page(dataset, detections, report, *, model, device=""):
    """The page of a `ScoreReport`.

    Args:
        dataset: The `Dataset`.
        detections: The detections it was made of.
        report: `ScoreReport`.
        model: What the detector is called.
        device: What ran it, e.g. `"Keras 3.15"`.

    Returns:
        HTML text that needs nothing else.
    """
    evaluation = report.evaluation
    kept = report.kept(detections, dataset.class_names)
    points = {
        name: (report.thresholds["classes"][name], *curve.at(report.thresholds["classes"][name]))
        for name, curve in report.curves.items()
        if report.thresholds["classes"][name] is not None
    }
    overall = report.thresholds["all"]
    rows = sorted(report.curves, key=lambda name: -_ap(evaluation, dataset, name))
    return render(
        "evaluation.html",
        report=report,
        evaluation=evaluation,
        model=model,
        device=device,
        data=dataset.name,
        rows=[(name, _ap(evaluation, dataset, name), report.curves[name].truths) for name in rows],
        points=points,
        point=None if overall is None else (overall, *report.overall.at(overall)),
        kinds=KINDS,
        plots=_plots(dataset, report),
        matrix=_matrix(dataset, report.confusion),
        worst=_worst(dataset, kept, report),
        missing=[_doubt(dataset, doubt) for doubt in report.missing],
        other_class=[_doubt(dataset, doubt) for doubt in report.other_class[:SHOWN]],
        lost=[_doubt(dataset, doubt) for doubt in report.lost[:SHOWN]],
        milliseconds=1000 * report.seconds / max(len(dataset), 1),
    )


def _ap(evaluation, dataset, name):
    return list(evaluation.ap.values())[dataset.class_names.index(name)]


def _plots(dataset, report):
    evaluation = report.evaluation
    aps = {name: 100 * _ap(evaluation, dataset, name) for name in report.curves}
    order = sorted(aps, key=lambda name: -aps[name])
    ranges = {
        name: (100 * ends.low, 100 * ends.high) for name, ends in report.intervals.items() if ends
    }
    other = None
    if report.difference is not None:
        their = report.difference.evaluation
        other = (
            "this model",
            report.difference.name,
            {name: 100 * _ap(their, dataset, name) for name in order},
        )
    plots = {
        "ap": charts.bars(
            "Average precision by class",
            {name: aps[name] for name in order},
            label="AP, %",
            ranges=ranges,
            other=other,
        ),
        "curves": charts.lines(
            "Precision over recall",
            {name: _precision_recall(report.curves[name]) for name in order[:CURVES]},
            labels=("recall, %", "precision, %"),
            limits=((0, 101), (0, 101)),
        ),
        "thresholds": charts.lines(
            "Precision, recall and F1 over the score threshold",
            _over_threshold(report.overall),
            labels=("score threshold", "%"),
            limits=((0, 1), (0, 101)),
        ),
        "kinds": charts.bars(
            "What each kind of error costs",
            {kind: 100 * cost for kind, cost in report.kinds.costs.items()},
            label="points of mean AP",
        ),
        "calibration": _calibration(report.calibration),
    }
    for key, parts in (("size", report.by_size), ("crowding", report.by_crowding)):
        plots[key] = charts.bars(
            f"Recall by {key}",
            {
                f"{name} ({part.truths:,})": None if not part.truths else 100 * part.recall
                for name, part in parts.items()
            },
            label="recall, %",
        )
    return plots


def _precision_recall(curve):
    recall = np.append(0.0, curve.recall)
    precision = np.append(curve.precision[:1], curve.precision)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return _thinned(100 * recall[: len(best)], 100 * best)


def _over_threshold(curve):
    scores = curve.scores
    return {
        name: _thinned(scores, 100 * values)
        for name, values in (
            ("precision", curve.precision),
            ("recall", curve.recall),
            ("F1", curve.f1),
        )
    }


def _thinned(x, y, most=400):
    if len(x) <= most:
        return x, y
    keep = np.unique(np.linspace(0, len(x) - 1, most).round().astype(int))
    return x[keep], y[keep]


def _calibration(found):
    with charts.chart("Share of right detections over their score") as drawing:
        axes = drawing.axes
        axes.plot([0, 100], [0, 100], "--", color=charts.ROLES["soft"], lw=1.2, label="honest")
        known = found.number > 0
        sizes = 20 + 200 * found.number[known] / max(found.number.max(), 1)
        axes.plot(100 * found.score[known], 100 * found.precision[known], color=charts.SERIES[0])
        axes.scatter(
            100 * found.score[known], 100 * found.precision[known], sizes, color=charts.SERIES[0],
            label="this model", zorder=3,
        )  # fmt: skip
        axes.set(xlabel="score, %", ylabel="right, %", xlim=(0, 101), ylim=(0, 103))
        axes.legend(fontsize=10, markerscale=0.6)
    return drawing.svg


def _matrix(dataset, matrix):
    """The confusion matrix by rows, without classes that neither occur nor were found."""
    names = [*dataset.class_names, "background"]
    used = np.flatnonzero((matrix.sum(axis=0) + matrix.sum(axis=1)) > 0)
    shown = matrix[np.ix_(used, used)]
    share = shown / np.maximum(shown.sum(axis=1, keepdims=True), 1)
    rows = [
        (names[i], [(int(n), float(s), k == j) for k, (n, s) in enumerate(zip(*row, strict=True))])
        for j, (i, row) in enumerate(
            zip(used, zip(shown.tolist(), share.tolist(), strict=True), strict=True)
        )
    ]
    return {"names": [names[i] for i in used], "rows": rows, "many": len(used) > MANY}


def _worst(dataset, kept, report):
    """The worst pictures twice: with their truths, and with what was found."""
    truths, found = truth_table(dataset), found_table(dataset, kept)
    hit, right = found_truths(dataset, truths, found), right_detections(dataset, truths, found)
    shown = []
    for picture in report.worst[:WORST]:
        of_truth = np.flatnonzero((truths.image == picture.image) & ~truths.ignore)
        of_found = np.flatnonzero(found.image == picture.image)
        uris = [
            _uri(dataset.records[picture.image], table.boxes[rows], colors)
            for table, rows, colors in (
                (truths, of_truth, [FOUND if hit[i] else LOST for i in of_truth]),
                (found, of_found, [FOUND if right[i] else WRONG for i in of_found]),
            )
        ]
        wrong = [dataset.class_names[found.labels[i]] for i in of_found if not right[i]]
        lost = [dataset.class_names[truths.labels[i]] for i in of_truth if not hit[i]]
        shown.append(
            {
                "name": dataset.records[picture.image].image_id,
                "uris": uris,
                "wrong": _counted(wrong),
                "lost": _counted(lost),
            }
        )
    return shown


def _counted(names):
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names)) or "none"


def _uri(record, boxes, colors, around=None, longest=420):
    if record.image is None:
        return None
    try:
        image = load_image(record.image)
    except InputError:
        return None
    if around is not None:
        image, place = cropped(image, around, around=0.9)
        boxes = place(boxes)
    return data_uri(outlined(image, boxes, colors, longest=longest), longest=longest)


def _doubt(dataset, doubt):
    """The part of a picture around a doubtful label: the doubt, and the truths in thin white."""
    record = dataset.records[doubt.image]
    near = record.boxes[~record.ignore]
    colors = [(255, 255, 255)] * len(near) + [WRONG]
    boxes = np.concatenate([near, doubt.box[None]])
    if doubt.truth >= 0:  # the truth itself is meant
        colors = [tuple(class_colors([doubt.truth])[0])]
        boxes = doubt.box[None]
    return {
        "uri": _uri(record, boxes, colors, around=doubt.box, longest=200),
        "name": record.image_id,
        "class": dataset.class_names[doubt.label],
        "score": doubt.score,
        "truth": None if doubt.truth < 0 else dataset.class_names[doubt.truth],
    }
