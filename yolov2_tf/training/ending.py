"""What the figures of a run that is over say, and what to try next."""

NOTABLE = 0.01
"""Differences of mAP below this say nothing."""

LAST = 1 / 3
"""Part of a training in which a gain counts as still going on."""

LEVEL = 0.05
"""Losses that differ by less than this share are equal: pictures and views change."""

LOW_RECALL = 0.5
"""Below it most boxes of the training pictures are not met by an IoU of .5."""


def ending(rows, recipe=None):
    """Sentences on the best epoch, on how the scores went on, and on what to try.

    What to try follows from figures, which are named; where they say nothing, nothing is advised.

    Args:
        rows: Rows of `history.csv`, with `epoch` and, where it was scored, `val_map`.
        recipe: `DetectionRecipe` of the run, or None.

    Returns:
        A line, and one more for each thing to try; "" without scores.
    """
    scored = [row for row in rows if row.get("val_map") not in (None, "")]
    if not scored:
        return ""
    top = max(scored, key=lambda row: (_number(row, "val_map"), -int(row["epoch"])))
    epochs = int(rows[-1]["epoch"])
    best, at = _number(top, "val_map"), int(top["epoch"])
    text = f"best mAP {best:.3f} at epoch {at} of {epochs}"
    if len(scored) < 2:
        return text
    last = scored[-1]
    if top is last:
        how, advice = _while_rising(scored, best, epochs, recipe)
    elif best - _number(last, "val_map") >= NOTABLE:
        how, advice = _after_a_fall(top, last, rows[-1])
    else:
        how, advice = "no gain in the scores after it", _where_level(top, rows[-1])
    tries = [*([advice] if advice else []), *_where_recall_is_low(rows[-1], recipe)]
    return "\n".join([f"{text}: {how}", *(f"try {line}" for line in tries)])


def _while_rising(scored, best, epochs, recipe):
    """The last score was the best."""
    early = [row for row in scored if int(row["epoch"]) <= epochs * (1 - LAST)]
    if not early:
        return "the last score was the best", None
    gain = best - max(_number(row, "val_map") for row in early)
    how = f"the last score was the best, {gain:.3f} above those of the first two thirds"
    if gain < NOTABLE:
        return how, None
    longer = f"--epochs {2 * epochs}"
    if recipe is not None and recipe.minutes is not None:
        longer = f"--minutes {2 * recipe.minutes:g}"
    return how, f"a longer training, as mAP still rose: yolov2 train --resume {longer} --out …"


def _after_a_fall(top, last, end):
    """A score before the last one was notably better."""
    fall = _number(top, "val_map") - _number(last, "val_map")
    how = f"mAP fell by {fall:.3f} after it"
    before, after = _number(top, "loss"), _number(end, "loss")
    losses = f"the loss {before:.2f} to {after:.2f}"
    if after < before * (1 - LEVEL):
        return f"{how}, {losses}", (
            "more pictures, or more variety of those there are (a larger --jitter, --saturation, "
            "--exposure): the training pictures are still learnt better, others are not"
        )
    if after > before * (1 + LEVEL):
        return f"{how}, {losses}", "a lower --learning-rate, as the loss rose too"
    return how, None


def _where_level(top, end):
    """No score after the best differs notably."""
    before, after = _number(top, "loss"), _number(end, "loss")
    if after < before * (1 - LEVEL):
        return f"more pictures: the loss fell on, {before:.2f} to {after:.2f}, but mAP stayed"
    if after <= before * (1 + LEVEL):
        return (
            "yolov2 evaluate --report, which tells what costs most: neither mAP nor the loss "
            f"({before:.2f} to {after:.2f}) moved any more"
        )
    return None


def _where_recall_is_low(end, recipe):
    """The training pictures themselves are not found."""
    recall = _number(end, "recall")
    if not recall < LOW_RECALL:
        return []
    size = "" if recipe is None else f" than {recipe.size}"
    return [
        f"a larger --size{size}, or yolov2 inspect for boxes that are too small or share a slot: "
        f"of the training pictures' own boxes {recall:.0%} are met with an IoU of .5"
    ]


def _number(row, name):
    """A figure of a row; NaN, which is below and above nothing, where there is none."""
    value = row.get(name)
    return float("nan") if value in (None, "") else float(value)
