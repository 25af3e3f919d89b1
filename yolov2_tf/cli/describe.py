"""`yolov2 describe`: operations, weights and receptive field of a network."""

from pathlib import Path
from typing import Annotated

import typer

from yolov2_tf.cli.local import Json


def describe(
    model: Annotated[
        str,
        typer.Argument(
            help="`.keras` file or a name of `yolov2 models`; "
            "new: `yolov2`, `tiny`, `yolo9000`, `darknet19`."
        ),
    ],
    size: Annotated[int | None, typer.Option(help="Input side, if not the model's own.")] = None,
    json: Json = None,
):
    """Print each layer's output, weights, operations and receptive field.

    Operations are counted as Darknet does, a multiplication and an addition for each weight and
    place. The paper has 5.58 billion for Darknet-19 at 224 px, 29.36 for YOLOv2 at 416 px.

    **Examples**
    `yolov2 describe runs/voc/model.keras`

    `yolov2 describe darknet19 --size 224`
    """
    from rich.table import Table

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import write_json
    from yolov2_tf.models.description import describe_layers
    from yolov2_tf.training.recipe_values import checked_side

    network, own_size = _open(model)
    # An imported network's own side may be no multiple of 32.
    side = own_size if size is None else checked_side("size", size)
    rows = describe_layers(network, side)
    operations, weights = sum(row.operations for row in rows), network.count_params()
    if json is not None:
        layers = [{**vars(row), "shape": list(row.shape)} for row in rows]
        totals = {"size": side, "operations": operations, "weights": weights}
        write_json({**totals, "layers": layers}, json)
    if json == "-":
        return
    table = Table("layer", "kind", "output", "weights", "operations", "sees px", "every px")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        millions = f"{row.operations / 1e6:,.1f} M" if row.operations else ""
        output, held = "×".join(map(str, row.shape)), f"{row.weights:,}" if row.weights else ""
        sees = (f"{row.field}", f"{row.stride}")
        table.add_row(row.name, row.kind, output, held, millions, *sees)
    make_console().print(table)
    typer.echo(
        f"{network.name} at {side} px: {operations / 1e9:.2f} billion operations, "
        f"{weights:,} weights ({weights * 4 / 1e6:.1f} MB)"
    )


def _open(name):
    """The network and the size that it is meant for."""
    from yolov2_tf.cli.parsing import messages, model_file

    if name in ("yolov2", "tiny", "yolo9000", "darknet19"):
        return _new(name)
    from yolov2_tf.errors import InputError
    from yolov2_tf.models.heads import find_classification_head, find_head
    from yolov2_tf.models.loading import load_model

    path = model_file(Path(name), messages())
    network = load_model(path)
    for find in (find_head, find_classification_head):
        try:
            return network, find(network).input_size
        except ValueError:
            continue
    raise InputError("no detector and no classifier", where=path, expected="a network of ours")


def _new(name):
    """A new network for VOC's 20 or ImageNet's 1,000 classes."""
    from yolov2_tf.data.readers.voc_xml import CLASS_NAMES
    from yolov2_tf.models.darknet19 import Darknet19
    from yolov2_tf.models.yolov2 import YOLO9000, TinyYOLOv2, YOLOv2

    if name == "darknet19":
        return Darknet19([str(i) for i in range(1000)]), 224
    build = {"yolov2": YOLOv2, "tiny": TinyYOLOv2, "yolo9000": YOLO9000}[name]
    return build(CLASS_NAMES), 416
