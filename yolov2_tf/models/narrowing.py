"""A network with fewer filters that starts from one with more.

What is left out are the filters that matter least to the layers behind them, so that some training
brings the smaller network further than the same training from nothing (Li et al., "Pruning Filters
for Efficient ConvNets", ICLR 2017).
"""

import math

import keras
import numpy as np

from yolov2_tf.errors import InputError
from yolov2_tf.models.batch_norm import VECTOR
from yolov2_tf.models.copying import copied
from yolov2_tf.models.heads import RegionHead
from yolov2_tf.models.layers import (
    DarknetInput,
    DarknetMaxPool,
    DarknetReorg,
    Grayscale,
    Passthrough,
)

BY_CHANNEL = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.LeakyReLU,
    keras.layers.MaxPooling2D,
    keras.layers.ReLU,
    keras.layers.ZeroPadding2D,
    DarknetMaxPool,
)
"""Kinds of layers whose every channel depends on the same channel of their input alone."""

AT_THE_INPUT = (keras.layers.InputLayer, keras.layers.Rescaling, DarknetInput, Grayscale)
"""Kinds of layers before the first convolution: all their channels stay."""


def narrowed(model, share):
    """A copy of a detector with a share of its filters.

    Every convolution with a batch normalisation keeps the filters of the greatest norm in what
    follows: |γ| of its batch normalisation times the norm of the weights that read it, these times
    their own γ / σ. Others, such as the head, keep all. The channels that stay compute what they
    did, but for what came from channels that are gone: it has to be trained on. Of what Darknet's
    `[reorg]` reads, the channels whose places it mixes up stay or go together.

    Args:
        model: `DetectionModel`; it is left as it is.
        share: What stays of the filters, in (0, 1]; rounded to multiples of 16, which
            processors take at once.

    Returns:
        `DetectionModel` with the same head.

    Raises:
        InputError: If the share is none, or a layer joins channels in a way not known here.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share of {share} of the filters", expected="above 0, at most 1")
    for layer in model.layers:
        _check(layer)
    makers = _makers(model)
    kept = _kept_channels(model, makers, share)

    def smaller(layer, config):
        return {**config, "filters": len(kept[layer.name])} if "filters" in config else config

    copy = copied(model, smaller)
    for layer in model.layers:
        if layer.weights:
            weights = _sliced(layer, _read(makers[layer.name], kept), kept[layer.name])
            copy.get_layer(layer.name).set_weights(weights)
    return copy


def _check(layer):
    joining = (keras.layers.Concatenate, Passthrough, DarknetReorg, RegionHead)
    convolution = isinstance(layer, keras.layers.Conv2D) and layer.groups == 1
    if not (convolution or isinstance(layer, (*BY_CHANNEL, *AT_THE_INPUT, *joining))):
        raise _refusal(layer)


def _refusal(layer):
    return InputError(
        f"layer {layer.name!r} ({type(layer).__name__}) cannot be narrowed",
        expected="convolutions in one group, pooling, passthrough and routes",
    )


def _makers(model):
    """For each layer's name, the layers whose outputs it reads, in order."""
    made = {id(layer.output): layer for layer in model.layers}
    makers = {}
    for layer in model.layers:
        first = isinstance(layer, keras.layers.InputLayer)
        read = layer.input if isinstance(layer.input, list) else [layer.input]
        makers[layer.name] = [] if first else [made[id(tensor)] for tensor in read]
    return makers


