"""Chooses what trains and what scores: train on train, score on val, never on test."""

import dataclasses

from yolov2_tf.data.annotations import listing, rename_classes
from yolov2_tf.data.hold_out import groups_of_copies, hold_out, hold_out_again
from yolov2_tf.data.image_sets import (
    HELD_OUT,
    choose_splits,
    role,
    scoring_names,
    training_names,
    validation_names,
)
from yolov2_tf.data.labels import open_classification, with_classes
from yolov2_tf.data.same_pictures import shared_note
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError

_ONLY_SCORED = "classes that only the validation set has, which nothing trains: {}"


@dataclasses.dataclass(frozen=True)
class DataSource:
    """Where annotations are and how they are to be read, as for `open_dataset`.

    Attributes:
        spec: Path or name.
        split: Image set, or None to choose by the sets' names.
        images: Folder of the pictures, or None.
        format: Form of the annotations, or None to recognise it.
        class_names: Classes to have, and their order; None for those that are found.
    """

    spec: str
    split: str | None = None
    images: str | None = None
    format: str | None = None
    class_names: tuple[str, ...] | None = None

    def open(self, split, class_names=None):
        """Opens the image sets that `split` picks, a name or a function of the names."""
        return open_dataset(
            self.spec,
            split=split,
            images=self.images,
            class_names=class_names or self.class_names,
            format=self.format,
        )


def open_training_sets(data, validation=None, *, held_out=HELD_OUT, again=None, seed=0, check=None):
    """Opens what trains and what scores.

    Args:
        data: `DataSource` to train on. Without a `split`, the image set for training is used, or
            all that are not for validation or testing.
        validation: `DataSource` to score on; without a `split`, its set for validation, else for
            testing, else all. None: the set for validation of `data`, or else a part of what would
            train, which is held out.
        held_out: Share of the pictures to hold out, 0 for none.
        again: `image_id` of the pictures to hold out in its place, those of a run that goes on.
        seed: Seed of the choice.
        check: Function of what trains, called before `validation` is opened; it may raise.

    Returns:
        The `Dataset` to train on, the one to score on (None if there is none and nothing is held
        out), and a tuple of notes on the choice. Both have the same `class_names`.

    Raises:
        InputError: As `open_dataset`; if there are only sets for testing, or if `validation` has a
            class that `data` has not.
    """
    train, available, used = _open_to_train(data.spec, data.split, data.open)
    if validation is not None:
        if check is not None:
            check(train)
        chosen = validation.split or scoring_names
        scored = validation.open(chosen, train.class_names)
        return train, scored, (*_use(available, used, ()), *shared_note(train, scored))
    if names := _names_to_score(available, used):
        scored = data.open(lambda _: names)
        train, scored, notes = _same_classes(train, scored)
        return train, scored, (*_use(available, used, names), *notes, *shared_note(train, scored))
    if not held_out:
        return train, None, _use(available, used, ())
    groups = groups_of_copies(train.records)
    count = len(train)
    if again is not None:
        train, scored = hold_out_again(train, again, groups)
        note = f"{len(scored):,} of {count:,} pictures are held out, those of before"
        return train, scored, (*_use(available, used, ()), note)
    if len(groups) < 2:
        note = "no image set to score on, and only one picture: none is held out"
        return train, None, (*_use(available, used, ()), note)
    train, scored = hold_out(train, held_out, seed, groups)
    note = (
        f"no image set to score on: {len(scored):,} of {count:,} pictures are held out, "
        f"each class by its share (seed {seed})"
    )
    return train, scored, (*_use(available, used, ()), note)


def open_labelled_sets(data, split=None, validation=None, validation_split=None, *, shared=True):
    """Opens pictures with a label each: those that train, and those that score.

    Args:
        data: What trains, as `open_classification` takes it.
        split: Image set of it, or None for the one for training, as of `open_training_sets`.
        validation: What scores; None: `data`, if it has an image set for that.
        validation_split: Image set of it; None for the one for validation, else for testing.
        shared: Whether both have the same classes.

    Returns:
        The `ClassificationDataset` to train on, the one to score on (or None), and a tuple of notes
        on the choice. A set for validation of `data` that shares no class with what trains, as
        where nobody has sorted its pictures, does not score.

    Raises:
        InputError: As `open_classification`.
    """
    train, available, used = _open_to_train(data, split, lambda of: open_classification(data, of))
    class_names = train.class_names if shared else None
    if validation is not None or validation_split is not None:
        place = data if validation is None else validation
        wanted = validation_split or scoring_names
        scored = open_classification(place, wanted, class_names=class_names)
        return train, scored, (*_use(available, used, ()), *_untrained(train, scored, shared))
    names = _names_to_score(available, used)
    if not names:
        return train, None, _use(available, used, ())
    scored = open_classification(data, lambda _: names)
    if shared and not set(scored.class_names) & set(train.class_names):
        classes = f"{', '.join(names)} has none of the classes that train, but"
        note = f"{classes} {listing(scored.class_names)}: nothing scores"
        return train, None, (*_use(available, used, ()), note)
    if shared:
        scored = with_classes(scored, class_names)
    return train, scored, (*_use(available, used, names), *_untrained(train, scored, shared))


def _open_to_train(spec, split, open_sets):
    """Returns what trains, the names of all image sets, and those that are used.

    `open_sets` is a function of the wanted set, a name or a function of all names.
    """
    if split is not None and spec.startswith("tfds:"):
        return open_sets(split), (), (split,)  # may be a slice, e.g. train[:80%]
    seen = []

    def choose(available):
        seen[:] = available
        if split is not None:
            return choose_splits(spec, available, split)[0]
        return training_names(available)

    train = open_sets(choose)
    if not seen:
        if split is not None:  # the form knows no image sets, and asked for none
            raise InputError(f"no image set {split!r}: it has none", where=spec)
        return train, (), ()
    used = choose_splits(spec, seen, split or training_names)[0]
    return train, tuple(seen), used


def _names_to_score(available, used):
    """The image sets for validation that nothing of is used to train."""
    if "trainval" in map(role, used):  # that holds the pictures of `val`
        return ()
    return tuple(name for name in validation_names(available) if name not in used)


def _use(available, train, scored):
    """A note on what the image sets are used for, where there are several or another is missed."""
    if len(available) == 1 and role(available[0]) == "val" and not scored:
        return (f"the only image set is {available[0]}, which is to score on: it trains",)
    if len(available) < 2:
        return ()
    rest = [name for name in available if name not in (*train, *scored)]
    parts = [f"{', '.join(train)} trains"]
    parts += [f"{', '.join(scored)} scores"] if scored else []
    parts += [f"{', '.join(rest)} {'is' if len(rest) == 1 else 'are'} not used"] if rest else []
    return (f"image sets {', '.join(available)}: {'; '.join(parts)}",)


def _untrained(train, scored, shared):
    """A note on the classes of labelled pictures that only score."""
    if not shared:  # each has its own, which become nodes of a tree
        return ()
    labels, trained = ({record.label for record in one.records} for one in (scored, train))
    extra = [train.class_names[label] for label in sorted(labels - trained)]
    return (_ONLY_SCORED.format(listing(extra)),) if extra else ()


def _same_classes(train, scored):
    """Both with the classes of both, in one order, and a note on those that nothing trains."""
    if train.class_names == scored.class_names:
        return train, scored, ()
    extra = [name for name in scored.class_names if name not in train.class_names]
    names = (*train.class_names, *extra)
    note = _ONLY_SCORED.format(listing(extra))
    return rename_classes(train, names), rename_classes(scored, names), (note,) if extra else ()
