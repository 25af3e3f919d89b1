"""Values that several commands take or print in one way."""

import json
import sys
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

SHOWN_NOTES = 10
"""How many of a reader's notes are printed."""


def integer_range(text, option):
    """`"320-608"` to `(320, 608)`; a single number is a range of one.

    Raises:
        InputError: If the text is not of that form or runs backwards.
    """
    first, _, last = text.partition("-")
    try:
        limits = int(first), int(last or first)
    except ValueError:
        limits = (1, 0)
    if limits[0] > limits[1] or limits[0] < 1:
        raise InputError(f"{option} {text!r}", expected="two numbers such as 320-608")
    return limits


def number_range(text, option):
    """`"0.57-2"` to `(0.57, 2.0)`; a single number is a range of one.

    Raises:
        InputError: If the text is not of that form or runs backwards.
    """
    first, _, last = text.partition("-")
    try:
        limits = float(first), float(last or first)
    except ValueError:
        limits = (1.0, 0.0)
    if not 0 < limits[0] <= limits[1]:
        raise InputError(f"{option} {text!r}", expected="two numbers such as 0.57-2")
    return limits


def write_json(value, path):
    """Writes JSON to a file, or to standard output for `-`."""
    text = json.dumps(value, indent=2) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    with replacing(path) as temporary:
        Path(temporary).write_text(text)


def messages():
    """Console for everything but results: standard error, so that `--json -` stays clean."""
    from yolov2_tf.cli.console import make_console

    return make_console(stderr=True)


def model_file(model, console):
    """The file of a model that is given by its path or its name; a download shows a bar.

    Raises:
        InputError: See `yolov2_tf.zoo.names.model_path`.
    """
    from rich import progress

    from yolov2_tf.zoo.names import model_path

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
    )
    bar = progress.Progress(*columns, console=console, transient=True)
    tasks = {}

    def show(file, done, total):
        bar.start()  # only now: most models are files
        if file not in tasks:
            tasks[file] = bar.add_task(file)
        bar.update(tasks[file], completed=done, total=total)

    try:
        return model_path(model, progress=show)
    finally:
        if tasks:
            bar.stop()


def thresholds_file(model):
    """Where the best thresholds of a model are kept: beside it.

    Those of a shipped network are in the cache: nobody writes into the package.

    Args:
        model: `pathlib.Path` of its file.

    Returns:
        `pathlib.Path`, or None without a cache.
    """
    from yolov2_tf.evaluation.operating_points import thresholds_beside
    from yolov2_tf.files import cache_folder
    from yolov2_tf.zoo import shipped

    beside = thresholds_beside(model)
    if beside.parent != shipped.FOLDER:
        return beside
    folder = cache_folder()
    return None if folder is None else folder / beside.name


def open_checked(
    spec,
    console,
    *,
    split=None,
    images=None,
    format=None,
    class_names=None,
    pictures=True,
    decode=True,
):
    """Opens a data set, checks its pictures and tells what it holds.

    Args:
        spec: `DATA` as the commands take it.
        console: Where to tell.
        split: Image set, or None.
        images: Folder of the pictures, or None.
        format: Form of the annotations, None to recognise it.
        class_names: Names that the data set's classes are mapped onto, or None.
        pictures: Whether the pictures are needed; those that cannot be read are then left out.
        decode: Whether each picture is decoded once (not with `--no-check`), or its header read.

    Returns:
        `Dataset`.

    Raises:
        InputError: If there is nothing left to work with.
    """
    from yolov2_tf.data.source import open_dataset

    dataset = open_dataset(spec, split=split, images=images, class_names=class_names, format=format)
    return checked(dataset, console, pictures=pictures, decode=decode)


