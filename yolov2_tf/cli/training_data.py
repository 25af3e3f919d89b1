"""The data sets of `yolov2 train`: what trains, what scores, what is mixed in."""

import dataclasses

from yolov2_tf.cli.training_options import check_data
from yolov2_tf.data.image_sets import Purpose, training_names

TO_TRAIN_TOO = Purpose(training_names, "trains", "--classification-split")
"""The image set of pictures with labels that is mixed in."""


def open_task(options, console):
    """The `DetectionTask` that the options describe; says what it is.

    Args:
        options: What `training_options.read_options` returned.
        console: `rich.console.Console`.

    Raises:
        InputError: If what they name cannot be read, or is not what a resumed run trained on.
    """
    from yolov2_tf.cli.parsing import checked, read_tree
    from yolov2_tf.data.labels import map_onto_tree, open_classification
    from yolov2_tf.data.nodes import map_boxes_onto_tree
    from yolov2_tf.training.detection import DetectionTask

    tree, node_names = read_tree(options.tree, options.names)

    def on_nodes(dataset):
        if tree is None:
            return dataset
        return map_boxes_onto_tree(dataset, tree, node_names, options.class_map)

    tasks = []

    def describe(opened):
        """Makes the task of what trains; a resumed run must have trained on it, too."""
        dataset = on_nodes(checked(opened, console, decode=options.check))
        console.print(
            f"training on {dataset.name}: {len(dataset):,} images, {dataset.num_boxes:,} boxes"
        )
        tasks.append(DetectionTask(dataset, tree=tree, sources=options.sources))
        check_data(options, tasks[0])

    opened, scored, notes = _open_sets(options, describe)
    if not tasks:
        describe(opened)
    for note in notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True)
    validation = None
    if scored is not None:
        validation = on_nodes(checked(scored, console, decode=options.check))
        console.print(f"scoring on {validation.name}: {len(validation):,} images")
    pictures = None
    if options.classification is not None:
        wanted = options.classification_split or TO_TRAIN_TOO
        pictures = open_classification(options.classification, wanted)
        pictures = map_onto_tree(pictures, tree, node_names)
        pictures = checked(pictures, console, decode=options.check)
        console.print(f"and on {len(pictures):,} pictures with a label of {pictures.name}")
    return dataclasses.replace(tasks[0], validation=validation, classification=pictures)


def _open_sets(options, describe):
    """What trains, what scores (or None), and notes on the choice."""
    from yolov2_tf.cli.parsing import class_names
    from yolov2_tf.data.source import has_one_form, holds_pictures
    from yolov2_tf.data.training_sets import DataSource, open_training_sets
    from yolov2_tf.training.run import Run

    classes = None if options.classes is None else class_names(options.classes)

    def source(spec, split, images, format=options.format):
        folder = None if images is None else str(images)
        return DataSource(spec, split, folder, format, classes)

    validation = None
    if options.val is not None or options.val_split is not None:
        spec = options.data if options.val is None else options.val
        format = None if has_one_form(spec) else options.format
        folder = options.val_images
        if folder is None and not holds_pictures(spec, format):
            folder = options.images
        validation = source(spec, options.val_split, folder, format)
    return open_training_sets(
        source(options.data, options.split, options.images),
        validation,
        held_out=options.hold_out,
        again=Run(options.out).held_out if options.resume else None,
        seed=options.recipe.seed,
        check=describe,
    )
