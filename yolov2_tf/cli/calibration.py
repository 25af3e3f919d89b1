"""The pictures of `--calibrate`: those that int8 is fitted to, and compared on."""

from pathlib import Path

CALIBRATION_PICTURES = 125
"""A fifth of them is held out to judge the file by."""


def calibration_pictures(data, split, console, option="--split"):
    """Some pictures of a data set or a folder, evenly spread over it; says which.

    What is fitted to pictures scores too well on them. So of a data set with image sets these are
    of those that train.

    Args:
        data: `DATA` as the commands take it, or a folder of pictures without annotations.
        split: Image set; None for what would train.
        console: Where to say it.
        option: What picks the image set.

    Returns:
        `(pictures, dataset)`: a list of `(H, W, 3)` uint8, and the `Dataset` with just these, None
        of a folder without annotations.

    Raises:
        InputError: If there are none.
    """
    import dataclasses

    from yolov2_tf.cli.parsing import open_checked
    from yolov2_tf.data.image_sets import Purpose, training_names
    from yolov2_tf.data.images import load_image

    if (folder := _pictures_alone(data, split, option)) is not None:
        return [load_image(path) for path in _spread(folder)], None
    chosen = split or Purpose(training_names, "calibrates", option)
    dataset = open_checked(data, console, split=chosen)
    dataset = dataclasses.replace(dataset, records=_spread(dataset.records))
    console.print(
        f"calibration: {len(dataset):,} pictures of {dataset.name}",
        highlight=False,
        soft_wrap=True,
    )
    return [load_image(record.image) for record in dataset.records], dataset


def shared_with(calibration, scored):
    """A note on pictures that calibrate and are scored, or None.

    Args:
        calibration: `Dataset` of the pictures that calibrate, or None.
        scored: `Dataset`.
    """
    if calibration is None:
        return None
    files = {image for image in scored.records.images if isinstance(image, str)}
    shared = sum(image in files for image in calibration.records.images)
    if not shared:
        return None
    return f"{shared:,} of the pictures that calibrate int8 are scored, which makes it too good"


def _pictures_alone(data, split, option):
    """The pictures in a folder that holds no annotations, sorted; None if it is a data set."""
    from yolov2_tf.data.layouts import recognise
    from yolov2_tf.data.picture_finder import walk_pictures
    from yolov2_tf.errors import InputError

    folder = Path(data).expanduser()
    if not folder.is_dir() or recognise(folder):
        return None
    pictures = list(walk_pictures(folder))
    if pictures and split is not None:
        raise InputError(f"{option} of a folder of pictures", where=folder, expected="a data set")
    return pictures or None


def _spread(items):
    import numpy as np

    chosen = np.linspace(0, len(items) - 1, min(len(items), CALIBRATION_PICTURES)).astype(int)
    return [items[i] for i in chosen]
