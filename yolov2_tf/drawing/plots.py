"""Plots as PNG files: training history, precision and recall, anchors. Matplotlib loads late."""

import contextlib
import csv
from pathlib import Path

import numpy as np

from yolov2_tf.boxes import shape_iou
from yolov2_tf.drawing.pictures import class_colors
from yolov2_tf.drawing.plot_files import check_plot
from yolov2_tf.drawing.plot_text import plain
from yolov2_tf.errors import InputError
from yolov2_tf.evaluation.voc import envelope
from yolov2_tf.files import replacing
from yolov2_tf.models.anchors import average_iou

BLUE, RED, GREEN, ORANGE, VIOLET = "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"
INK, GREY = "#1f2937", "#9ca3af"

_STYLE = {
    "font.size": 10,
    "text.color": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}

PAPER_AVERAGE_IOU = {5: 0.610, 9: 0.672}
"""Average IoU of the paper's clusters on VOC (table 1)."""

_LOSSES = {
    "loss": ("total", INK),
    "loss_box": ("box", BLUE),
    "loss_objectness": ("objectness", GREEN),
    "loss_no_objectness": ("no objectness", ORANGE),
    "loss_class": ("class", VIOLET),
    "loss_teacher": ("teacher", RED),
}
_QUALITIES = {
    "val_map": ("validation mAP", RED),
    "average_iou": ("average IoU (training)", BLUE),
    "recall": ("recall at IoU .5 (training)", GREEN),
    "val_top1": ("validation top-1", RED),
    "val_top5": ("validation top-5", ORANGE),
    "val_hierarchical": ("validation, hierarchical", VIOLET),
    "top1": ("top-1 (training)", BLUE),
}
_SCORES = ("val_map", "val_top1")


def plot_history(history, png):
    """Draws the loss with its parts, and the scores, over the epochs.

    Scores are a detector's mAP, average IoU and recall, or a classifier's accuracy.

    Args:
        history: Path of a `history.csv`, or its rows as a sequence of dicts. Needed is the column
            `epoch`; other columns may be missing, and fields may be empty.
        png: File to write.

    Raises:
        InputError: If there is no row or no column `epoch`.
    """
    where = None
    if isinstance(history, str | Path):
        where = history
        with open(history, newline="", encoding="utf-8") as file:
            history = list(csv.DictReader(file))
    if not history or "epoch" not in history[0]:
        raise InputError("no epochs to plot", where=where, expected="rows with a column 'epoch'")
    epochs = _column(history, "epoch")

    with _figure(png, columns=2) as (losses, qualities):
        losses.set(title="Training loss", xlabel="epoch", ylabel="loss of an image")
        losses.set_yscale("log")
        losses.yaxis.set_major_formatter("{x:g}")
        for key, (name, color) in _LOSSES.items():
            _plot_known(losses, epochs, _column(history, key), name, color)
        qualities.set(title="Quality", xlabel="epoch", ylabel="%", ylim=(0, 100))
        for key, (name, color) in _QUALITIES.items():
            _plot_known(qualities, epochs, 100 * _column(history, key), name, color)
        for key in _SCORES:
            _mark_best(qualities, epochs, 100 * _column(history, key))
        for axes in (losses, qualities):
            axes.set_xlim(epochs.min() - 0.5, epochs.max() + 0.5)
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            if axes.lines:
                axes.legend()


def plot_precision_recall(evaluation, png, *, most=20):
    """Draws precision over recall, a line for each class.

    The precision is the best at the same or a higher recall, as AP takes it.

    Args:
        evaluation: A `yolov2_tf.evaluation.detections.Evaluation`.
        png: File to write.
        most: Only the classes with the most truths are drawn, this many.

    Raises:
        InputError: If no class has truths.
    """
    if not evaluation.curves:
        raise InputError("no class has truths", expected="at least one curve to plot")
    names = list(evaluation.ap)
    shown = sorted(evaluation.curves, key=lambda name: -evaluation.counts[name].truths)[:most]
    shown.sort(key=lambda name: -evaluation.ap[name])
    title = f"{evaluation.metric} on {evaluation.images:,} images: mAP {evaluation.map:.1%}"
    if len(shown) < len(evaluation.curves):
        title += f"\nthe {len(shown)} most frequent of {len(evaluation.curves):,} classes"
    with _figure(png, width=7.5 if len(shown) > 10 else 6.5) as (axes,):
        axes.set(title=title, xlabel="recall %", ylabel="precision %", xlim=(0, 100), ylim=(0, 101))
        for name in shown:
            recall, precision, _ = evaluation.curves[name]
            best = envelope(precision)
            # Steps from recall 0 on; a class without detections keeps its place in the legend.
            axes.step(
                100 * np.concatenate([0 * recall[:1], recall]),
                100 * np.concatenate([best[:1], best]),
                color=class_colors([names.index(name)])[0] / 255,
                linewidth=1.4,
                label=f"{evaluation.ap[name]:.1%}  {plain(name)}",
            )
        axes.legend(
            loc="upper left", bbox_to_anchor=(1.01, 1.02), title="AP", alignment="left", fontsize=9
        )


