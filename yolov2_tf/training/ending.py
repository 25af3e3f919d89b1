"""What the scores of a run that is over say."""


def ending(rows):
    """A sentence on the best epoch and on whether scores still rose, or "" without scores.

    Args:
        rows: Rows of `history.csv`, with `epoch` and, where it was scored, `val_map`.
    """
    scored = [(float(row["val_map"]), int(row["epoch"])) for row in rows if row.get("val_map")]
    if not scored:
        return ""
    best, epoch = max(scored, key=lambda pair: (pair[0], -pair[1]))
    last = int(rows[-1]["epoch"])
    text = f"best mAP {best:.3f} at epoch {epoch} of {last}"
    if len(scored) < 2:
        return text
    if epoch == scored[-1][1]:
        return f"{text}: the last score was the best, a longer training may gain more"
    return f"{text}: no gain in the scores after it"
