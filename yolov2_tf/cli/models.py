"""`yolov2 models`: the models that can be used by name."""

from yolov2_tf.cli.local import Json


def models(
    json: Json = None,
):
    """List the models that every command takes by name instead of a file.

    The starters come with the package. A published network is downloaded from its authors when it
    is first used, and kept.

    **Examples**
    `yolov2 models`

    `yolov2 predict starter photo.jpg --out drawn`

    `yolov2 predict yolov2-voc photo.jpg --out drawn`
    """
    from rich.table import Table

    from yolov2_tf.cli.console import make_console
    from yolov2_tf.cli.parsing import write_json
    from yolov2_tf.files import cache_folder
    from yolov2_tf.zoo import published, shipped

    folder = cache_folder()
    rows = [
        {
            "name": name,
            "what": network.what,
            "megabytes": round(shipped.path(name).stat().st_size / 1e6, 1),
            "score": network.score,
            "speed": network.speed,
            "kept": True,
        }
        for name, network in shipped.NETWORKS.items()
    ] + [
        {
            "name": name,
            "what": network.what,
            "megabytes": round(network.size / 1e6, 1),
            "score": network.score,
            "speed": "",
            "kept": folder is not None and (folder / f"{name}.keras").is_file(),
        }
        for name, network in published.NETWORKS.items()
    ]
    if json is not None:
        write_json(rows, json)
    if json == "-":
        return
    table = Table()
    table.add_column("name", no_wrap=True)
    for title in ("what", "MB", "score (published: the authors')", "speed", "here"):
        table.add_column(title)
    for row in rows:
        here = "yes" if row["kept"] else "downloaded when used"
        table.add_row(
            row["name"], row["what"], f"{row['megabytes']:.0f}", row["score"], row["speed"], here
        )
    make_console().print(table)
