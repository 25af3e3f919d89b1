"""What a cfg means: layers, shapes, parameters; OpenCV's reader is the independent reference."""

import contextlib
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolov2_tf.darknet.cfg import Section, parse_cfg, write_cfg
from yolov2_tf.darknet.network import MAX_LAYERS, MAX_PARAMETERS, parse_network, read_network
from yolov2_tf.darknet.sections import KINDS, MAX_ACTIVATIONS, Reorg, Route
from yolov2_tf.errors import InputError

NET = "[net]\nwidth=16\nheight=16\nchannels=3\n"
CONV = "[convolutional]\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
POOL = "[maxpool]\nsize=2\nstride=2\n"
ANCHORS = "anchors=1,2,3,4\n"


def network(text):
    return parse_network(parse_cfg(text, "a.cfg"))


@pytest.mark.parametrize(
    ("name", "input_size", "output_shape", "layers"),
    [
        ("yolov2-voc", 416, (13, 13, 125), 32),
        ("yolov2", 608, (19, 19, 425), 32),
        ("yolov2-tiny-voc", 416, (13, 13, 125), 16),
        ("yolov2-tiny", 416, (13, 13, 425), 16),
        ("yolo9000", 544, (17, 17, 28269), 25),
        ("darknet19", 256, (1, 1, 1000), 26),
        ("darknet19_448", 448, (1, 1, 1000), 26),
    ],
)
def test_published_networks(shared_data, name, input_size, output_shape, layers):
    net = read_network(shared_data / "darknet" / f"{name}.cfg")
    assert net.input_shape == (input_size, input_size, 3)
    assert net.layers[-1].output_shape == output_shape
    assert len(net.layers) == layers
    assert net.notes == ()


def test_passthrough_of_yolov2(shared_data):
    net = read_network(shared_data / "darknet" / "yolov2-voc.cfg")
    (reorg,) = (layer for layer in net.layers if isinstance(layer, Reorg))
    back, joined = (layer for layer in net.layers if isinstance(layer, Route))
    assert back.sources == (16,)
    assert back.output_shape == (26, 26, 512)
    assert (reorg.input_shape, reorg.output_shape) == ((26, 26, 64), (13, 13, 256))
    assert joined.sources == (reorg.index, 24)
    assert joined.output_shape == (13, 13, 1280)


def test_region_of_yolo9000(shared_data):
    region = read_network(shared_data / "darknet" / "yolo9000.cfg").layers[-1]
    assert region.anchors == ((0.77871, 1.14074), (3.00525, 4.31277), (9.22725, 9.61974))
    assert (region.classes, region.tree, region.map) == (9418, "data/9k.tree", "data/coco9k.map")
    assert (region.softmax, region.rescore, region.bias_match) == (True, True, True)
    assert (region.thresh, region.object_scale, region.jitter) == (0.6, 5.0, 0.2)


def test_yolov3_is_named_as_such(shared_data):
    with pytest.raises(InputError, match=r"yolov3-tiny\.cfg:132: not a YOLOv2 network"):
        read_network(shared_data / "darknet" / "yolov3-tiny.cfg")


# === Against OpenCV ===


def opencv_output_shape(net, text):
    weights = np.zeros(4, "<i4").tobytes() + np.ones(net.parameters, "<f4").tobytes()
    reference = cv2.dnn.readNetFromDarknet(
        np.frombuffer(text.encode(), np.uint8), np.frombuffer(weights, np.uint8)
    )
    height, width, channels = net.input_shape
    reference.setInput(np.zeros((1, channels, height, width), np.float32))
    _, channels, height, width = reference.forward().shape
    return height, width, channels


