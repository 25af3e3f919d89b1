"""Plots as SVG to stand inside a page; their colours follow the page, light or dark.

Matplotlib draws with colours that stand for roles. They become CSS variables of the page, so one
plot serves both themes, and its text stays text.
"""

import contextlib
import io
import re

import numpy as np

from yolov2_tf.drawing.plot_text import plain

ROLES = {
    "ink": "#010101",
    "soft": "#010102",
    "grid": "#010103",
    "surface": "#010104",
    **{f"series{i}": f"#0102{i:02x}" for i in range(1, 9)},
}
"""The colour that stands for each CSS variable `--NAME` of the page."""

SERIES = tuple(ROLES[f"series{i}"] for i in range(1, 9))
"""Colours of lines and bars, in the order in which they are given out."""

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "yolov2",
    "font.size": 11,
    "text.color": ROLES["ink"],
    "axes.edgecolor": ROLES["soft"],
    "axes.labelcolor": ROLES["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.color": ROLES["grid"],
    "xtick.color": ROLES["ink"],
    "ytick.color": ROLES["ink"],
    "legend.frameon": False,
    "lines.linewidth": 2,
}


class Chart:
    """A plot under way.

    Attributes:
        axes: Matplotlib's axes, to draw on.
        svg: The finished plot, once the block has ended.
    """

    def __init__(self, axes):
        self.axes = axes
        self.svg = None


@contextlib.contextmanager
def chart(description, width=5.6, height=3.5):
    """Yields a `Chart` to draw on; after the block its `svg` is there.

    Args:
        description: What the plot shows, for those who cannot see it.
        width: Width in inches at the size of the text; the page scales the plot.
        height: Height in inches.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        drawing = Chart(figure.subplots())
        yield drawing
        text = io.StringIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=metadata)
    drawing.svg = _for_page(text.getvalue(), description)


_COUNT = iter(range(1, 1 << 60))


def _for_page(svg, description):
    """The SVG element alone, with the page's colours and font and ids of its own."""
    from markupsafe import escape

    svg = svg[svg.index("<svg") :]
    for name, color in ROLES.items():
        svg = svg.replace(color, f"var(--{name})")
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    prefix = f"c{next(_COUNT)}-"
    svg = re.sub(r'\bid="', f'id="{prefix}', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    view = re.search(r'viewBox="[^"]*"', svg)[0]
    width = float(view.split()[2])  # in points; text at the size of the page's
    start = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view} style="max-width: {1.35 * width:.0f}px" role="img" '
        f'aria-label="{escape(description)}">'
    )
    return start + svg[svg.index(">") + 1 :]


def lines(description, series, *, labels, limits=(None, None), mark=None):
    """Lines over a common axis.

    Args:
        description: What the plot shows.
        series: Dict from a name to `(x, y)`, at most eight.
        labels: `(x label, y label)`.
        limits: `(x limits, y limits)`, None for what fits.
        mark: Dict from a name to the `(x, y)` of a point to mark on its line.

    Returns:
        SVG text.
    """
    with chart(description) as drawing:
        axes = drawing.axes
        for (name, (x, y)), color in zip(series.items(), SERIES, strict=False):
            few = len(np.atleast_1d(x)) < 20
            axes.plot(x, y, color=color, label=plain(name), marker="o" if few else None, ms=4)
            if mark and name in mark:
                axes.plot(*mark[name], "o", color=color, ms=7)
        axes.set(xlabel=labels[0], ylabel=labels[1], xlim=limits[0], ylim=limits[1])
        if len(series) > 1:
            axes.legend(fontsize=10)
    return drawing.svg


