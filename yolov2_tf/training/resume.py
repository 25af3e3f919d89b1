"""What a resumed run may do otherwise than before, and what it may not."""

import os

from yolov2_tf.data.hold_out import was_held_out
from yolov2_tf.errors import InputError

DATA_SETS = ("data", "classification", "validation")
"""What the record calls the data sets of a run."""

SHOWN_CLASSES = 4
"""How many names of classes a message shows."""


def recipe_changes(run, recipe):
    """What is new about the recipe of a run that goes on.

    Args:
        run: `Run` with the record of what was.
        recipe: `Recipe` of what shall be.

    Returns:
        `{name: (was, is)}` of what may change and does.

    Raises:
        InputError: If something differs that a run cannot change, with all that was and is.
    """
    record = run.record
    was = type(recipe).of(record)
    fixed, changes = {}, {}
    for name in vars(was):
        before, now = getattr(was, name), getattr(recipe, name)
        if _same(before, now) or (name == "precision" and now == "auto"):
            continue
        if name == "weights" and "weights" not in record:
            continue  # records did not say at first where the weights came from
        (changes if name in recipe.CHANGEABLE else fixed)[name] = (before, now)
    _refuse(fixed, run)
    return changes


def data_changes(run, facts, names=DATA_SETS):
    """What is new about the data of a run that goes on.

    Args:
        run: `Run` with the record of what was.
        facts: What the record is to say about the data, see `Task.facts`.
        names: Which data sets to look at.

    Returns:
        `{name: (was, is)}` of what may change and does: the validation set, and how many images
        a data set has.

    Raises:
        InputError: If it is another data set, or has other classes, with what was and is.
    """
    record, fixed, changes = run.record, {}, {}
    for name in names:
        before, now = record.get(name), facts[name]
        if before == now and (name != "validation" or _same_place(name, record, facts)):
            continue
        if name != "validation" and _is_another(name, record, facts):
            fixed[name] = (_called(name, record), _called(name, facts))
        else:
            changes[name] = (_called(name, record), _called(name, facts))
    if record["classes"] != facts["classes"]:
        fixed["classes"] = (_listed(record["classes"]), _listed(facts["classes"]))
    if "tree" in record and record["tree"] != facts["tree"]:
        fixed["tree"] = (record["tree"], facts["tree"])
    _refuse(fixed, run)
    return changes


def held_out_changes(run, validation):
    """Says where pictures that trained are to score from now on.

    Args:
        run: `Run` with the list of the pictures that were held out, or none.
        validation: What is to score, or None.

    Returns:
        `{"validation": (was, is)}`, or an empty dict.
    """
    before = run.held_out
    if before is None or not was_held_out(validation):
        return {}
    new = {*validation.records.image_ids} - {*before}
    if not new:
        return {}
    what = f"{len(validation):,}, of which {len(new):,} were not, and may have trained"
    return {"validation": (f"{len(before):,} pictures held out", what)}


def _refuse(fixed, run):
    if fixed:
        raise InputError(
            "; ".join(f"{name} was {before}, now {now}" for name, (before, now) in fixed.items()),
            where=run.config,
            expected="what the run began with",
            hint="leave these out to go on with the run, or begin another in another folder",
        )


def _is_another(name, record, facts):
    """Whether a data set is not the one of before, grown or shrunk, but another."""
    before, now = record.get(name), facts[name]
    if before is None or now is None or before["name"] != now["name"]:
        return True
    # Names are short. What has another size and lies elsewhere is another data set of that name.
    return not _same_place(name, record, facts)


def _same_place(name, record, facts):
    """Whether a data set lies where it lay; where that is not known, it does."""
    places = [source.get("sources", {}).get(name) for source in (record, facts)]
    return None in places or os.path.abspath(places[0]) == os.path.abspath(places[1])


def _called(name, source):
    data = source.get(name)
    if data is None:
        return "none"
    place = source.get("sources", {}).get(name)
    return f"{data['name']} ({data['images']:,} images{f' in {place}' if place else ''})"


def _listed(classes):
    more = len(classes) - SHOWN_CLASSES
    names = ", ".join(classes[:SHOWN_CLASSES]) + (f" and {more:,} more" if more > 0 else "")
    return f"{len(classes):,} ({names})"


def _same(before, now):
    if isinstance(before, str) and isinstance(now, str) and before.endswith(".keras"):
        return os.path.abspath(before) == os.path.abspath(now)
    return before == now