def plot_anchor_sweep(ks, average_ious, png, *, paper=False):
    """Draws average IoU over the number of anchors (the paper's figure 2).

    Args:
        ks: `(n,)` numbers of anchors.
        average_ious: `(n,)` in 0..1.
        png: File to write.
        paper: Whether to mark the paper's figures for VOC.
    """
    with _figure(png) as (axes,):
        axes.set(title="Dimension clusters", xlabel="anchors k", ylabel="average IoU %")
        axes.plot(ks, 100 * np.asarray(average_ious), "o-", color=BLUE, label="these boxes")
        if paper:
            for k, value in PAPER_AVERAGE_IOU.items():
                axes.plot(k, 100 * value, "D", color=RED, label="paper, VOC" if k == 5 else None)
            axes.legend(loc="lower right")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=15)


def plot_speed_and_accuracy(curves, title, png):
    """Draws mAP over pictures a second (the paper's figure 4).

    Args:
        curves: Dict from names to lists of `(pictures a second, mAP in %, name of the point)`.
        title: Of the figure.
        png: File to write.
    """
    with _figure(png, width=6.5) as (axes,):
        axes.set(title=title, xlabel="pictures a second", ylabel="mAP %", xscale="log")
        for (name, points), color in zip(curves.items(), (BLUE, RED, GREEN, ORANGE), strict=False):
            speeds, scores, _ = zip(*points, strict=True)
            axes.plot(speeds, scores, "o-", color=color, label=name)
            for speed, score, label in points:
                axes.annotate(label, (speed, score), (4, 5), textcoords="offset points")
        speeds = [speed for points in curves.values() for speed, _, _ in points]
        low, high = min(speeds) / 1.3, max(speeds) * 1.3
        axes.set_xlim(low, high)
        axes.xaxis.set_major_formatter("{x:g}")
        every = high < 5 * low  # else few or none would have a label
        axes.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if every or _is_plain(x) else "")
        if len(curves) > 1:
            axes.legend(loc="best")


def _is_plain(value):
    """Whether a number of a logarithmic axis is worth a label: 1, 2 or 5 of its power of ten."""
    return round(value / 10 ** np.floor(np.log10(value))) in (1, 2, 5)


def plot_anchors(shapes, anchors, png):
    """Draws the shapes of boxes, coloured by their closest anchor, and the anchors themselves.

    Args:
        shapes: `(n, 2)` `[width, height]` as fractions of the image.
        anchors: `(k, 2)` `[width, height]` as fractions of the image (cells × 32 / input size).
        png: File to write.
    """
    from matplotlib.patches import Rectangle

    shapes, anchors = np.asarray(shapes, float), np.asarray(anchors, float)
    closest = shape_iou(shapes[:, None], anchors[None]).argmax(axis=1)
    colors = class_colors(np.arange(len(anchors))) / 255
    order = np.random.default_rng(0).permutation(len(shapes))  # no cluster hides another
    with _figure(png, columns=2) as (scatter, outlines):
        scatter.set(title=f"{len(shapes):,} boxes, average IoU {average_iou(shapes, anchors):.1%}")
        scatter.scatter(
            *100 * shapes[order].T, s=4, c=colors[closest[order]], alpha=0.5, linewidths=0
        )
        scatter.scatter(*100 * anchors.T, s=70, c=colors, edgecolors=INK, linewidths=1.5, zorder=3)
        limits = (0, 100 * max(1.0, anchors.max()))
        scatter.set(xlabel="width, % of image", ylabel="height, % of image")
        scatter.set(xlim=limits, ylim=limits, aspect="equal")

        outlines.set(title=f"{len(anchors)} anchors", aspect="equal", xlim=limits, ylim=limits)
        outlines.set(xlabel="width, % of image", ylabel="height, % of image")
        center = limits[1] / 2
        for (width, height), color in zip(100 * anchors, colors, strict=True):
            corner = (center - width / 2, center - height / 2)
            outlines.add_patch(Rectangle(corner, width, height, fill=False, ec=color, lw=2))


# === Parts ===


@contextlib.contextmanager
def _figure(png, columns=1, width=None):
    """Yields the axes of a new figure and writes it when the block ends without an error."""
    import matplotlib
    from matplotlib.figure import Figure

    check_plot(png)
    with matplotlib.rc_context(_STYLE), replacing(png) as temporary:
        # A figure of its own, without pyplot: no window system, nothing left open.
        figure = Figure(figsize=(width or 5.5 * columns, 4.4), layout="constrained")
        yield figure.subplots(1, columns, squeeze=False)[0]
        figure.savefig(temporary, dpi=150)


def _column(rows, key):
    """One column of the history as `(n,)` float64, NaN where it is missing or empty."""
    return np.array([float(row.get(key) or "nan") for row in rows])


def _plot_known(axes, epochs, values, name, color):
    """A line through the values that there are."""
    known = np.isfinite(values)
    if known.any():
        marker = "o" if known.sum() < 30 else None
        line = {"color": color, "label": name, "marker": marker, "markersize": 3.5}
        axes.plot(epochs[known], values[known], **line)


def _mark_best(axes, epochs, values):
    if np.isfinite(values).any():
        best = int(np.nanargmax(values))
        axes.annotate(
            f"{values[best]:.1f}", (epochs[best], values[best]), (0, 6), textcoords="offset points",
            ha="center", color=RED, weight="bold",
        )  # fmt: skip
