"""`yolov2 narrow`: a smaller network that starts from a trained one."""

from pathlib import Path
from typing import Annotated

import typer


def narrow(
    model: Annotated[
        str, typer.Argument(help="`.keras` file of a detector, or a name of `yolov2 models`.")
    ],
    out: Annotated[Path, typer.Argument(help="`.keras` file to write.", metavar="OUT")],
    share: Annotated[
        float, typer.Option(help="Share of the filters that stay, above 0 and at most 1.")
    ] = 0.5,
):
    """Leave out the filters of a detector that matter least; it has to be trained on.

    Half of the filters are a quarter of the operations. Trained on with the larger network as its
    teacher, the smaller one gains more than the same training gives from nothing.

    **Examples**
    `yolov2 narrow runs/mine/model.keras small.keras --share 0.5`

    `yolov2 train DATA --model small.keras --teacher runs/mine/model.keras --out runs/small`
    """
    from yolov2_tf.cli.parsing import messages, model_file
    from yolov2_tf.errors import InputError
    from yolov2_tf.files import replacing

    if out.suffix != ".keras":
        raise InputError("not a name for a Keras model", where=out, expected="OUT.keras")
    console = messages()
    path = model_file(model, console)

    from yolov2_tf.models.detection_model import DetectionModel
    from yolov2_tf.models.loading import load_model
    from yolov2_tf.models.narrowing import narrowed

    large = load_model(path)
    if not isinstance(large, DetectionModel):
        raise InputError("not a detector", where=path, expected="a model that finds boxes")
    small = narrowed(large, share)
    with replacing(out) as temporary:
        small.save(temporary)
    was, now = large.count_params(), small.count_params()
    console.print(f"{out}: {now:,} weights of {was:,}", highlight=False, soft_wrap=True)
