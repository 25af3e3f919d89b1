"""Names of image sets: which one trains, which one scores, which one nobody may learn from."""

import dataclasses
import re
from collections.abc import Callable

from yolov2_tf.errors import InputError

HELD_OUT = 0.2
"""Share of the pictures that are held out to score on, where no image set is for that."""

_ROLES = {
    "train": "train",
    "training": "train",
    "trainval": "trainval",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "eval": "val",
    "evaluation": "val",
    "test": "test",
    "testing": "test",
}

_OF_TWO = {frozenset({"train", "val"}): "trainval", frozenset({"val", "test"}): "test"}
"""`train_val` is both, and COCO's `test-dev` is to test on."""

_THING = re.compile("(set|data|split|images|imgs)$")
"""What a word may end with that says what such a set is of."""


def role(name):
    """What an image set is for, by its name.

    Args:
        name: E.g. `"train2017"`, `"valid"`, `"test_labels"`, `"2007_trainval"`, `"testset"`.

    Returns:
        `"train"`, `"val"`, `"trainval"` (both), `"test"`, or None where the name does not tell or
        tells two of them.
    """
    found = _roles(name)
    return next(iter(found)) if len(found) == 1 else _OF_TWO.get(found)


def _roles(name):
    words = re.findall("[a-z]+", name.lower())
    words += [_THING.sub("", word) for word in words]
    return frozenset(_ROLES[word] for word in words if word in _ROLES)


def training_names(available):
    """The image sets to train on: those for training, else those of no known purpose.

    Args:
        available: Names of the image sets.

    Returns:
        A tuple of names; empty if there are only sets to test on.
    """
    roles = {name: role(name) for name in available if role(name) or "test" not in _roles(name)}
    for wanted in ("train", "trainval", None, "val"):
        if found := tuple(name for name in roles if roles[name] == wanted):
            return found
    return ()


def validation_names(available):
    """The image sets to score on while training: those for validation, if others train.

    Args:
        available: Names of the image sets.

    Returns:
        A tuple of names; empty where a part of the training set has to be held out.
    """
    if "trainval" in map(role, training_names(available)):
        return ()  # it holds the pictures of `val`
    taken = training_names(available)
    return tuple(name for name in available if role(name) == "val" and name not in taken)


def scoring_names(available):
    """The image sets to score on: those for validation, else for testing, else all.

    A set for validation is passed over where training takes it in with `trainval`.

    Args:
        available: Names of the image sets.

    Returns:
        A tuple of names; empty only if `available` is.
    """
    tests = tuple(name for name in available if role(name) == "test")
    vals = tuple(name for name in available if role(name) == "val")
    return validation_names(available) or tests or vals or tuple(available)


@dataclasses.dataclass(frozen=True)
class Purpose:
    """A choice of image sets by their names, for `choose_splits`, which tells what was chosen.

    Attributes:
        names: Function of all names that returns those to read.
        verb: What they are for, e.g. `"scores"`.
        option: What picks others.
    """

    names: Callable[[tuple[str, ...]], tuple[str, ...]]
    verb: str
    option: str = "--split"

    def __call__(self, available):
        """Returns the names of the image sets to read."""
        return self.names(available)

    def notes(self, available, chosen):
        """A note on the choice, where there was one."""
        if len(available) < 2:
            return ()
        rest = [name for name in available if name not in chosen]
        are = "is" if len(rest) == 1 else "are"
        unused = f"; {', '.join(rest)} {are} not used ({self.option} picks another)" if rest else ""
        return (f"image sets {', '.join(available)}: {', '.join(chosen)} {self.verb}{unused}",)


def without_pictures(names):
    """A note on image sets that are there and hold nothing."""
    return (f"image sets without a picture, left out: {', '.join(names)}",) if names else ()


TO_TRAIN = Purpose(training_names, "is what trains")
"""What `train` would train on."""

TO_SCORE = Purpose(scoring_names, "scores")
"""What a trained model is scored on: `val`, else `test`, else all."""


def check_split(split):
    """Refuses what names no image set, such as a list of several.

    Args:
        split: As `wanted` of `choose_splits`.

    Raises:
        InputError: If it is neither text, function nor None.
    """
    if not (split is None or isinstance(split, str) or callable(split)):
        raise InputError(
            f"split is {split!r}",
            expected='the name of one image set, such as "train", or a function that picks several',
            hint='split=lambda names: ("train", "val")',
        )


def choose_splits(name, available, wanted):
    """Picks image sets: the one asked for, else the only one, else all.

    Args:
        name: What has these image sets, for the message.
        available: Names of the image sets.
        wanted: One of them, another word for it (`"val"` for `valid`), a function from `available`
            to a tuple of them (`training_names`), a `Purpose`, or None.

    Returns:
        A tuple of names and a tuple of notes.

    Raises:
        InputError: If the one asked for is not there, or none is for what is wanted.
    """
    available = tuple(available)
    if callable(wanted):
        chosen = wanted(available)
        if available and not chosen:
            option = getattr(wanted, "option", "--split")
            raise InputError(
                f"only the image set {', '.join(available)}, which is not to train on",
                where=name,
                hint=f"{option} {available[0]}, if it shall be",
            )
        return chosen, wanted.notes(available, chosen) if isinstance(wanted, Purpose) else ()
    if wanted is None:
        several = len(available) > 1
        note = f"image sets {', '.join(available)} found: all are used (the split picks one)"
        return available, (note,) if several else ()
    if wanted not in available:
        same = [other for other in available if role(wanted) and role(other) == role(wanted)]
        if wanted.lower() in _ROLES and len(same) == 1:
            return (same[0],), (f"image set {same[0]!r} taken for {wanted!r}",)
        if not available:
            raise InputError(f"no image set {wanted!r}, nor any other", where=name)
        raise InputError(f"no image set {wanted!r}", where=name, expected=", ".join(available))
    return (wanted,), ()