SMALL = st.integers(1, 4)
CONVOLUTIONS = st.builds(
    lambda filters, size, stride, padding, normalized, activation: (
        f"[convolutional]\nfilters={filters}\nsize={size}\nstride={stride}\n{padding}\n"
        f"batch_normalize={normalized}\nactivation={activation}\n"
    ),
    SMALL,
    SMALL,
    st.integers(1, 2),
    st.sampled_from(["pad=0", "pad=1", "padding=1", "padding=2"]),
    st.integers(0, 1),
    st.sampled_from(["leaky", "linear", "relu", "logistic"]),
)
POOLS = st.builds(
    lambda size, stride, padding: (
        f"[maxpool]\nsize={size}\nstride={stride}\n"
        + ("" if padding is None else f"padding={min(padding, size - 1)}\n")
    ),
    SMALL,
    st.integers(1, 3),
    st.none() | st.integers(0, 2),
)
OTHERS = st.sampled_from(["[reorg]\nstride=2\n", "[dropout]\n", "[route]\nlayers=-1,-2\n"])
TEXTS = st.builds(
    lambda height, width, layers: (
        f"[net]\nheight={height}\nwidth={width}\nchannels=3\n" + CONV + "".join(layers)
    ),
    st.integers(1, 24),
    st.integers(1, 24),
    st.lists(st.one_of(CONVOLUTIONS, POOLS, OTHERS), max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_shapes_are_those_of_opencv(text):
    try:
        net = network(text)
    except InputError:
        return
    assert net.layers[-1].output_shape == opencv_output_shape(net, text)


def test_every_maxpool_is_that_of_opencv():
    for size in range(1, 6):
        for stride in range(1, 4):
            pool = f"[maxpool]\nsize={size}\nstride={stride}\n"
            text = "[net]\nheight=7\nwidth=10\nchannels=3\n" + CONV + pool
            net = network(text)
            assert net.layers[-1].output_shape == opencv_output_shape(net, text)


# === Meaning of options ===


def test_defaults_are_those_of_darknet():
    net = network(NET + "[convolutional]\n[maxpool]\nstride=2\n[dropout]\n")
    conv, pool, dropout = net.layers
    assert (conv.filters, conv.size, conv.stride, conv.padding) == (1, 1, 1, 0)
    assert (conv.batch_normalize, conv.activation) == (False, "logistic")
    assert (pool.size, pool.stride, pool.padding) == (2, 2, 1)
    assert dropout.probability == 0.5


def test_pad_is_a_switch_and_wins_over_padding():
    conv = "[convolutional]\nsize=5\nactivation=linear\n"
    assert network(NET + conv + "pad=1\npadding=7\n").layers[0].padding == 2
    assert network(NET + conv + "pad=0\npadding=3\n").layers[0].padding == 3


def test_route_counts_back_or_from_the_start():
    joined = network(NET + CONV * 3 + "[route]\nlayers=-1, 0,1\n").layers[-1]
    assert joined.sources == (2, 0, 1)
    assert joined.output_shape == (16, 16, 24)


def test_reorg3d_is_plain():
    plain = network(NET + "[reorg3d]\nstride=2\n").layers[0]
    assert plain.plain
    assert plain.output_shape == (8, 8, 12)


def test_what_changes_nothing_may_be_written_as_any_number():
    text = (
        "[net]\nwidth=32\nheight=32\nchannels=3\n[convolutional]\nfilters=4\ngroups=01\n"
        "[convolutional]\nfilters=4\n[shortcut]\nfrom=-2\nalpha=1.0\nbeta=1.\n"
    )
    network = parse_network(parse_cfg(text))
    assert (len(network.layers), network.notes) == (3, ())
    with pytest.raises(InputError, match=r"alpha='1\.5' is not supported"):
        parse_network(parse_cfg(text.replace("alpha=1.0", "alpha=1.5")))


def test_unknown_keys_are_noted_with_the_one_that_was_meant():
    net = network(NET + "colour=1\n" + CONV + "filter=4\n")
    assert net.layers[0].filters == 8
    assert net.notes == (
        "a.cfg:5: [net] ignores 'colour'",
        "a.cfg:11: [convolutional] ignores 'filter'; did you mean 'filters'?",
    )


@pytest.mark.parametrize(
    ("anchors", "size", "noted"),
    [
        ("116,90,373,326", 416, True),
        ("116,90,373,326", 1024, True),
        ("6.63,11.38,16.62,10.52", 416, False),
        ("6.63,11.38,16.62,10.52", 96, False),  # the same published network on smaller pictures
        ("6.63,11.38,30,30", 608, False),  # boxes may be larger than their picture
    ],
)
def test_anchors_in_pixels_are_noted(anchors, size, noted):
    net = f"[net]\nwidth={size}\nheight={size}\nchannels=3\n"
    conv = "[convolutional]\nfilters=12\nsize=1\nstride=32\nactivation=linear\n"
    region = f"[region]\nclasses=1\nnum=2\nanchors={anchors}\n"
    assert ["did you mean pixels" in note for note in network(net + conv + region).notes] == (
        [True] if noted else []
    )


def test_a_network_survives_a_round_trip():
    net = network(NET + CONV + "[reorg3d]\nstride=2\n")
    sections = [net.net, *(layer.section for layer in net.layers)]
    assert parse_network(parse_cfg(write_cfg(sections))) == net


# === Refusals ===

REFUSED = [
    ("[convolutional]\nfilters=3\n", 1, "starts with"),
    (NET, 1, "no layers"),
    ("[net]\nwidth=16\nheight=16\n" + CONV, 1, "no 'channels'"),
    (NET.replace("width=16", "width=0") + CONV, 2, "width is '0'"),
    (NET.replace("width=16", "width=-1") + CONV, 2, "width is '-1'"),
    (NET + NET, 5, r"a second \[net\]"),
    (NET + "[convolutionel]\n", 5, r"unknown section \[convolutionel\]"),
    (NET + "[shortcut]\nfrom=-1\n", 6, "names layer -1"),
    (NET + CONV + "[shortcut]\n", 10, "no 'from'"),
    (NET + CONV + "[maxpool]\nsize=2\npadding=0\n[shortcut]\nfrom=0\n", 14, "adds 15×15, 16×16"),
    (NET + CONV + POOL + "[route]\nlayers=0\n[shortcut]\nfrom=1\n", 16, "adds 16×16, 8×8"),
    (NET + CONV + CONV + "[shortcut]\nfrom=-2\nalpha=2\n", 17, "alpha='2' is not supported"),
    (NET + CONV + "[upsample]\n", 10, "not a YOLOv2 network"),
    (NET + "[connected]\n", 5, "not a YOLOv2 network"),
    (NET + CONV + "groups=2\n", 10, r"groups='2' is not supported \(expected groups=1"),
    (NET + CONV + "stride_x=2\n", 10, "expected no 'stride_x'"),
    (NET + CONV.replace("leaky", "stair"), 9, "activation is 'stair'"),
    (NET + CONV.replace("filters=8", "filters=-8"), 6, "filters is '-8'"),
    (NET + CONV.replace("size=3", "size=0"), 7, "size is '0'"),
    (NET + CONV + "stride=0\n", 10, "stride is '0'"),
    (NET + "[convolutional]\nsize=17\n", 6, "size 17 gets 16×16"),
    (NET + "[maxpool]\nsize=2\npadding=2\n", 7, "padding is '2'"),
    (NET + "[route]\n", 5, "no 'layers'"),
    (NET + "[route]\nlayers=-1\n", 6, "names layer -1"),
    (NET + CONV + "[route]\nlayers=1\n", 11, "of layer 1 names layer 1"),
    (NET + CONV + "[route]\nlayers=-1,2\n", 11, "names layer 2"),
    (NET + CONV + "[route]\nlayers=-2\n", 11, "names layer -2"),
    (NET + CONV + "[route]\nlayers=a\n", 11, "layers is 'a'"),
    (NET + CONV + "[maxpool]\nsize=2\nstride=2\n[route]\nlayers=0,1\n", 14, "joins 16×16, 8×8"),
    (NET + "[reorg]\nstride=3\n", 6, "gets 16×16"),
    (NET + "[reorg]\nstride=2\n", 6, "gets 3 channels"),
    (NET.replace("channels=3", "channels=6") + "[reorg]\nstride=2\n", 6, "gets 6 channels"),
    (NET + CONV + "[reorg]\nstride=2\nreverse=1\n", 12, "reverse='1' is not supported"),
    (NET + CONV + "[softmax]\n", 10, "gets 16×16"),
    (NET + CONV + "[avgpool]\n[softmax]\ngroups=3\n", 12, "into 3 groups"),
    (NET + CONV + "[avgpool]\n[softmax]\n[dropout]\n", 12, r"follows \[softmax\]"),
    (NET + CONV + "[cost]\n[dropout]\n", 11, r"follows \[cost\]"),
    (NET + CONV + "[dropout]\nprobability=2\n", 11, "probability is '2'"),
    (NET + CONV + "[region]\nclasses=4\nnum=1\n", 10, "gets 8 channels .expected 9"),
    (NET + CONV + "[region]\nclasses=3\nnum=1\ncoords=5\n", 13, "coords is '5'"),
    (NET + CONV + "[region]\nclasses=3\nnum=1\n" + ANCHORS, 13, "4 numbers in anchors"),
    (NET + CONV + "[region]\nclasses=3\nnum=1\nanchors=1,0\n", 13, "anchors is '0'"),
    (NET + CONV + "[region]\nclasses=3\nnum=1\n[dropout]\n", 13, r"follows \[region\]"),
]


@pytest.mark.parametrize(("text", "line", "words"), REFUSED)
def test_refusals_name_the_line(text, line, words):
    with pytest.raises(InputError, match=words) as error:
        network(text)
    assert error.value.where == f"a.cfg:{line}"


HUGE = 2**31 - 1
ABSURD = [
    NET.replace("16", str(HUGE)) + CONV,
    NET + f"[convolutional]\nfilters={HUGE}\n",
    NET + f"[convolutional]\nsize={HUGE}\npad=1\n",
    NET + f"[convolutional]\npadding={HUGE}\n",
    NET + f"[maxpool]\nsize={HUGE}\nstride=1\n",
    NET + f"[convolutional]\nfilters={HUGE}\n[region]\nclasses={HUGE - 5}\nnum=1\n",
    NET + CONV + f"[route]\nlayers={','.join(['0'] * 1000)}\n" * 200,
    NET + "[convolutional]\nfilters=20000\n" * 2,
]


@pytest.mark.parametrize("text", ABSURD)
def test_absurd_sizes_are_refused(text):
    with pytest.raises(InputError, match="expected at most"):
        network(text)


def test_limits_leave_room_for_what_is_published(shared_data):
    paths = sorted(shared_data.glob("darknet/yolo*2*.cfg"))
    assert paths
    for path in paths:
        net = read_network(path)
        assert net.parameters < MAX_PARAMETERS / 5
        assert sum(math.prod(layer.output_shape) for layer in net.layers) < MAX_ACTIVATIONS / 5


def test_too_many_layers_are_refused():
    with pytest.raises(InputError, match=f"at most {MAX_LAYERS}"):
        network(NET + "[dropout]\n" * (MAX_LAYERS + 1))


# === Any cfg ===

TYPES = st.sampled_from(sorted(KINDS))
KEYS = """filters size stride pad padding activation batch_normalize layers groups probability
anchors classes num coords softmax tree thresh reverse stride_x filter"""
VALUES = st.one_of(
    st.integers(-3, 9).map(str),
    st.integers(-(10**12), 10**12).map(str),
    st.floats().map(str),
    st.lists(st.integers(-4, 4), min_size=1, max_size=4).map(lambda x: ",".join(map(str, x))),
    st.sampled_from(["leaky", "linear", "mish", "x"]),
)
ANY = st.builds(Section, TYPES, st.dictionaries(st.sampled_from(KEYS.split()), VALUES, max_size=4))
ANY_NET = st.builds(
    Section,
    st.sampled_from(["net"] * 9 + ["region"]),
    st.fixed_dictionaries(
        {"width": st.just("16"), "height": st.just("16")}, optional={"channels": VALUES}
    ),
)


@settings(max_examples=150, deadline=None)
@given(ANY_NET, st.lists(ANY, max_size=6))
def test_any_sections_give_a_network_or_an_input_error(net, layers):
    try:
        result = parse_network([net, *layers])
    except InputError:
        return
    assert all(min(layer.output_shape) >= 1 for layer in result.layers)
    assert result.parameters <= MAX_PARAMETERS


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.data())
def test_a_cfg_with_a_damaged_place_gives_a_network_or_an_input_error(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 10, len(text))))
    damaged = text[:start] + data.draw(st.text("[]=#1-x,\n", max_size=4)) + text[end:]
    with contextlib.suppress(InputError):
        assert network(damaged).layers
