"""`yolov2 demo-web`: exported models in a browser."""

from pathlib import Path
from typing import Annotated

import typer

# In a checkout the app for phones brings small models; see android_demo/README.md.
SHIPPED = "android_demo/app/src/main/assets"


def demo_web(
    models: Annotated[
        list[Path] | None, typer.Argument(help="`.tflite` files; default: those of the app.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    export: Annotated[
        Path | None,
        typer.Option("--export", "--out", help="Write the page into this folder for any web host."),
    ] = None,
):
    """Try exported models on pictures and the camera, in a browser on this machine.

    Needs npm once, to fetch LiteRT.js.

    **Examples**
    `yolov2 demo-web model.tflite`

    `yolov2 demo-web small.tflite large.tflite --export site`
    """
    import contextlib
    import tempfile

    from yolov2_tf.web_demo.server import open_server
    from yolov2_tf.web_demo.site import build_site

    models = models or shipped_models()
    if export is not None:
        build_site(models, export)
        typer.echo(f"{export}: put all of it on any web server that speaks https")
        return
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "site"
        build_site(models, folder)
        with open_server(folder, port) as server, contextlib.suppress(KeyboardInterrupt):
            typer.echo(f"Open http://localhost:{server.server_port}/ in a browser. Ctrl+C ends it.")
            server.serve_forever()


def shipped_models():
    """The models that a checkout holds: those of real objects first, digits last.

    Raises:
        InputError: If this is no checkout, or it has none.
    """
    from yolov2_tf.errors import InputError
    from yolov2_tf.web_demo.site import HERE

    paths = sorted((HERE.parent / SHIPPED).glob("*.tflite"))
    if not paths:
        raise InputError(
            "no model is given, and none comes with this installation",
            hint="yolov2 demo-web MODEL.tflite; yolov2 export makes one",
        )
    return sorted(paths, key=lambda path: path.stem == "digits")
