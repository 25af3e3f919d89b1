"""What a cfg describes: a YOLOv2-family network with its shapes and parameters.

Nothing is allocated here, and a cfg beyond `MAX_PARAMETERS` or `MAX_ACTIVATIONS` is refused
before anybody builds it.
Source: Darknet's `parse_network_cfg` (src/parser.c).
"""

import dataclasses
import difflib
import itertools
import math

from yolov2_tf.darknet.cfg import Section, read_cfg, shorten
from yolov2_tf.darknet.sections import (
    KINDS,
    MAX_ACTIVATIONS,
    Convolutional,
    Cost,
    Layer,
    Region,
    Softmax,
)
from yolov2_tf.errors import InputError

MAX_LAYERS = 1000
MAX_ANCHOR = 20  # cells; the largest published one has 16.6, those in pixels hundreds
MAX_ANCHOR_GRIDS = 4
MAX_PARAMETERS = 1 << 28  # 1 GiB as float32; yolov2.cfg has 51 million

# Sections of YOLOv3 and later, then of YOLOv1.
_NOT_YOLOV2 = (
    *("yolo", "Gaussian_yolo", "upsample", "scale_channels", "sam", "implicit"),
    *("detection", "local", "connected", "crop"),
)

# Keys that are used, or that Darknet reads without effect on the network's output.
_KEYS = {
    "net": """batch subdivisions height width channels inputs max_crop min_crop max_ratio min_ratio
        center clip angle aspect saturation exposure hue flip learning_rate momentum decay adam B1
        B2 eps burn_in power policy step steps scale scales gamma max_batches time_steps random
        notruth letter_box mosaic mixup cutmix""",
    "convolutional": "batch_normalize filters size stride pad padding activation dot",
    "maxpool": "size stride padding",
    "route": "layers",
    "shortcut": "from activation weights_normalization",
    "reorg": "stride",
    "reorg3d": "stride",
    "avgpool": "",
    "softmax": "groups tree noloss",
    "dropout": "probability",
    "cost": "type scale ratio noobj thresh",
    "region": """anchors classes num coords softmax tree map thresh jitter rescore bias_match
        absolute random max classfix object_scale noobject_scale class_scale coord_scale
        mask_scale""",
}
_KEYS_OF_ALL_LAYERS = "truth onlyforward stopbackward learning_rate smooth"

# Keys that change the output or the file, with the value that does not; `key=` has none.
_UNSUPPORTED = {
    "convolutional": """groups=1 dilation=1 stride_x= stride_y= share_index= flipped=0 binary=0
        xnor=0 bin_output=0 cbn=0 antialiasing=0 assisted_excitation=0 coordconv=0 reverse=0
        sway=0 rotate=0 stretch=0 stretch_sway=0 dontload=0 dontloadscales=0 dontsave=0
        numload=0""",
    "maxpool": "stride_x= stride_y= maxpool_depth=0 antialiasing=0",
    "route": "groups=1 group_id=0",
    "shortcut": "alpha=1 beta=1 weights_type=none",
    "reorg": "reverse=0 flatten=0 extra=0",
    "reorg3d": "reverse=0 flatten=0 extra=0",
    "softmax": "temperature=1 spatial=0",
    "region": "background=0 log=0 sqrt=0",
}


@dataclasses.dataclass(frozen=True)
class Network:
    """A whole network.

    Attributes:
        net: The `[net]` section.
        input_shape: `(H, W, C)` of the image.
        layers: The layers.
        notes: What was ignored, one line each, for the user to see.
    """

    net: Section
    input_shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    notes: tuple[str, ...] = ()

    @property
    def input_size(self):
        """Side in pixels of the square that pictures are brought to: the longer of the input's."""
        return max(self.input_shape[:2])

    @property
    def resize(self):
        """`letterbox` with AlexeyAB's `letter_box=1` and for oblong inputs, else `stretch`.

        Letterboxing keeps the shape of pictures, as an oblong input does for those it is made for.
        """
        height, width, _ = self.input_shape
        letterbox = height != width or self.net.integer("letter_box", 0)
        return "letterbox" if letterbox else "stretch"

    @property
    def sections(self):
        """The cfg's sections, `[net]` first."""
        return [self.net, *(layer.section for layer in self.layers)]

    @property
    def convolutions(self):
        """The layers that have weights, in the order of the `.weights` file."""
        return tuple(layer for layer in self.layers if isinstance(layer, Convolutional))

    @property
    def parameters(self):
        """How many numbers the `.weights` file holds."""
        return sum(layer.parameters for layer in self.layers)


def read_network(path):
    """Reads a cfg file: `parse_network(read_cfg(path))`."""
    return parse_network(read_cfg(path))


def parse_network(sections):
    """The network that the sections of a cfg describe.

    Keys that Darknet does not know are ignored, as Darknet does, and noted.

    Args:
        sections: `Section`s, `[net]` first.

    Returns:
        A `Network`.

    Raises:
        InputError: With file and line, if it is no YOLOv2-family network, if a value is wrong or
            shapes do not fit, and above `MAX_LAYERS`, `MAX_PARAMETERS` or `MAX_ACTIVATIONS`.
    """
    net, *rest = sections
    _check_types(net, rest)
    notes = tuple(note for section in sections for note in _check_keys(section))
    image = tuple(net.integer(key, low=1) for key in ("height", "width", "channels"))
    shapes = [image]  # shapes[i + 1] is the output of layer i
    parameters, activations = 0, math.prod(image)
    layers = []
    for index, section in enumerate(rest):
        sources = _sources(section, index)
        input_shape = _join(section, [shapes[source + 1] for source in sources])
        kind = KINDS[section.type]
        output_shape, fields = kind.parse(section, input_shape)
        layer = kind(
            index=index,
            section=section,
            sources=sources,
            input_shape=input_shape,
            output_shape=output_shape,
            **fields,
        )
        parameters += layer.parameters
        activations += math.prod(output_shape)
        _check_limit(section, "parameters", parameters, MAX_PARAMETERS)
        _check_limit(section, "activations", activations, MAX_ACTIVATIONS)
        layers.append(layer)
        shapes.append(output_shape)
    _check_ends(layers)
    network = Network(net, image, tuple(layers), notes)
    return dataclasses.replace(network, notes=(*notes, *_remarks(network)))