def _kept_channels(model, makers, share):
    """For each layer's name, the channels of its output that stay, ascending."""
    demand, units = _demand(model, makers), _units(model, makers)
    normalised = {
        makers[layer.name][0].name
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    kept = {}
    for layer in model.layers:
        name = layer.name
        if isinstance(layer, keras.layers.Conv2D):
            count = _filters(layer.filters, share) if name in normalised else layer.filters
            kept[name] = _most_wanted(demand[name], count, units[name])
        elif isinstance(layer, AT_THE_INPUT):
            kept[name] = np.arange(layer.output.shape[-1])
        else:
            kept[name] = _read(makers[name], kept)
            if isinstance(layer, Passthrough):
                starts = layer.input.shape[-1] * np.arange(layer.block**2)
                kept[name] = (starts[:, None] + kept[name]).ravel()
            elif isinstance(layer, DarknetReorg):
                kept[name] = _reorganised(layer, kept[name])
    return kept


def _most_wanted(demand, count, unit):
    """About `count` of the channels, ascending: whole units of neighbours."""
    units = demand.reshape(-1, unit).sum(axis=1)
    first = np.sort(np.argsort(-units, kind="stable")[: max(1, count // unit)])
    return (first[:, None] * unit + np.arange(unit)).ravel()


def _units(model, makers):
    """For each layer's name, how many neighbouring channels of its output stay or go together.

    Those of `[reorg]`'s input that come to lie on one another's places, block² at a time; all of
    what is `[region]`'s input.
    """
    units = {layer.name: 1 for layer in model.layers}
    for layer in reversed(model.layers):
        unit = units[layer.name]
        if isinstance(layer, keras.layers.Conv2D):
            unit = 1
        elif isinstance(layer, RegionHead):
            unit = layer.output.shape[-1]
        elif isinstance(layer, DarknetReorg):
            if layer.block**2 % unit:
                raise _refusal(layer)
            unit = layer.block**2
        whole = isinstance(layer, keras.layers.Concatenate) and unit == layer.output.shape[-1]
        for maker in makers[layer.name]:
            channels = maker.output.shape[-1]
            part = channels if whole else unit
            if channels % part:  # units across the seam of a route
                raise _refusal(layer)
            units[maker.name] = math.lcm(units[maker.name], part)
    return units


def _reorganised(layer, kept):
    """The channels that stay of `[reorg]`'s output, of those that stay of its input.

    It reads block² channels as one that is `block` times as fine, takes that apart by
    space_to_depth, and reads each of the block² parts as block² channels.
    """
    size = layer.block**2
    fine, all_fine = kept[::size] // size, layer.input.shape[-1] // size
    parts = (np.arange(size)[:, None] * all_fine + fine).ravel()
    return (parts[:, None] * size + np.arange(size)).ravel()


def _filters(filters, share):
    return min(filters, max(VECTOR, round(filters * share / VECTOR) * VECTOR))


def _read(makers, kept):
    """The channels that stay of the outputs of layers, one after the other."""
    starts = np.cumsum([0, *(maker.output.shape[-1] for maker in makers)])
    return np.concatenate([kept[m.name] + at for m, at in zip(makers, starts, strict=False)])


def _sliced(layer, read, written):
    """The weights of a layer, of the channels alone that it reads and writes."""
    if isinstance(layer, keras.layers.Conv2D):
        kernel, *bias = layer.get_weights()
        return [kernel[:, :, read][..., written], *(values[written] for values in bias)]
    return [values[written] for values in layer.get_weights()]


def _channels(layer):
    """Channels of what a layer makes; of a head, those of its convolution."""
    return layer.filters if isinstance(layer, keras.layers.Conv2D) else layer.output.shape[-1]


def _demand(model, makers):
    """For each layer's name, how much what follows reads each channel of its output, squared."""
    squares = {layer.name: np.zeros(_channels(layer)) for layer in model.layers}
    squares[model.head.name][:] = 1
    for layer in reversed(model.layers):
        wanted = squares[layer.name]
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.get_weights()[0].astype(float)
            wanted = np.sum(kernel**2 * wanted, axis=(0, 1, 3))
        elif isinstance(layer, keras.layers.BatchNormalization):
            gamma, _, _, variance = (values.astype(float) for values in layer.get_weights())
            wanted = wanted * gamma**2 / (variance + layer.epsilon)
        elif isinstance(layer, Passthrough):
            wanted = wanted.reshape(layer.block**2, -1).sum(axis=0)
        elif isinstance(layer, DarknetReorg):
            size = layer.block**2
            fine = wanted.reshape(size, -1, size).sum(axis=(0, 2))
            wanted = np.repeat(fine / size, size)
        at = 0
        for maker in makers[layer.name]:
            channels = maker.output.shape[-1]
            squares[maker.name] += wanted[at : at + channels]
            at += channels
    return squares
