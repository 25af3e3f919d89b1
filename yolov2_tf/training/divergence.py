"""What is left of a training whose figures stopped being numbers."""

import dataclasses
import json

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a step of the training gave.

    Attributes:
        loss: Of the batch.
        gradient_norm: Of the gradient before it was limited.
        weights: A number that is finite while all weights are.
    """

    loss: float
    gradient_norm: float
    weights: float

    def wrong(self, *, scaled):
        """What is not finite, or None; where the loss is scaled, gradients may overflow at times.

        Args:
            scaled: Whether it is, as with float16.
        """
        if not np.isfinite(self.loss):
            return f"the loss is {self.loss}"
        if not (scaled or np.isfinite(self.gradient_norm)):
            return f"the norm of the gradient is {self.gradient_norm}"
        return None if np.isfinite(self.weights) else "weights are not finite"


def diverged(folder, batch, names, epoch, step, figures, model):
    """What ends a run whose figures are not finite; saves the batch that they came from.

    Args:
        folder: Folder of the run; `diverged/` in it gets the pictures and `batch.json`.
        batch: `(images, truths)`; None where another process saves it.
        names: What the pictures of the whole batch are called.
        epoch: Number of the epoch, from 0.
        step: Number of the step in it, from 0.
        figures: `Figures` of the step.
        model: The model, for the learning rate.

    Returns:
        `InputError`.
    """
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    facts = {
        "epoch": epoch + 1,
        "step": step + 1,
        "loss": str(figures.loss),
        "gradient_norm": str(figures.gradient_norm),
        "learning_rate": rate,
    }
    place = folder / "diverged"
    if batch is not None:
        _save_batch(place, tf.nest.map_structure(np.asarray, batch), names, facts)
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return InputError(
        f"{figures.wrong(scaled=False)} at epoch {epoch + 1}, step {step + 1}, on {names[0]}"
        f"{others} (loss {figures.loss:g}, norm of the gradient {figures.gradient_norm:g}, "
        f"learning rate {rate:g}); the last checkpoint is from before",
        where=place,
        expected="finite figures",
        hint="look at the pictures and boxes there; then --resume with a lower --learning-rate, "
        "or begin anew with --precision float32",
    )


def _save_batch(folder, batch, names, facts):
    images, truths = batch
    if isinstance(truths, dict):
        rows = [
            {key: value[i].tolist() for key, value in truths.items()} for i in range(len(images))
        ]
    else:
        rows = [{"label": label.tolist()} for label in truths]
    with replacing(folder) as place:
        place.mkdir()
        if images.ndim == 4 and images.dtype == np.uint8:
            for i, image in enumerate(images):
                Image.fromarray(image).save(place / f"{i:03}.png")
        pictures = [{"picture": name, **row} for name, row in zip(names, rows, strict=False)]
        (place / "batch.json").write_text(json.dumps({**facts, "pictures": pictures}, indent=1))
