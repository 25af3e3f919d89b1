"""Darknet `.weights` files: a header, then float32 arrays layer by layer, nothing in between.

The file has no names, shapes or checksums; only the cfg says what the numbers are. Every byte is
therefore accounted for before any is used.
Source: Darknet's `load_weights_upto`, `load_convolutional_weights` and `save_weights_upto`
(src/parser.c).
"""

import dataclasses
import struct
from pathlib import Path

import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.files import replacing

_FLOAT = np.dtype("<f4")


@dataclasses.dataclass(frozen=True)
class Header:
    """The first 16 or 20 bytes.

    Attributes:
        major, minor, revision: Version of the format, 0 to 999. From 0.2 on, `seen` has 64 bits.
        seen: Images that the network was trained on.
    """

    major: int = 0
    minor: int = 2
    revision: int = 0
    seen: int = 0

    @property
    def _form(self):
        return struct.Struct("<3iQ" if self.major * 10 + self.minor >= 2 else "<3iI")

    @property
    def size(self):
        """Bytes: 16, or 20 from version 0.2 on."""
        return self._form.size

    def to_bytes(self):
        """The header as it stands in the file."""
        return self._form.pack(self.major, self.minor, self.revision, self.seen)

    @classmethod
    def from_bytes(cls, data, where):
        """Reads a header from the first bytes of a file.

        Args:
            data: The first 20 bytes, or all if there are fewer.
            where: The file, for messages.

        Raises:
            InputError: If it is too short or no header of Darknet's.
        """
        if len(data) < 16:
            what = f"has only {len(data)} bytes" if data else "is empty"
            raise InputError(what, where=where, expected="a header of 16 or 20 bytes")
        version = struct.unpack_from("<3i", data)
        if not all(0 <= number < 1000 for number in version):
            swapped = all(0 <= number < 1000 for number in struct.unpack_from(">3i", data))
            raise InputError(
                "looks big-endian" if swapped else "is no Darknet weights file",
                where=where,
                expected="a little-endian version such as 0.1.0 or 0.2.0 in the first 12 bytes",
            )
        form = cls(*version)._form
        if len(data) < form.size:
            raise InputError(
                f"has only {len(data)} bytes",
                where=where,
                expected=f"a header of {form.size} bytes",
            )
        return cls(*form.unpack_from(data))


@dataclasses.dataclass(frozen=True)
class ConvWeights:
    """The arrays of one convolution, float32, in the order of the file.

    Attributes:
        biases: `(filters,)`; with batch norm they are its beta.
        scales: `(filters,)`, batch norm's gamma. None without batch norm, as the next two.
        means: `(filters,)`, the moving means.
        variances: `(filters,)`, the moving variances.
        kernel: `(filters, channels, size, size)`.
    """

    biases: np.ndarray
    scales: np.ndarray | None
    means: np.ndarray | None
    variances: np.ndarray | None
    kernel: np.ndarray


@dataclasses.dataclass(frozen=True)
class WeightFile:
    """A `.weights` file whose size fits its network.

    Attributes:
        path: The file.
        header: Its header.
        convolutions: The `Convolutional` layers that it holds, in order.
        filled_layers: How many of the network's first layers lack nothing, the number in the
            name `darknet19_448.conv.23`. All of them, unless the file holds a trunk only.
        numbers: The float32 numbers after the header, `(n,)`, mapped read-only.
    """

    path: Path
    header: Header
    convolutions: tuple
    filled_layers: int
    numbers: np.ndarray = dataclasses.field(repr=False)

    def __iter__(self):
        """Yields `(layer, ConvWeights)` for each of `convolutions`.

        The arrays are views of the file: they load when they are used, and are not copied.

        Raises:
            InputError: At a layer with NaN, infinite numbers or negative variances.
        """
        start = 0
        for layer in self.convolutions:
            end = start + layer.parameters
            weights = _split(self.numbers[start:end], layer)
            _check_numbers(weights, layer, self.path)
            yield layer, weights
            start = end