def _sources(section, index):
    """Numbers of the layers that layer `index` reads; a negative one in the cfg counts back."""
    key = {"route": "layers", "shortcut": "from"}.get(section.type)
    sources = [] if section.type == "route" else [index - 1]
    for written in section.integers(key) if key else ():
        source = index + written if written < 0 else written
        if not 0 <= source < index:
            raise InputError(
                f"[{section.type}] of layer {index} names layer {written}",
                where=section.where(key),
                expected=f"an earlier layer; there are {index}",
            )
        sources.append(source)
    return tuple(sources)


def _join(section, shapes):
    """The shape of several maps: in a `[shortcut]` that of the first, else with all channels."""
    height, width, _ = shapes[0]
    sizes = ", ".join(f"{shape[0]}×{shape[1]}" for shape in shapes)
    if section.type == "shortcut":
        for *sides, _ in shapes:
            stride = sides[0] // height
            if not stride or [-(-side // stride) for side in sides] != [height, width]:
                raise InputError(
                    f"[shortcut] adds {sizes}",
                    where=section.where("from"),
                    expected="the size of the first, or a multiple of it",
                )
        return shapes[0]
    if any(shape[:2] != (height, width) for shape in shapes):
        where = section.where("layers")
        raise InputError(f"[route] joins {sizes}", where=where, expected="equal sizes")
    return (height, width, sum(shape[2] for shape in shapes))


def _check_types(net, rest):
    if net.type != "net":
        raise InputError(
            f"starts with [{net.type}]", where=net.where(), expected="[net] or [network] first"
        )
    for section in rest:
        if section.type in _NOT_YOLOV2:
            raise InputError(
                f"not a YOLOv2 network: it has [{section.type}]",
                where=section.where(),
                hint="a cfg of YOLOv2, YOLO9000, their tiny forms or Darknet-19",
            )
        if section.type not in KINDS:
            raise InputError(
                f"unknown section [{section.type}]" if section.type != "net" else "a second [net]",
                where=section.where(),
                expected="one of " + ", ".join(f"[{kind}]" for kind in KINDS),
            )
    if not rest:
        raise InputError("has no layers", where=net.where())
    if len(rest) > MAX_LAYERS:
        raise InputError(
            f"has {len(rest)} layers",
            where=rest[MAX_LAYERS].where(),
            expected=f"at most {MAX_LAYERS}",
        )


def _check_keys(section):
    """Refuses options that change what a layer computes; yields a note for each ignored one."""
    yield from section.notes
    unsupported = dict(word.split("=") for word in _UNSUPPORTED.get(section.type, "").split())
    known = _KEYS[section.type].split()
    if section.type != "net":
        known += _KEYS_OF_ALL_LAYERS.split()
    for key, value in section.options.items():
        if key in unsupported:
            if not _says(value, unsupported[key]):
                raise InputError(
                    f"[{section.type}] {key}={shorten(value)} is not supported",
                    where=section.where(key),
                    expected=f"{key}={unsupported[key]}" if unsupported[key] else f"no '{key}'",
                )
        elif key not in known:
            similar = difflib.get_close_matches(key, known, n=1)
            suffix = f"; did you mean '{similar[0]}'?" if similar else ""
            yield f"{section.where(key)}: [{section.type}] ignores {shorten(key)}{suffix}"


def _says(value, harmless):
    """Whether two options say the same, however a number is written: `1.0` and `1`."""
    try:
        return float(value) == float(harmless)
    except ValueError:
        return value == harmless


def _remarks(network):
    """Yields what a user should know of a network that reads oddly or is used differently."""
    height, width, _ = network.input_shape
    if height != width and any(isinstance(layer, Region | Softmax) for layer in network.layers):
        yield (
            f"{network.net.where('width')}: the input is {width}×{height}; here pictures are"
            f" letterboxed to {network.input_size}×{network.input_size}, which comes"
            f" to the same for those whose sides are as {width} to {height}"
        )
    region = network.layers[-1]
    if not isinstance(region, Region):
        return
    largest, grid = max(max(anchor) for anchor in region.anchors), max(region.input_shape[:2])
    if largest > max(MAX_ANCHOR, MAX_ANCHOR_GRIDS * grid):
        yield (
            f"{region.section.where('anchors')}: [region] has an anchor of {largest:g} cells on a"
            f" grid of {grid}; did you mean pixels? Divide them by 32"
        )


def _check_limit(section, what, value, limit):
    if value > limit:
        raise InputError(
            f"the network has {value:,} {what} up to this layer",
            where=section.where(),
            expected=f"at most {limit:,}",
        )


def _check_ends(layers):
    """A `[region]` or `[cost]` is the last layer, only a `[cost]` follows a `[softmax]`."""
    for layer, following in itertools.pairwise(layers):
        if isinstance(layer, Region | Cost) or (
            isinstance(layer, Softmax) and not isinstance(following, Cost)
        ):
            raise InputError(
                f"[{following.section.type}] follows [{layer.section.type}]",
                where=following.section.where(),
                expected=f"[{layer.section.type}] last",
            )
