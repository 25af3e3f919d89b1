"""`yolov2 demo-web`: exported models in a browser."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

# In a checkout the app for phones brings small models; see android_demo/README.md.
SHIPPED = "android_demo/app/src/main/assets"


def demo_web(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="`.tflite` or `.keras` files, or names of `yolov2 models`; default: those shipped."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="8000; 0: any that is free.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", "--out", help="Write the page into this folder for any web host."),
    ] = None,
):
    """Try exported models on pictures and the camera, in a browser on this machine.

    Needs npm once, to fetch LiteRT.js.

    **Examples**
    `yolov2 demo-web model.tflite`

    `yolov2 demo-web runs/voc/model.keras`

    `yolov2 demo-web small.tflite large.tflite --export site`
    """
    import contextlib

    from yolov2_tf.errors import InputError
    from yolov2_tf.web_demo.server import open_server
    from yolov2_tf.web_demo.site import build_site

    if export is not None and port is not None:
        raise InputError("--port with --export, which serves nothing", expected="one of them")
    port = 8000 if port is None else port
    models = [phone_file(model) for model in models or shipped_models()]
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
    """The models that come with the package, those of real objects first, and with a checkout.

    The page begins with the first of them, which is the smallest network: phones load it soonest.

    Raises:
        InputError: If there are none.
    """
    from yolov2_tf import zoo
    from yolov2_tf.errors import InputError
    from yolov2_tf.web_demo.site import HERE

    networks = sorted(
        Path(zoo.__file__).parent.glob("networks/*.keras"),
        key=lambda path: (path.stat().st_size, path.stem),
    )
    phone = sorted(
        (HERE.parent / SHIPPED).glob("*.tflite"),
        key=lambda path: (path.stem == "digits", path.stem),
    )
    # The app may bring the same network, ready for phones.
    names = {path.stem for path in phone}
    models = [path for path in networks if path.stem not in names] + phone
    if not models:
        raise InputError(
            "no model is given, and none comes with this installation",
            hint="yolov2 demo-web MODEL.tflite; yolov2 export makes one",
        )
    return models


def phone_file(model):
    """The `.tflite` file of a model, which is made where there is none, and kept for the next time.

    It is in float32, without suppression: that runs on GPUs, too, and the page suppresses.

    Args:
        model: Path of a `.tflite` or `.keras` file, or a name of `yolov2 models`.

    Raises:
        InputError: If there is no such model, or it is no detector.
    """
    import hashlib

    from yolov2_tf.cli.parsing import messages, model_file
    from yolov2_tf.files import cache_folder, replacing

    path = model_file(model, messages())
    if path.suffix != ".keras" or not path.is_file():
        return path
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    folder = cache_folder() or Path(tempfile.mkdtemp())
    made = folder / "demo-web" / mark / f"{path.stem}.tflite"
    if not made.is_file():
        from yolov2_tf.errors import InputError
        from yolov2_tf.export.tflite import export_tflite
        from yolov2_tf.models.detection_model import DetectionModel
        from yolov2_tf.models.loading import load_model

        network = load_model(path)
        if not isinstance(network, DetectionModel):
            raise InputError("not a detector", where=path, expected="a model that finds boxes")
        typer.echo(f"{path.stem}: making a file for browsers of it, once", err=True)
        with replacing(made) as temporary:
            export_tflite(network, temporary, nms=False)
    return made
