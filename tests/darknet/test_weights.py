"""Weight files: every byte accounted for, in and out."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolov2_tf.darknet.cfg import parse_cfg
from yolov2_tf.darknet.network import parse_network, read_network
from yolov2_tf.darknet.weights import (
    ConvWeights,
    Header,
    read_weights,
    weight_file_size,
    write_weights,
)
from yolov2_tf.errors import InputError

CFG = """\
[net]
width=8
height=8
channels=3
[convolutional]
batch_normalize=1
filters=4
size=3
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=5
activation=linear
[dropout]
"""
NETWORK = parse_network(parse_cfg(CFG, "a.cfg"))
BYTES_OF_FIRST, BYTES_OF_SECOND = 4 * (4 * 4 + 4 * 3 * 9), 4 * (5 + 5 * 4)


def numbers(count):
    return np.arange(1, count + 1, dtype="<f4")


def content(header=Header(), floats=None):
    return header.to_bytes() + (numbers(NETWORK.parameters) if floats is None else floats).tobytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.weights"


# === Layout ===


@pytest.mark.parametrize("version", [(0, 1), (0, 2), (0, 0), (1, 0)])
def test_arrays_stand_in_the_order_of_darknet(path, version):
    header = Header(*version, 0, seen=32013312)
    path.write_bytes(content(header))
    opened = read_weights(path, NETWORK)
    assert opened.header == header
    assert opened.filled_layers == 4
    (layer, first), (last, second) = opened
    assert (layer.index, last.index) == (0, 2)
    np.testing.assert_array_equal(first.biases, [1, 2, 3, 4])
    np.testing.assert_array_equal(first.scales, [5, 6, 7, 8])
    np.testing.assert_array_equal(first.means, [9, 10, 11, 12])
    np.testing.assert_array_equal(first.variances, [13, 14, 15, 16])
    assert first.kernel.shape == (4, 3, 3, 3)
    assert first.kernel[0, 0, 0, 1] == first.kernel[0, 0, 0, 0] + 1 == 18
    assert first.kernel[0, 1, 0, 0] == 17 + 9
    assert first.kernel[1, 0, 0, 0] == 17 + 27
    assert second.scales is second.means is second.variances is None
    np.testing.assert_array_equal(second.biases, [125, 126, 127, 128, 129])
    np.testing.assert_array_equal(second.kernel.reshape(5, 4), np.arange(130, 150).reshape(5, 4))


def test_arrays_are_views_of_the_mapped_file(path):
    path.write_bytes(content())
    opened = read_weights(path, NETWORK)
    for _, weights in opened:
        for array in (weights.biases, weights.kernel):
            assert np.shares_memory(array, opened.numbers)
            assert not array.flags.writeable
    base = opened.numbers
    while not isinstance(base, np.memmap):
        base = base.base


def test_header_sizes():
    assert [Header(0, 1).size, Header(0, 2).size, Header(1, 0).size] == [16, 20, 20]
    assert Header(0, 1, 0, 7).to_bytes() == struct.pack("<4i", 0, 1, 0, 7)
    assert Header(0, 2, 0, 2**40).to_bytes() == struct.pack("<3iq", 0, 2, 0, 2**40)


# === Published files ===

PUBLISHED = {
    "yolov2-voc": 202_704_260,
    "yolov2": 203_934_260,
    "yolov2-tiny-voc": 63_471_556,
    "yolov2-tiny": 44_948_596,
    "darknet19": 83_427_120,
    "yolo9000": 195_230_020,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_file_sizes(shared_data, path, name):
    net = read_network(shared_data / "darknet" / f"{name}.cfg")
    old, new = Header(0, 1), Header(0, 2)
    assert weight_file_size(net, old) == PUBLISHED[name]
    assert weight_file_size(net, new) == PUBLISHED[name] + 4
    with path.open("wb") as file:  # a sparse file: no block of it is read or written
        file.truncate(PUBLISHED[name])
    assert read_weights(path, net).filled_layers == len(net.layers)


def test_published_trunk(shared_data, path):
    net = read_network(shared_data / "darknet" / "yolov2-voc.cfg")
    trunk = sum(layer.parameters for layer in net.layers[:23])
    with path.open("wb") as file:
        file.truncate(16 + 4 * trunk)
    opened = read_weights(path, net, allow_partial=True)
    assert opened.filled_layers == 23  # as in the name darknet19_448.conv.23
    assert len(opened.convolutions) == 18
    with pytest.raises(InputError, match="ends in layer 23, "):
        read_weights(path, net)


def test_real_file_survives_a_round_trip(shared_data, path):
    source = shared_data / "yolo_lite" / "tiny-yolov2-trial3"
    net = read_network(source.with_suffix(".cfg"))
    opened = read_weights(source.with_suffix(".weights"), net)
    assert opened.header == Header(0, 1, 0, 10_598_400)
    write_weights(path, net, (weights for _, weights in opened), opened.header)
    assert path.read_bytes() == source.with_suffix(".weights").read_bytes()


def test_real_file_that_does_not_match_its_cfg(shared_data):
    source = shared_data / "yolo_lite" / "tiny-yolov2-trial8"
    net = read_network(source.with_suffix(".cfg"))
    with pytest.raises(InputError) as error:
        read_weights(source.with_suffix(".weights"), net)
    message = str(error.value)
    assert "layer 14, [convolutional] at" in message
    assert "tiny-yolov2-trial8.cfg:106" in message
    assert "needs 128,500 bytes but has 121,012" in message
    assert "expected 2,296,772 bytes in all, found 2,289,284" in message


# === Files that do not fit ===


def test_every_wrong_length_is_refused_with_its_layer(path):
    whole = content()
    for size in range(len(whole) + 8):
        if size == len(whole):
            continue
        path.write_bytes((whole + bytes(8))[:size])
        if size < 20:
            words = "empty" if size == 0 else f"has only {size} bytes"
        elif size < 20 + BYTES_OF_FIRST:
            words = rf"layer 0, \[convolutional\] at a\.cfg:5, which needs 496 .* has {size - 20} "
        elif size < len(whole):
            words = rf"layer 2, .* needs 100 bytes but has {size - 20 - BYTES_OF_FIRST} "
        else:
            words = f"has {size - len(whole)} bytes after layer 2, .*expected 616 .*found {size}"
        with pytest.raises(InputError, match=words) as error:
            read_weights(path, NETWORK)
        assert error.value.where == str(path)


def test_partial_files_end_between_layers(path):
    whole = content()
    path.write_bytes(whole[: 20 + BYTES_OF_FIRST])
    opened = read_weights(path, NETWORK, allow_partial=True)
    assert opened.filled_layers == 2  # the convolution and the pool after it
    assert [layer.index for layer, _ in opened] == [0]
    path.write_bytes(whole)
    assert read_weights(path, NETWORK, allow_partial=True).filled_layers == 4
    for size in (20, 24, 20 + BYTES_OF_FIRST - 4, 20 + BYTES_OF_FIRST + 1, len(whole) + 4):
        path.write_bytes((whole + bytes(4))[:size])
        with pytest.raises(InputError, match=r"layer [02], "):
            read_weights(path, NETWORK, allow_partial=True)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (struct.pack(">4i", 0, 2, 0, 64), "looks big-endian"),
        (struct.pack(">4i", 0, 1, 0, 64), "looks big-endian"),
        (b"PK\x03\x04" + bytes(16), "is no Darknet weights file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(16), "is no Darknet weights file"),
        (struct.pack("<4i", -1, 2, 0, 0), "is no Darknet weights file"),
        (struct.pack("<4i", 1000, 2, 0, 0), "is no Darknet weights file"),
    ],
)
def test_what_is_no_header(path, start, words):
    path.write_bytes(start + content()[len(start) :])
    with pytest.raises(InputError, match=words):
        read_weights(path, NETWORK)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "missing.weights", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_weights(path, NETWORK)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (0, np.nan, "NaN or infinite numbers in the biases of layer 0, "),
        (5, np.inf, "NaN or infinite numbers in the scales of layer 0, "),
        (9, -np.inf, "NaN or infinite numbers in the means of layer 0, "),
        (14, np.nan, "NaN or infinite numbers in the variances of layer 0, "),
        (14, -1e-3, "negative variances in layer 0, "),
        (123, np.nan, "NaN or infinite numbers in the kernel of layer 0, "),
        (124, np.inf, "NaN or infinite numbers in the biases of layer 2, "),
        (148, np.nan, "NaN or infinite numbers in the kernel of layer 2, "),
    ],
)
def test_numbers_that_no_training_leaves(path, place, value, words):
    floats = numbers(NETWORK.parameters)
    floats[place] = value
    path.write_bytes(content(floats=floats))
    with pytest.raises(InputError, match=words):
        list(read_weights(path, NETWORK))


# === Writing ===


def arrays():
    data = numbers(124)
    first = ConvWeights(*data[:16].reshape(4, 4), data[16:].reshape(4, 3, 3, 3))
    second = ConvWeights(numbers(5), None, None, None, numbers(20).reshape(5, 4, 1, 1))
    return [first, second]


def test_arrays_of_any_memory_order_are_written_right(path):
    first, second = arrays()
    strided = np.asfortranarray(first.kernel.astype(">f8"))
    write_weights(path, NETWORK, iter([ConvWeights(*first_vectors(first), strided), second]))
    (_, read), _ = read_weights(path, NETWORK)
    np.testing.assert_array_equal(read.kernel, first.kernel)
    assert path.stat().st_size == weight_file_size(NETWORK)


def first_vectors(weights):
    return weights.biases, weights.scales, weights.means, weights.variances


def test_a_failed_write_leaves_the_old_file(path):
    path.write_bytes(b"old")
    first, second = arrays()
    transposed = ConvWeights(*first_vectors(first), first.kernel.T)
    without_norm = ConvWeights(first.biases, None, None, None, first.kernel)
    for wrong in ([first], [first, second, second], [transposed, second], [without_norm, second]):
        with pytest.raises(ValueError, match=r"shapes|zip\(\)"):
            write_weights(path, NETWORK, wrong)
    broken = ConvWeights(second.biases * np.nan, None, None, None, second.kernel)
    with pytest.raises(InputError, match="NaN or infinite numbers in the biases of layer 2"):
        write_weights(path, NETWORK, [first, broken])
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


# === Any file ===

LAYERS = st.lists(
    st.builds(
        lambda filters, size, normalized: (
            f"[convolutional]\nfilters={filters}\nsize={size}\npad=1\nactivation=linear\n"
            f"batch_normalize={normalized}\n"
        ),
        st.integers(1, 5),
        st.integers(1, 3),
        st.integers(0, 1),
    )
    | st.just("[maxpool]\nsize=2\nstride=1\n"),
    min_size=1,
    max_size=5,
)
HEADERS = st.builds(Header, st.just(0), st.integers(0, 1), st.just(0), st.integers(0, 2**32 - 1))
HEADERS |= st.builds(
    Header, st.integers(0, 99), st.integers(2, 99), st.integers(0, 9), st.integers(0, 2**64 - 1)
)


@settings(deadline=None)
@given(LAYERS, HEADERS, st.integers(0, 2**32))
def test_any_network_survives_a_round_trip(tmp_path_factory, layers, header, seed):
    net = parse_network(parse_cfg("[net]\nwidth=8\nheight=8\nchannels=3\n" + "".join(layers)))
    floats = np.random.default_rng(seed).random(net.parameters, "f4")
    source, copy = (
        tmp_path_factory.getbasetemp() / name for name in ("from.weights", "to.weights")
    )
    source.write_bytes(header.to_bytes() + floats.tobytes())
    opened = read_weights(source, net)
    assert opened.header == header
    write_weights(copy, net, (weights for _, weights in opened), opened.header)
    assert copy.read_bytes() == source.read_bytes()


@settings(max_examples=200, deadline=None)
@given(
    start=st.sampled_from([b"", Header(0, 1).to_bytes(), Header(0, 2).to_bytes()]),
    rest=st.binary(max_size=40),
    floats=st.integers(0, NETWORK.parameters),
    partial=st.booleans(),
)
def test_any_bytes_give_weights_or_an_input_error(tmp_path_factory, start, rest, floats, partial):
    path = tmp_path_factory.getbasetemp() / "any.weights"
    path.write_bytes(start + numbers(floats).tobytes() + rest)
    with contextlib.suppress(InputError):
        opened = read_weights(path, NETWORK, allow_partial=partial)
        assert len(list(opened)) == len(opened.convolutions)


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, len(content()) - 4), damage=st.binary(min_size=4, max_size=4))
def test_any_damage_gives_weights_or_an_input_error(tmp_path_factory, place, damage):
    path = tmp_path_factory.getbasetemp() / "damaged.weights"
    whole = content()
    path.write_bytes(whole[:place] + damage + whole[place + 4 :])
    with contextlib.suppress(InputError):
        for _, weights in read_weights(path, NETWORK):
            assert np.isfinite(weights.kernel).all()
            assert weights.variances is None or (weights.variances >= 0).all()
