"""What a training does, as plain values that refuse what cannot be."""

import dataclasses
import os
from typing import ClassVar

from yolov2_tf.errors import InputError
from yolov2_tf.training.recipe_values import (
    CHOICES,
    LIMITS,
    OPTIONAL,
    check_choice,
    check_flag,
    check_zoom,
    checked_number,
    checked_pair,
    checked_side,
    is_whole,
)
from yolov2_tf.zoo.names import names, read_head

UNLIMITED = 10**6
"""Epochs of a training that its minutes end."""


def names_network(model):
    """Whether `model` is a trained network of `yolov2 models`, and no form to build."""
    return model not in CHOICES["model"] and str(model) in names()


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What every training has to know; written to `config.json` of the run.

    Attributes:
        width: Multiplier of the network's filters, 0.01 to 4.
        size: Side of the input in pixels, a multiple of 32.
        resize: `stretch` or `letterbox`; None for that of the network that it is to be like, see
            `like`, and `stretch` where there is none.
        tree_logits: Of a label tree, what a new network gives logits of: `nodes`, as in the paper,
            or `leaves`, whose probabilities add up to those of the nodes above.
        epochs: Passes over the training set.
        batch_size: Images a step.
        optimizer: `sgd` with momentum 0.9 (the paper's) or `adam`.
        learning_rate: The highest rate.
        schedule: How it falls: `steps` (as the paper's detector), `polynomial` (as its classifier)
            or `cosine`, see `yolov2_tf.schedules.decay`.
        weight_decay: Darknet's `decay`.
        clip_norm: Largest norm of the gradient of all weights, which is scaled down to it; None
            for no limit, as in Darknet. Of a detector's loss, a sum over boxes, it usually acts.
        accumulate: Batches whose mean gradient makes one step of the optimizer: 8 of 8 pictures
            are 64 in the memory of 8 (batch normalisation sees 8).
        sync_batch_norm: Whether batch normalisation has the statistics of the whole batch where
            several devices train; else each has those of its share.
        saturation: Largest factor of the saturation in training pictures; its inverse is the
            smallest.
        exposure: The same of the brightness.
        flip: Whether half of the pictures are mirrored: not for text or digits.
        weights: `.keras` file whose fitting weights the network starts with, or None.
        freeze: Whether layers with loaded weights stay as they are.
        mean: Decay of the exponential mean of the weights, which is what is scored and saved then;
            0 for none.
        precision: Keras' dtype policy: `float32`, `mixed_bfloat16`, `mixed_float16`; or `auto`, for
            the fastest of the machine that the training begins on.
        seed: Makes weights, views and order reproducible, 0 to 2³¹ - 1.
        checkpoint_minutes: How long after a checkpoint the next is due, within an epoch too; 0
            for one after every step.
        minutes: How long the training may take, from its begin to its last file; the schedule is
            then over the time, and `epochs` says nothing. None: no limit.
    """

    width: float = 1.0
    size: int = 416
    resize: str | None = None
    tree_logits: str = "nodes"
    epochs: int = 160
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 1e-3
    schedule: str = "steps"
    weight_decay: float = 5e-4
    clip_norm: float | None = 10.0
    accumulate: int = 1
    sync_batch_norm: bool = False
    saturation: float = 1.5
    exposure: float = 1.5
    flip: bool = True
    weights: str | None = None
    freeze: bool = False
    mean: float = 0.0
    precision: str = "float32"
    seed: int = 0
    checkpoint_minutes: float = 10.0
    minutes: float | None = None

    CHANGEABLE: ClassVar = frozenset(
        {"epochs", "minutes", "batch_size", "learning_rate", "schedule", "flip", "mean"}
        | {"checkpoint_minutes", "saturation", "exposure", "sync_batch_norm"}
    )
    """What a resumed run may do otherwise: that which is not in its network, optimizer or loss."""

    @classmethod
    def of(cls, config):
        """The recipe in a `config.json` that was read; what an old one lacks has its default."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in config.items() if name in names})

    @property
    def total_epochs(self):
        """Epochs of the whole training, or how many there may be where the minutes end it."""
        return self.epochs if self.minutes is None else UNLIMITED

    @property
    def continues(self):
        """Whether the network itself comes from a file."""
        return False

    @property
    def like(self):
        """File or name of the network whose way of resizing is kept, or None."""
        return None

    @property
    def resizing(self):
        """How a picture comes to the size of the input: `resize`, or as in the network `like`."""
        return self.resize or read_head(self.like).resize

    def size_of(self, epoch):
        """Side of the input in pixels in an epoch, counted from 0."""
        return self.size

    def __post_init__(self):
        """Refuses values that cannot be.

        Raises:
            InputError: With the name of the field and what it may be.
        """
        if self.resize is None and self.like is None:
            object.__setattr__(self, "resize", "stretch")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            # JSON has lists for tuples; paths and numpy's numbers cannot be written to it.
            if isinstance(value, list):
                value = tuple(value)
            if isinstance(value, os.PathLike):
                value = os.fspath(value)
            if field.name in OPTIONAL and value is None:
                pass
            elif field.name in CHOICES and not (field.name == "model" and self.continues):
                check_choice(field.name, value)
            elif field.type is bool:
                check_flag(field.name, value)
            elif field.name in LIMITS:
                kind = int if field.type is int else float
                value = checked_number(field.name, value, kind)
            object.__setattr__(self, field.name, value)
        object.__setattr__(self, "size", checked_side("size", self.size))
        if self.weights is not None and not isinstance(self.weights, str):
            raise InputError(
                f"weights is {self.weights!r}", expected="a .keras file", field="weights"
            )
        if self.freeze and self.weights is None and not self.continues:
            raise InputError(
                "freeze holds loaded weights, and none are loaded",
                expected="weights of a file, or a .keras file as model",
                field="freeze",
            )


@dataclasses.dataclass(frozen=True)
class DetectionRecipe(Recipe):
    """What the training of a detector does.

    Defaults are the paper's (section 2) but for the fields in `yolov2_tf.training.paper.DETECTION`.

    Attributes:
        model: `yolov2`, `tiny`, `yolo9000`, or a `.keras` file whose network goes on training.
        multi_scale: `(smallest, largest)` side drawn from while training, or None.
        resize_every: Batches that share a size.
        anchors: Number of anchors, clustered on the training boxes.
        passthrough: What of the 26×26 map joins the 13×13 one: `squeezed` to 64 channels first, as
            in the released network; `full`, all 512, as in the paper; `none`. `yolov2` only.
        jitter: How far each border of a picture moves, as a fraction of its side, 0 to 0.45.
        ratio: `(boxes, labels)`: in joint training, how many pictures with boxes come with how
            many that only have a label. The paper makes ImageNet larger than COCO by 4:1.
        mosaic: Share of the views with labels that are four pictures at once, 0 to 1.
        box_mosaic: Share of the views with boxes that are four pictures at once, 0 to 1.
        image_rule: Which box such a label trains, and how, see
            `yolov2_tf.detection.loss.YOLOv2Loss`.
        balance: Whether all classes have the same share in the class loss, however often they
            occur: by boxes or by labels.
        spare: Whether the class loss of boxes is over the classes that boxes have, and leaves out
            those that occur as labels alone.
        teacher: `.keras` file or name of a trained detector of the same classes, whose answers the
            network is to give as well, see `yolov2_tf.detection.distillation.Teacher`; or None. A
            new network takes its anchors.
        passes: How often an epoch goes through the training set, for sets so small that a score and
            a checkpoint after every pass would take longer than the pass.
    """

    model: str = "yolov2"
    multi_scale: tuple[int, int] | None = None
    resize_every: int = 10
    anchors: int = 5
    passthrough: str = "squeezed"
    jitter: float = 0.2
    ratio: tuple[int, int] = (1, 4)
    mosaic: float = 0.0
    box_mosaic: float = 0.0
    image_rule: str = "paper"
    balance: bool = False
    spare: bool = False
    teacher: str | None = None
    passes: int = 1

    CHANGEABLE: ClassVar = Recipe.CHANGEABLE | {
        *("multi_scale", "resize_every"),
        *("jitter", "box_mosaic"),
    }

    @property
    def continues(self):
        """Whether the network comes from a file, given by its path or a name of `yolov2 models`."""
        return str(self.model).endswith(".keras") or names_network(self.model)

    @property
    def like(self):
        """The network that goes on training, or the teacher, or None."""
        return self.model if self.continues else self.teacher

    def __post_init__(self):
        """Refuses values that cannot be.

        Raises:
            InputError: With the name of the field and what it may be.
        """
        super().__post_init__()
        if self.teacher is not None and not isinstance(self.teacher, str):
            raise InputError(
                f"teacher is {self.teacher!r}", expected="a .keras file or a name", field="teacher"
            )
        if self.passthrough != "squeezed" and self.model != "yolov2":
            raise InputError(
                f"passthrough is {self.passthrough}, the network {self.model}",
                expected="a new network yolov2: the others are as they are",
                field="passthrough",
            )
        if self.multi_scale is not None:
            low, high = checked_pair("multi_scale", self.multi_scale, "two sides")
            sides = checked_side("multi_scale", low), checked_side("multi_scale", high)
            if sides[0] > sides[1]:
                raise InputError(
                    f"multi_scale is {low}-{high}",
                    expected="the smaller side first, e.g. 320-608",
                    field="multi_scale",
                )
            object.__setattr__(self, "multi_scale", sides)
        ratio = checked_pair("ratio", self.ratio, "two numbers from 1, e.g. 1 and 4")
        if not all(is_whole(part) and part >= 1 for part in ratio):
            raise InputError(
                f"ratio is {ratio[0]}:{ratio[1]}",
                expected="two whole numbers from 1, e.g. 1:4",
                field="ratio",
            )


FINE_EPOCHS = 10
"""Epochs of the high-resolution stage (paper, section 2, "High Resolution Classifier")."""


@dataclasses.dataclass(frozen=True)
class ClassificationRecipe(Recipe):
    """What the training of a classifier does.

    Defaults are the paper's (section 3, "Training for classification") but for the fields in
    `yolov2_tf.training.paper.CLASSIFICATION`; `learning_rate` is the rate at the start, `epochs`
    are those without the high-resolution stage.

    Attributes:
        high_resolution: `(size, epochs)` of a stage after the training at a larger size, which
            starts at a hundredth of the learning rate; or None.
        zoom: Smallest and largest magnification of a training picture, within 0.1 to 10.
        fine_zoom: The same in the high-resolution stage.
        rotation: Largest turn of a training picture either way in degrees, 0 to 45.
    """

    size: int = 224
    batch_size: int = 128
    learning_rate: float = 0.1
    schedule: str = "polynomial"
    high_resolution: tuple[int, int] | None = None
    zoom: tuple[float, float] = (0.57, 2.0)
    fine_zoom: tuple[float, float] = (0.57, 2.0)
    rotation: float = 0.0

    CHANGEABLE: ClassVar = Recipe.CHANGEABLE | {"high_resolution", "zoom", "fine_zoom", "rotation"}

    @property
    def total_epochs(self):
        """Epochs of both stages."""
        return super().total_epochs + (self.high_resolution[1] if self.high_resolution else 0)

    def size_of(self, epoch):
        """Side of the input in pixels in an epoch, counted from 0."""
        fine = self.high_resolution is not None and epoch >= self.epochs
        return self.high_resolution[0] if fine else self.size

    def __post_init__(self):
        """Refuses values that cannot be.

        Raises:
            InputError: With the name of the field and what it may be.
        """
        super().__post_init__()
        if self.high_resolution is not None:
            if self.minutes is not None:
                raise InputError(
                    "minutes with a high-resolution stage, which begins after so many epochs",
                    expected="a second training at the larger size with the weights of the first",
                    field="minutes",
                )
            side, epochs = checked_pair("high_resolution", self.high_resolution, "size, epochs")
            side = checked_side("high_resolution", side)
            if not is_whole(epochs) or epochs < 1:
                raise InputError(
                    f"high-resolution stage of {epochs} epochs",
                    expected="at least 1",
                    field="high_resolution",
                )
            object.__setattr__(self, "high_resolution", (side, int(epochs)))
        for field in ("zoom", "fine_zoom"):
            check_zoom(field, getattr(self, field))