def bars(description, values, *, label, ranges=None, other=None):
    """Bars that lie, one for each name, with their values behind them.

    Args:
        description: What the plot shows.
        values: Dict from a name to a number; None for nothing to draw.
        label: What the numbers are.
        ranges: Dict from a name to `(low, high)` to mark as an interval.
        other: `(name, second name, values)`: a second set beside the first.

    Returns:
        SVG text.
    """
    names = list(values)
    sets = [(None, values)] if other is None else [(other[0], values), (other[1], other[2])]
    thick = 0.72 / len(sets)
    with chart(description, height=0.9 + 0.3 * len(sets) * max(len(names), 2)) as drawing:
        axes = drawing.axes
        for k, (legend, numbers) in enumerate(sets):
            place = np.arange(len(names)) + (k - (len(sets) - 1) / 2) * thick
            lengths = [numbers.get(name) or 0 for name in names]
            axes.barh(place, lengths, thick * 0.92, color=SERIES[k], label=legend)
            for y, name, length in zip(place, names, lengths, strict=True):
                low, high = (ranges or {}).get(name, (length, length)) if k == 0 else (0, 0)
                if high > low:
                    axes.plot([low, high], [y, y], color=ROLES["ink"], lw=1.2)
                text = "–" if numbers.get(name) is None else _short(numbers[name])
                axes.annotate(
                    text, (max(length, high), y), (4, 0), textcoords="offset points", va="center",
                    fontsize=10,
                )  # fmt: skip
        axes.set_yticks(range(len(names)), [plain(name) for name in names])
        axes.grid(visible=False, axis="y")
        # The first on top, no empty rows.
        axes.set(xlabel=label, ylim=(max(len(names), 1) - 0.5, -0.5))
        axes.margins(x=0.12)
        if len(sets) > 1:
            axes.legend(fontsize=10, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return drawing.svg


def _short(number):
    return f"{number:,}" if isinstance(number, int) else f"{number:.1f}"


def heat(description, values, *, labels=("", "")):
    """A map of counts over a picture: the more, the stronger the colour.

    Args:
        description: What the plot shows.
        values: `(rows, columns)`, 0 or more; the first row is on top.
        labels: `(x label, y label)`.

    Returns:
        SVG text.
    """
    from matplotlib.patches import Rectangle

    rows, columns = values.shape
    strength = values / max(values.max(), 1)
    with chart(description, width=4.4, height=4.2) as drawing:
        axes = drawing.axes
        for i, j in np.argwhere(values > 0):
            place = (100 * j / columns, 100 * i / rows)
            axes.add_patch(
                Rectangle(place, 100 / columns, 100 / rows, color=SERIES[0], lw=0,
                          alpha=0.06 + 0.94 * strength[i, j] ** 0.6)
            )  # fmt: skip
        axes.set(xlim=(0, 100), ylim=(100, 0), aspect="equal", xlabel=labels[0], ylabel=labels[1])
        axes.grid(visible=False)
    return drawing.svg


def shapes(description, boxes, anchors, *, most=3000):
    """Widths and heights of boxes as points, anchors as crosses, in % of the picture.

    Args:
        description: What the plot shows.
        boxes: `(n, 2)` `[width, height]` as fractions.
        anchors: `(k, 2)` likewise.
        most: More points than this are thinned out, evenly by chance.

    Returns:
        SVG text.
    """
    if len(boxes) > most:
        boxes = boxes[np.random.default_rng(0).choice(len(boxes), most, replace=False)]
    limits = (0, 100 * max(1.0, float(np.max(anchors, initial=0))))
    with chart(description, width=4.4, height=4.2) as drawing:
        axes = drawing.axes
        axes.scatter(*100 * boxes.T, s=7, color=SERIES[0], alpha=0.35, linewidths=0, label="boxes")
        axes.scatter(
            *100 * np.asarray(anchors).T, s=90, color=SERIES[1], marker="X", linewidths=0.8,
            edgecolors=ROLES["surface"], label="anchors", zorder=3,
        )  # fmt: skip
        axes.set(xlim=limits, ylim=limits, aspect="equal")
        axes.set(xlabel="width, % of the picture", ylabel="height, % of the picture")
        axes.legend(fontsize=10)
    return drawing.svg


def histogram(description, values, *, label, of="boxes", bins=24, log=False):
    """How often values occur.

    Args:
        description: What the plot shows.
        values: `(n,)` numbers; for `log` positive.
        label: What the values are.
        of: What is counted.
        bins: Number of bars, or the borders between them.
        log: Whether the bars grow wider in the same ratio.

    Returns:
        SVG text.
    """
    with chart(description) as drawing:
        axes = drawing.axes
        if len(values):
            low, high = float(np.min(values)), float(np.max(values))
            if log:
                edges = np.geomspace(low, max(high, low * 1.01), bins + 1)
                _log_axis(axes, low, high)
            else:
                edges = np.histogram_bin_edges(values, bins)
            axes.hist(values, edges, color=SERIES[0], rwidth=0.92)
        axes.set(xlabel=label, ylabel=of)
        axes.grid(visible=False, axis="x")
    return drawing.svg


def _log_axis(axes, low, high):
    """Ticks at 1, 2 and 5 times powers of ten, as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
