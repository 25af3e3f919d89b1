"""What a training does, as plain values."""

import dataclasses

from yolov2_tf.errors import InputError

CHOICES = {
    "model": ("yolov2", "tiny"),
    "resize": ("stretch", "letterbox"),
    "optimizer": ("sgd", "adam"),
    "schedule": ("steps", "cosine"),
    "image_rule": ("paper", "darknet", "object"),
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
}
"""The values that these fields of `Recipe` may have."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a training does; written to `config.json` of the run.

    Attributes:
        model: `yolov2`, `tiny`, or a `.keras` file whose network goes on training.
        width: Multiplier of the network's filters.
        size: Side of the input in pixels, a multiple of 32.
        multi_scale: `(smallest, largest)` side drawn from while training, or None.
        resize_every: Batches that share a size.
        resize: `stretch` or `letterbox`.
        anchors: Number of anchors, clustered on the training boxes.
        epochs: Passes over the training set.
        batch_size: Images a step.
        optimizer: `sgd` with momentum 0.9 (the paper's) or `adam`.
        learning_rate: Rate after burn-in.
        schedule: `steps` (the paper's) or `cosine`.
        weight_decay: Darknet's `decay`.
        jitter: How far each border of a picture moves, as a fraction of its side.
        flip: Whether half of the pictures are mirrored: not for text or digits.
        precision: Keras' dtype policy: `float32`, `mixed_bfloat16`, `mixed_float16`.
        ratio: `(boxes, labels)`: in joint training, how many pictures with boxes come with how
            many that only have a label.
        mosaic: Share of the pictures with a label that are four at once.
        image_rule: Which box such a label trains, and how, see
            `yolov2_tf.detection.loss.YOLOv2Loss`.
        balance: Whether all classes have the same share in the class loss, however often they
            occur: by boxes or by labels.
        spare: Whether the class of a box says nothing against classes that never have one.
        freeze: Whether layers with loaded weights stay as they are.
        seed: Makes weights, views and order reproducible.
    """

    model: str = "yolov2"
    width: float = 1.0
    size: int = 416
    multi_scale: tuple[int, int] | None = None
    resize_every: int = 10
    resize: str = "stretch"
    anchors: int = 5
    epochs: int = 160
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 1e-3
    schedule: str = "steps"
    weight_decay: float = 5e-4
    jitter: float = 0.2
    flip: bool = True
    precision: str = "float32"
    ratio: tuple[int, int] = (4, 1)
    mosaic: float = 0.0
    image_rule: str = "paper"
    balance: bool = False
    spare: bool = False
    freeze: bool = False
    seed: int = 0

    @property
    def continues(self):
        """Whether the network comes from a file."""
        return self.model.endswith(".keras")

    def __post_init__(self):
        """Refuses values that cannot be.

        Raises:
            InputError: With the name of the field and what it may be.
        """
        for field, choices in CHOICES.items():
            if field == "model" and self.continues:
                continue
            if getattr(self, field) not in choices:
                raise InputError(
                    f"{field} is {getattr(self, field)!r}", expected="one of " + ", ".join(choices)
                )
        for side in (self.size, *(self.multi_scale or ())):
            if side < 32 or side % 32:
                raise InputError(f"size {side}", expected="a multiple of 32, e.g. 320 or 416")


FINE_EPOCHS = 10
"""Epochs of the high-resolution stage (paper, section 2, "High Resolution Classifier")."""


@dataclasses.dataclass(frozen=True)
class ClassificationRecipe:
    """What the training of a classifier does; written to `config.json` of the run.

    Defaults are the paper's (section 3, "Training for classification").

    Attributes:
        width: Multiplier of the network's filters.
        size: Side of the input in pixels, a multiple of 32.
        high_resolution: `(size, epochs)` of a stage after the training at a larger size, which
            starts at a hundredth of the learning rate; or None.
        resize: `stretch` or `letterbox`.
        epochs: Passes over the training set, without the high-resolution stage.
        batch_size: Images a step.
        optimizer: `sgd` with momentum 0.9 (the paper's) or `adam`.
        learning_rate: Rate at the start; it falls to 0 with the power 4.
        weight_decay: Darknet's `decay`.
        zoom: Smallest and largest magnification of a training picture.
        flip: Whether half of the pictures are mirrored: not for text or digits.
        precision: Keras' dtype policy: `float32`, `mixed_bfloat16`, `mixed_float16`.
        seed: Makes weights, views and order reproducible.
    """

    width: float = 1.0
    size: int = 224
    high_resolution: tuple[int, int] | None = None
    resize: str = "stretch"
    epochs: int = 160
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    zoom: tuple[float, float] = (0.57, 2.0)
    flip: bool = True
    precision: str = "float32"
    seed: int = 0

    @property
    def total_epochs(self):
        """Epochs of both stages."""
        return self.epochs + (self.high_resolution[1] if self.high_resolution else 0)

    def size_of(self, epoch):
        """Side of the input in pixels in an epoch, counted from 0."""
        return self.high_resolution[0] if epoch >= self.epochs else self.size

    def __post_init__(self):
        """Refuses values that cannot be.

        Raises:
            InputError: With the name of the field and what it may be.
        """
        for field in ("resize", "optimizer", "precision"):
            if getattr(self, field) not in CHOICES[field]:
                raise InputError(
                    f"{field} is {getattr(self, field)!r}",
                    expected="one of " + ", ".join(CHOICES[field]),
                )
        for side in (self.size, *(self.high_resolution or ())[:1]):
            if side < 32 or side % 32:
                raise InputError(f"size {side}", expected="a multiple of 32, e.g. 224 or 448")
        if self.high_resolution and self.high_resolution[1] < 1:
            raise InputError(
                f"high-resolution stage of {self.high_resolution[1]} epochs", expected="at least 1"
            )
        if not 0.1 <= self.zoom[0] <= self.zoom[1] <= 10:
            raise InputError(
                f"zoom {self.zoom[0]:g}-{self.zoom[1]:g}", expected="a range within 0.1-10"
            )
