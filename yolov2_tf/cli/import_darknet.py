"""`yolov2 import-darknet`: a Darknet network to a `.keras` file."""

from pathlib import Path
from typing import Annotated

import typer


def import_darknet(
    cfg: Annotated[Path, typer.Argument(help="Darknet's `.cfg`.", metavar="CFG")],
    weights: Annotated[Path, typer.Argument(help="Its `.weights`.", metavar="WEIGHTS")],
    out: Annotated[Path, typer.Argument(help="`.keras` file to write.", metavar="OUT")],
    names: Annotated[
        Path | None, typer.Option(help="Class names, one per line, e.g. `voc.names`.")
    ] = None,
    tree: Annotated[
        Path | None, typer.Option(help="Label tree, e.g. `9k.tree`, if the cfg names one.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="WEIGHTS hold the first layers only: take the trunk.")
    ] = False,
):
    """Turn a Darknet network of the YOLOv2 family into a Keras model.

    **Examples**
    `yolov2 import-darknet yolov2-voc.cfg yolov2-voc.weights voc.keras --names voc.names`

    `yolov2 import-darknet yolo9000.cfg yolo9000.weights 9k.keras --tree 9k.tree --names 9k.names`

    A trunk to start a training from:

    `yolov2 import-darknet darknet19_448.cfg darknet19_448.conv.23 trunk.keras --partial`
    """
    from yolov2_tf.cli.console import remark
    from yolov2_tf.cli.parsing import messages, read_names
    from yolov2_tf.darknet.network import read_network
    from yolov2_tf.errors import InputError
    from yolov2_tf.files import replacing
    from yolov2_tf.trees.wordtree import WordTree

    if out.suffix != ".keras":
        raise InputError("not a name for a Keras model", where=out, expected="OUT.keras")
    console = messages()
    for note in read_network(cfg).notes:
        remark(console, "note", note)
    class_names = None if names is None else read_names(names)
    label_tree = None if tree is None else WordTree.read(tree)

    from yolov2_tf.darknet.reader import import_darknet

    model = import_darknet(
        cfg, weights, class_names=class_names, tree=label_tree, allow_partial=partial
    )
    with replacing(out) as temporary:
        model.save(temporary)
    if model.layers[-1].name == "logits":
        remark(
            console,
            "note",
            "the classes of [softmax] are not known without its --tree, or in several groups:"
            " a training can start from this network, but it cannot classify",
        )
    console.print(
        f"{out}: {len(model.layers)} layers, {model.count_params():,} parameters",
        highlight=False,
        soft_wrap=True,
    )
