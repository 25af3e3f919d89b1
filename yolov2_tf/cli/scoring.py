"""What the commands that score a detector share: they open its data, and detect in all of it."""

from pathlib import Path


def open_for(detector, where, data, console, *, nodes=None, split=None, **opening):
    """Opens a data set to score a detector on, labelled as the detector labels.

    Args:
        detector: Anything with `class_names` and `tree`.
        where: Its file, for messages.
        data: `DATA` as the commands take it.
        console: Where to tell what was skipped.
        nodes: For label trees: file with the number of each class's node, or None.
        split: Image set; None for the one to score on, see `TO_SCORE`.
        **opening: See `open_checked`.

    Returns:
        `Dataset`, with a tree its labels are nodes; and a dict from each class of the data to its
        node, None without a tree.

    Raises:
        InputError: If the data set cannot be used, or its classes are not the detector's.
    """
    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.image_sets import TO_SCORE
    from yolov2_tf.data.nodes import map_boxes_onto_tree, nodes_by_name
    from yolov2_tf.export.formats import check_tree_options

    opening["split"] = split or TO_SCORE
    check_tree_options(detector.tree, {"map": nodes}, where)
    names = detector.class_names if detector.tree is None else None
    dataset = open_checked(data, console, class_names=names, **opening)
    _tell_of_training(Path(where), dataset, console)
    if detector.tree is None:
        return dataset, None
    how = detector.tree, detector.class_names, nodes
    return map_boxes_onto_tree(dataset, *how), nodes_by_name(dataset.class_names, *how)


def _tell_of_training(model, dataset, console):
    """Says that a model is scored on pictures that it has learnt, as far as its run tells."""
    if not (model.parent / "held_out.txt").is_file():
        return
    from yolov2_tf.cli.console import remark
    from yolov2_tf.training.run import Run

    held_out, ids = {*Run(model.parent).held_out}, {*dataset.records.image_ids}
    if held_out < ids:
        some = f"{len(held_out):,} of these {len(ids):,} pictures were held out from its training"
        remark(console, "note", f"{some}: with the others, which it learnt, scores are too good")


def detect_all(detector, dataset, console, *, leave_out=False):
    """Detects in all pictures of a data set, with a bar that shows how far it is.

    Args:
        detector: `Detector`.
        dataset: `Dataset`.
        console: Where the bar is.
        leave_out: Whether pictures that cannot be read are left out, with a note; else the first
            is an error.

    Returns:
        `(dataset, detections, seconds)`: the pictures that were read, and what is in them.

    Raises:
        InputError: If a picture cannot be read, or with `leave_out` not a single one.
    """
    import dataclasses
    import time

    from rich.progress import track

    from yolov2_tf.cli.parsing import print_notes
    from yolov2_tf.data.annotations import listing
    from yolov2_tf.errors import InputError
    from yolov2_tf.prediction.stream import look_at_records

    start, found, faults = time.perf_counter(), [], {}
    records = track(
        dataset.records, "detecting", total=len(dataset), console=console, transient=True
    )
    for number, seen in enumerate(look_at_records(detector, records)):
        if seen.error is None:
            found.append(seen.found)
        elif leave_out:
            faults[number] = seen.error
        else:
            raise seen.error
    seconds = time.perf_counter() - start
    if faults:
        reasons = [f"{dataset.records[i].image_id}: {error.what}" for i, error in faults.items()]
        if not found:
            raise InputError(
                f"not one of {len(dataset):,} pictures can be read; the first: {reasons[0]}",
                where=dataset.name,
            )
        left_out = f"pictures that cannot be read, left out: {len(faults):,} ({listing(reasons)})"
        print_notes([left_out], console)
        records = [record for i, record in enumerate(dataset.records) if i not in faults]
        dataset = dataclasses.replace(dataset, records=records)
    return dataset, found, seconds
