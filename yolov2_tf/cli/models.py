"""`yolov2 models`: the models that can be used by name."""

from typing import Annotated

import typer


def models(
    json: Annotated[str | None, typer.Option(help="Write JSON to a file, `-`: to stdout.")] = None,
):
    """List the models that every command takes by name instead of a file.

    A published network is downloaded from its authors when it is first used, and kept.

    **Examples**
    `yolov2 models`

    `yolov2 predict yolov2-voc photo.jpg --out drawn`
    """
    from rich.console import Console
    from rich.table import Table

    from yolov2_tf.cli.parsing import write_json
    from yolov2_tf.files import cache_folder
    from yolov2_tf.zoo.published import NETWORKS

    folder = cache_folder()
    rows = [
        {
            "name": name,
            "what": network.what,
            "megabytes": round(network.size / 1e6, 1),
            "score": network.score,
            "kept": folder is not None and (folder / f"{name}.keras").is_file(),
        }
        for name, network in NETWORKS.items()
    ]
    if json is not None:
        write_json(rows, json)
    if json == "-":
        return
    table = Table("name", "what", "MB", "the authors' figure", "here")
    for row in rows:
        here = "yes" if row["kept"] else "downloaded when used"
        table.add_row(row["name"], row["what"], f"{row['megabytes']:.0f}", row["score"], here)
    Console().print(table)