def read_weights(path, network, *, allow_partial=False):
    """Opens a `.weights` file and checks its header and size against its network.

    Args:
        path: The file.
        network: The `Network` of its cfg.
        allow_partial: Whether the file may end early, after a whole layer, as
            `darknet19_448.conv.23` does.

    Returns:
        A `WeightFile`; iterate over it for the arrays.

    Raises:
        InputError: If the file cannot be read, has no header of Darknet's, or its size does not
            fit: with the layer, the bytes expected and the bytes found.
    """
    path = Path(path)
    try:
        data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from error
    header = Header.from_bytes(data[:20].tobytes(), path)
    convolutions = _account(network, data.size, header, path, allow_partial)
    missing = network.convolutions[len(convolutions) :]
    return WeightFile(
        path=path,
        header=header,
        convolutions=convolutions,
        filled_layers=missing[0].index if missing else len(network.layers),
        numbers=np.asarray(data[header.size :]).view(_FLOAT),
    )


def write_weights(path, network, weights, header=Header()):
    """Writes a `.weights` file, layer by layer; nobody sees it before it is whole.

    Args:
        path: The file.
        network: The `Network` of its cfg.
        weights: Iterable of `ConvWeights`, one for each of `network.convolutions`.
        header: The `Header`.

    Raises:
        InputError: At a layer with NaN, infinite numbers or negative variances.
        ValueError: If arrays are missing, too many, or not of their layer's shape.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(header.to_bytes())
        for layer, arrays in zip(network.convolutions, weights, strict=True):
            _check_shapes(arrays, layer)
            _check_numbers(arrays, layer, path)
            for array in _present(arrays).values():
                file.write(np.ascontiguousarray(array, _FLOAT).data)


def weight_file_size(network, header=Header()):
    """Bytes of the whole `.weights` file of a `Network`."""
    return header.size + _FLOAT.itemsize * network.parameters


def _account(network, size, header, path, allow_partial):
    """The convolutions for which a file of `size` bytes has the numbers; refuses any remainder."""
    whole = weight_file_size(network, header)
    expected = f"{whole:,} bytes in all, found {size:,}"
    hint = "the cfg that belongs to these weights"
    left = size - header.size
    filled = []
    for layer in network.convolutions:
        need = _FLOAT.itemsize * layer.parameters
        if allow_partial and filled and not left:
            break
        if left < need:
            raise InputError(
                f"ends in {layer}, which needs {need:,} bytes but has {left:,}",
                where=path,
                expected=expected,
                hint=hint,
            )
        filled.append(layer)
        left -= need
    if left:
        last = f"{filled[-1]}, the last with weights" if filled else "the header"
        raise InputError(
            f"has {left:,} bytes after {last}", where=path, expected=expected, hint=hint
        )
    return tuple(filled)


def _split(numbers, layer):
    count = 4 if layer.batch_normalize else 1
    vectors, kernel = np.split(numbers, [count * layer.filters])
    biases, *norm = vectors.reshape(count, layer.filters)
    return ConvWeights(biases, *(norm or (None,) * 3), kernel.reshape(layer.kernel_shape))


def _present(weights):
    """The arrays by name, in the order of the file, without those that are None."""
    named = {field.name: getattr(weights, field.name) for field in dataclasses.fields(weights)}
    return {name: array for name, array in named.items() if array is not None}


def _check_numbers(weights, layer, path):
    for name, array in _present(weights).items():
        low, high = array.min(), array.max()  # NaN if there is one; no array of flags
        if not np.isfinite(low) or not np.isfinite(high):
            raise InputError(f"NaN or infinite numbers in the {name} of {layer}", where=path)
        if name == "variances" and low < 0:
            raise InputError(
                f"negative variances in {layer}",
                where=path,
                expected="0 or more",
                hint="the cfg that belongs to these weights",
            )


def _check_shapes(weights, layer):
    vectors = ["biases", "scales", "means", "variances"] if layer.batch_normalize else ["biases"]
    expected = {**dict.fromkeys(vectors, (layer.filters,)), "kernel": layer.kernel_shape}
    shapes = {name: np.shape(array) for name, array in _present(weights).items()}
    if shapes != expected:
        raise ValueError(f"{layer} has arrays of shapes {shapes}, expected {expected}")