def checked(dataset, console, *, pictures=True, decode=True):
    """Checks the pictures of an opened data set and tells what it holds, as a table and notes.

    Args:
        dataset: `Dataset` or `ClassificationDataset`.
        console: Where to tell.
        pictures: As for `open_checked`.
        decode: As for `open_checked`.

    Returns:
        The data set without unreadable pictures.

    Raises:
        InputError: If there is nothing left to work with.
    """
    from rich.progress import track

    from yolov2_tf.data.dataset import Dataset
    from yolov2_tf.data.image_check import check_images, turn_upright

    def progress(items, total):
        return track(items, "checking pictures", total=total, console=console, transient=True)

    if pictures:
        dataset, _ = check_images(dataset, progress, decode=decode)
    else:
        dataset = turn_upright(dataset, progress)
    notes = list(dataset.notes)
    if isinstance(dataset, Dataset):
        notes += print_summary(dataset, console)
    print_notes(notes, console)
    if not len(dataset):
        raise InputError("no usable pictures", where=dataset.name)
    return dataset


def print_summary(dataset, console):
    """Prints what a data set holds: pictures and boxes, by class and image set.

    Returns:
        Notes that only the figures tell: classes without a box.
    """
    from rich.table import Table

    from yolov2_tf.data.annotations import listing
    from yolov2_tf.data.summary import summarize, table_rows

    if not len(dataset):
        return []
    summary = summarize(dataset)
    heading, rows = table_rows(summary)
    table = Table(
        title=dataset.name,
        title_justify="left",
        show_header=any(heading),  # one image set needs no name
        min_width=min(len(dataset.name), console.width),
    )
    for i, name in enumerate(heading):
        table.add_column(name, justify="right" if i else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    empty = summary.classes_without_box
    reasons = [f"{number:,} {what}" for what, number in dataset.counts.items() if "(" in what]
    return [
        *([f"classes without a box: {len(empty):,} ({listing(list(empty))})"] if empty else []),
        *([f"not counted: {', '.join(reasons)}"] if reasons else []),
    ]


def print_notes(notes, console):
    """Prints what the user should know about the data; the first few, and how many more."""
    from yolov2_tf.cli.console import remark

    for note in notes[:SHOWN_NOTES]:
        remark(console, "note", note)
    if len(notes) > SHOWN_NOTES:
        remark(console, "note", f"and {len(notes) - SHOWN_NOTES:,} more")


def read_tree(tree, names):
    """A label tree and what people call its nodes.

    Args:
        tree: Path of a tree file, or None.
        names: Path of a file with the nodes' names, or None.

    Returns:
        `(WordTree, names)`, None for what is not given.

    Raises:
        InputError: If a file cannot be used, or there are names for no tree.
    """
    from yolov2_tf.trees.class_maps import read_node_names
    from yolov2_tf.trees.wordtree import WordTree

    if tree is None:
        if names is not None:
            raise InputError("--names without --tree", expected="the tree whose nodes they name")
        return None, None
    tree = WordTree.read(tree)
    return tree, None if names is None else read_node_names(names, tree)


def class_names(text):
    """A tuple of names: of `"voc"`, the path of a file with one on each line, or `"a,b,c"`."""
    from yolov2_tf.data.readers.voc_xml import CLASS_NAMES
    from yolov2_tf.trees.wordtree import read_lines

    if text == "voc":
        return CLASS_NAMES
    names = read_lines(text) if Path(text).is_file() else text.split(",")
    return tuple(name.strip() for name in names)


def read_names(path):
    """The class names in a file, one a line.

    Raises:
        InputError: If it cannot be read, or a line is blank: a name, or a line too many?
    """
    from yolov2_tf.trees.wordtree import read_lines

    names = [line.strip() for line in read_lines(path)]
    if "" in names:
        where = f"{path}:{names.index('') + 1}"
        raise InputError("a blank line", where=where, expected="a class name in each line")
    return names


def names_in_data(text, class_names):
    """What a data set calls the classes of a model, in their order.

    Args:
        text: `imagenet`, for the ids of ImageNet's thousand classes in Darknet's order, or the path
            of a file with a name in each line; None: as the model does.
        class_names: The model's.

    Returns:
        Tuple of names.

    Raises:
        InputError: If the file cannot be used, or has not one name for each class.
    """
    from yolov2_tf.trees.label_lists import IMAGENET

    if text is None:
        return tuple(class_names)
    names = read_names(IMAGENET if text == "imagenet" else text)
    if len(names) != len(class_names):
        raise InputError(
            f"{len(names):,} names",
            where=text,
            expected=f"{len(class_names):,}, one for each class of the model",
        )
    return tuple(names)
