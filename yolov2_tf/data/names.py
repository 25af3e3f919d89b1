"""Names of pictures and classes that everything can write: those that UTF-8 has.

A file name is bytes. Those that are not UTF-8, as from an archive made on Windows, reach Python as
halves of surrogate pairs, which neither TensorFlow nor a text file takes. JSON can hold such halves
as well.
"""

import os

from yolov2_tf.data.records import RecordColumns
from yolov2_tf.errors import InputError


def check_names(dataset):
    """Refuses a data set with a name that cannot be written.

    It is refused as a whole: without the pictures that have an accent in their name, say, it would
    be another one.

    Args:
        dataset: `Dataset` or `ClassificationDataset`.

    Returns:
        The same.

    Raises:
        InputError: If a picture, a class or an image set has such a name.
    """
    for name in dataset.class_names:
        if not is_utf8(name):
            raise InputError(
                f"class name {as_shown(name)!r} cannot be written",
                where=as_shown(dataset.name),
                expected="text that UTF-8 has",
                hint="another name in the annotations",
            )
    if (name := _first_not_utf8(dataset.records)) is not None:
        raise not_utf8(name)
    return dataset


def listed_names(class_names, where=None):
    """Names of classes as a tuple; None stays None.

    Args:
        class_names: Iterable of names, or None.
        where: What they are for, for the message.

    Raises:
        InputError: If it is a text, whose letters would be taken for names.
    """
    if isinstance(class_names, str):
        raise InputError(
            f"class_names is the text {class_names!r}",
            where=where,
            expected=f"a sequence of names, such as [{class_names!r}]",
        )
    return None if class_names is None else tuple(class_names)


def checked_spec(spec):
    """What a data set is opened by, as text.

    Raises:
        InputError: If it is neither text nor a path.
    """
    if not isinstance(spec, str | os.PathLike):
        raise InputError(
            f"a {type(spec).__name__} is no data set by its path or name",
            expected="a path, tfds:NAME or digits",
        )
    return os.fspath(spec)


def is_utf8(text):
    """Whether a text can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_shown(text):
    r"""A text with bytes that are not UTF-8 as `\xdf`, so that it can be printed."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a half that stands for no byte
        return text.encode("utf-8", "backslashreplace").decode()


def label_lines(class_names):
    """The text of a label file: a line for each class, whose number is the label.

    Readers know nothing but lines, so a line break in a name becomes a blank there.
    """
    return "\n".join(" ".join(name.splitlines()) for name in class_names)


def trimmed_names(class_names, where):
    """Names without the blanks around them, as forms give them back that trim what they read.

    Args:
        class_names: The names.
        where: The data set, for messages.

    Raises:
        InputError: If nothing is left of one, or two become the same.
    """
    trimmed = {}
    for given in class_names:
        name = given.strip()
        if not name or name in trimmed:
            raise InputError(
                f"class name {given!r} is {'empty' if not name else f'{trimmed[name]!r}, too'}"
                " without the blanks around it",
                where=where,
                expected="names that differ in more than blanks",
                hint="another name in the annotations",
            )
        trimmed[name] = given
    return list(trimmed)


def not_utf8(name):
    """The `InputError` of a picture with such a name."""
    return InputError(
        "the name is not UTF-8",
        where=as_shown(name),
        expected="names that every program can write",
        hint="rename it, and what is named after it; many at once: convmv -r --notest -f cp1252 "
        "-t utf-8 FOLDER",
    )


def _first_not_utf8(records):
    if isinstance(records, RecordColumns):
        return records.first_not_utf8()
    names = (name for one in records for name in (one.image_id, one.image))
    return next((name for name in names if isinstance(name, str) and not is_utf8(name)), None)
