"""`yolov2 demo-web`: exported models in a browser."""

from pathlib import Path
from typing import Annotated

import typer

# In a checkout the app for phones brings a small model; see android_demo/README.md.
SHIPPED = "android_demo/app/src/main/assets/digits.tflite"


def demo_web(
    models: Annotated[
        list[Path] | None, typer.Argument(help="`.tflite` files; default: the app's digits.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    out: Annotated[
        Path | None, typer.Option(help="Write the page into this folder instead of serving it.")
    ] = None,
):
    """Try exported models on pictures and the camera, in a browser on this machine.

    Needs npm once, to fetch LiteRT.js.

    **Examples**
    `yolov2 demo-web model.tflite`

    `yolov2 demo-web small.tflite large.tflite --out site`
    """
    import contextlib
    import tempfile

    from yolov2_tf.web_demo.server import open_server
    from yolov2_tf.web_demo.site import build_site

    models = models or [shipped_model()]
    if out is not None:
        build_site(models, out)
        typer.echo(f"{out}: serve it over https, with the headers that docs/browser.md names")
        return
    with tempfile.TemporaryDirectory() as folder:
        build_site(models, folder)
        with open_server(folder, port) as server, contextlib.suppress(KeyboardInterrupt):
            typer.echo(f"Open http://localhost:{server.server_port}/ in a browser. Ctrl+C ends it.")
            server.serve_forever()


def shipped_model():
    """The model of digits that a checkout holds.

    Raises:
        InputError: If this is no checkout, or it has none.
    """
    from yolov2_tf.errors import InputError
    from yolov2_tf.web_demo.site import HERE

    path = HERE.parent / SHIPPED
    if not path.is_file():
        raise InputError(
            "no model is given, and none comes with this installation",
            hint="yolov2 demo-web MODEL.tflite; yolov2 export makes one",
        )
    return path
