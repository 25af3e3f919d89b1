"""Draws a label tree, or the part below one node, as a PNG file. Matplotlib loads late."""

import numpy as np

from yolov2_tf.drawing.plot_files import check_plot
from yolov2_tf.drawing.plots import BLUE, GREY, INK
from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

MOST_ROWS = 400
"""More nodes below each other make a picture that no one can read."""

LETTER = 0.078  # inches across, of the fixed-width font at 9 points
ROW = 0.19  # inches
GAP = 3  # letters between a label and its children


def plot_tree(tree, png, *, node=-1, levels=3, title="root", labels=None):
    """Draws a node and what is below it, from left to right.

    Args:
        tree: `WordTree`.
        png: File to write.
        node: Where to begin; -1 is the root.
        levels: How many levels below `node` are drawn; nodes whose children are left out say so.
        title: What to call the root if it is drawn.
        labels: What to call the nodes, one for each. Default: the tree's names.

    Raises:
        InputError: If there would be more than 400 rows.
    """
    check_plot(png)
    labels = labels or tree.names
    shown = _laid_out(tree, node, levels)
    rows = sum(not children for _, _, _, children in shown)
    if rows > MOST_ROWS:
        raise InputError(
            f"{rows:,} rows to draw",
            expected=f"at most {MOST_ROWS}",
            hint="fewer levels with --depth, or a part of the tree with --node",
        )
    texts = [_text(tree, drawn, title, labels, children) for drawn, _, _, children in shown]
    start = _column_starts([level for _, level, _, _ in shown], texts)

    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    figure = Figure(figsize=(LETTER * start[-1], ROW * (rows + 1)))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, start[-1]), ylim=(rows, -1))
    axes.axis("off")
    lines = []
    for (drawn, level, y, children), text in zip(shown, texts, strict=True):
        leaf = len(tree.children(drawn)) == 0
        axes.text(
            start[level],
            y,
            text.replace("$", r"\$"),
            family="monospace",
            size=9,
            va="center",
            color=BLUE if leaf else INK,
            weight="normal" if leaf else "bold",
        )
        if children:
            below = [shown[child][2] for child in children]
            bend, tip = start[level + 1] - GAP / 2, start[level + 1] - 0.4
            lines.append([(start[level] + len(text) + 0.4, y), (bend, y)])
            lines.append([(bend, below[0]), (bend, below[-1])])
            lines.extend([(bend, row), (tip, row)] for row in below)
    axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.8))
    with replacing(png) as temporary:
        figure.savefig(temporary, dpi=110)


def _laid_out(tree, node, levels):
    """The nodes to draw as `(node, level, y, children)`; children are indices into this list.

    Each node without children gets a row; any other is centred on its children.
    """
    shown, rows = [], 0

    def place(node, level):
        nonlocal rows
        here = len(shown)
        shown.append(None)
        below = tree.children(node) if level < levels else ()
        children = [place(child, level + 1) for child in below]
        if children:
            y = np.mean([shown[children[0]][2], shown[children[-1]][2]])
        else:
            y, rows = rows, rows + 1
        shown[here] = (node, level, y, children)
        return here

    place(node, 0)
    return shown


def _text(tree, node, title, labels, children):
    name = title if node < 0 else labels[node]
    hidden = 0 if children else len(tree.children(node))
    return f"{name} (+{hidden})" if hidden else name


def _column_starts(levels, texts):
    """Where each level's labels begin and the last one's end, in letters from the left."""
    widest = np.zeros(max(levels) + 1, int)
    np.maximum.at(widest, levels, [len(text) for text in texts])
    return np.concatenate([[1], 1 + np.cumsum(widest + GAP)])
