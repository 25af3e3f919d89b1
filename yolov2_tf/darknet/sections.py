"""The kinds of layers of a YOLOv2-family network: their options, shapes and parameters.

Source: the `parse_*` functions of Darknet's src/parser.c and the `make_*_layer` they call.
"""

import dataclasses

from yolov2_tf.darknet.cfg import Section
from yolov2_tf.errors import InputError

MAX_ACTIVATIONS = 1 << 28  # of one image, all layers together; yolov2.cfg at 608 has 42 million

ACTIVATIONS = ("leaky", "linear", "relu", "logistic", "swish", "mish", "relu6", "elu", "tanh")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer.

    Attributes:
        index: Its number from 0, as Darknet counts.
        section: The section that describes it.
        sources: Numbers of the layers it reads; −1 is the image.
        input_shape: `(H, W, C)`; where several sources are concatenated, after that.
        output_shape: `(H, W, C)`.
    """

    index: int
    section: Section
    sources: tuple[int, ...]
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]

    @property
    def parameters(self):
        """How many numbers the `.weights` file holds for it."""
        return 0

    def __str__(self):
        return f"layer {self.index}, [{self.section.type}] at {self.section.where()}"

    @classmethod
    def parse(cls, section, input_shape):
        """The output shape, and the fields of this kind of layer."""
        return input_shape, {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Convolutional(Layer):
    """Square convolution over `padding` zeros on each side; batch norm or bias; activation."""

    filters: int
    size: int
    stride: int
    padding: int
    batch_normalize: bool
    activation: str

    @property
    def kernel_shape(self):
        """`(filters, channels, size, size)`, Darknet's order."""
        return (self.filters, self.input_shape[2], self.size, self.size)

    @property
    def parameters(self):
        """Biases, with batch norm also scales, means and variances, and the kernel."""
        vectors = 4 if self.batch_normalize else 1
        return self.filters * (vectors + self.input_shape[2] * self.size**2)

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        filters = section.integer("filters", 1, low=1)
        size = section.integer("size", 1, low=1)
        stride = section.integer("stride", 1, low=1)
        padding = section.integer("padding", 0)
        if section.integer("pad", 0):  # a switch, not an amount
            padding = size // 2
        height, width = _slide(section, input_shape, 2 * padding, size, stride)
        return (height, width, filters), {
            "filters": filters,
            "size": size,
            "stride": stride,
            "padding": padding,
            "batch_normalize": section.integer("batch_normalize", 0) > 0,
            "activation": section.choice("activation", "logistic", ACTIVATIONS),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaxPool(Layer):
    """Square max-pool over `padding` cells of −∞ in all, ⌊padding/2⌋ of them above and left.

    This is Darknet since 2018. Before, `padding` counted on each side and was (size − 1)/2 unless
    given; that differs where the input's size is odd or `padding` is written.
    """

    size: int
    stride: int
    padding: int

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        stride = section.integer("stride", 1, low=1)
        size = section.integer("size", stride, low=1)
        padding = section.integer("padding", size - 1, high=size - 1)
        height, width = _slide(section, input_shape, padding, size, stride)
        return (height, width, input_shape[2]), {"size": size, "stride": stride, "padding": padding}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Route(Layer):
    """Its sources, concatenated along channels in the order written."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shortcut(Layer):
    """The layer before, plus others of the same size; activation.

    Of others with more channels only the first are added, of larger ones every second cell or so.
    This is the original Darknet; OpenCV and AlexeyAB's later one add only maps of one size.
    """

    activation: str

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        return input_shape, {"activation": section.choice("activation", "linear", ACTIVATIONS)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reorg(Layer):
    """Space to depth by `stride`: in Darknet's own order for `[reorg]`, plain for `[reorg3d]`."""

    stride: int
    plain: bool

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        stride = section.integer("stride", 1, low=1)
        plain = section.type == "reorg3d"
        height, width, channels = input_shape
        if height % stride or width % stride:
            raise InputError(
                f"[{section.type}] gets {height}×{width}",
                where=section.where("stride"),
                expected=f"multiples of its stride {stride}",
            )
        if not plain and channels % stride**2:  # Darknet's index arithmetic leaves the array
            raise InputError(
                f"[reorg] gets {channels} channels",
                where=section.where("stride"),
                expected=f"a multiple of {stride**2}",
            )
        output_shape = (height // stride, width // stride, channels * stride**2)
        return output_shape, {"stride": stride, "plain": plain}


@dataclasses.dataclass(frozen=True, kw_only=True)
class AvgPool(Layer):
    """The mean over height and width."""

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        return (1, 1, input_shape[2]), {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Softmax(Layer):
    """Softmax over each of `groups` equal parts of the channels, or over the groups of `tree`."""

    groups: int
    tree: str | None

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        if input_shape[:2] != (1, 1):
            raise InputError(
                f"[softmax] gets {input_shape[0]}×{input_shape[1]}",
                where=section.where(),
                expected="1×1",
                hint="[avgpool] before it",
            )
        groups = section.integer("groups", 1, low=1)
        if input_shape[2] % groups:
            raise InputError(
                f"[softmax] cannot part {input_shape[2]} channels into {groups} groups",
                where=section.where("groups"),
            )
        return input_shape, {"groups": groups, "tree": section.options.get("tree")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dropout(Layer):
    """Drops a value with `probability` in training."""

    probability: float

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        return input_shape, {"probability": section.number("probability", 0.5, low=0, high=1)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost(Layer):
    """The classifier's training loss; passes its input through."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Region(Layer):
    """YOLOv2's detection head.

    Attributes:
        anchors: Pairs `(width, height)` in grid cells.
        classes: Number of classes, or of nodes with a tree.
        softmax: Whether the classes exclude each other (always so with a tree).
        tree: Path of the label tree as written in the cfg.
        map: Path of the file that maps a data set's classes to nodes, as written.
        thresh: IoU with a truth above which a prediction need not say "no object".
        jitter: Share of the width and height that training crops may cut.
        rescore: Whether the target of objectness is the IoU.
        bias_match: Whether anchors compete for a truth by shape alone.
        object_scale, noobject_scale, class_scale, coord_scale: Weights of the loss.
    """

    anchors: tuple[tuple[float, float], ...]
    classes: int
    softmax: bool
    tree: str | None
    map: str | None
    thresh: float
    jitter: float
    rescore: bool
    bias_match: bool
    object_scale: float
    noobject_scale: float
    class_scale: float
    coord_scale: float

    @classmethod
    def parse(cls, section, input_shape):
        """See `Layer.parse`."""
        num = section.integer("num", 1, low=1)
        classes = section.integer("classes", 20, low=1)
        coords = section.integer("coords", 4, low=4, high=4)
        channels = num * (coords + 1 + classes)
        if input_shape[2] != channels:
            raise InputError(
                f"[region] gets {input_shape[2]} channels",
                where=section.where(),
                expected=f"{channels}: num {num} × (classes {classes} + 5)",
                hint=f"filters={channels} in the convolution before it",
            )
        return input_shape, {
            "anchors": _anchors(section, num),
            "classes": classes,
            "tree": section.options.get("tree"),
            "map": section.options.get("map"),
            "thresh": section.number("thresh", 0.5),
            "jitter": section.number("jitter", 0.2),
            **{key: section.integer(key, 0) > 0 for key in ("softmax", "rescore", "bias_match")},
            **{
                key: section.number(key, 1.0)
                for key in ("object_scale", "noobject_scale", "class_scale", "coord_scale")
            },
        }


def _anchors(section, num):
    if "anchors" not in section.options:
        return ((0.5, 0.5),) * num
    values = section.numbers("anchors", low=1e-6, high=1e6)
    if len(values) != 2 * num:
        raise InputError(
            f"[region] has {len(values)} numbers in anchors",
            where=section.where("anchors"),
            expected=f"{2 * num}, a width and a height for each of num={num}",
        )
    return tuple(zip(values[::2], values[1::2], strict=True))


def _slide(section, input_shape, padding, size, stride):
    """Height and width after a window of `size` moved by `stride` over the padded input."""
    height, width, channels = input_shape
    if min(height, width) + padding < size:
        raise InputError(
            f"[{section.type}] of size {size} gets {height}×{width}",
            where=section.where("size"),
            expected=f"at least {size - padding}×{size - padding}",
        )
    if (height + padding) * (width + padding) * channels > MAX_ACTIVATIONS:
        raise InputError(
            f"[{section.type}] pads to {height + padding}×{width + padding}×{channels}",
            where=section.where("padding"),
            expected=f"at most {MAX_ACTIVATIONS} numbers",
        )
    return (height + padding - size) // stride + 1, (width + padding - size) // stride + 1


KINDS = {
    "convolutional": Convolutional,
    "maxpool": MaxPool,
    "route": Route,
    "shortcut": Shortcut,
    "reorg": Reorg,
    "reorg3d": Reorg,
    "avgpool": AvgPool,
    "softmax": Softmax,
    "dropout": Dropout,
    "cost": Cost,
    "region": Region,
}
