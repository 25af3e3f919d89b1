"""Cfgs as people have them: the tensor that OpenCV computes, or one line that says why not.

Where OpenCV refuses a cfg that Darknet runs, the reference is `slow_darknet`.
"""

import re

import cv2
import numpy as np
import pytest
from slow_darknet import slow_darknet

import yolov2_tf
from yolov2_tf.darknet.cfg import parse_cfg, read_cfg
from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.detection.decoding import DecodeBoxes
from yolov2_tf.errors import InputError
from yolov2_tf.export.tflite import export_tflite
from yolov2_tf.models.heads import DetectionHead, RegionHead
from yolov2_tf.models.transfer import with_new_head

NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"
CONV = "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
WIDE = CONV.replace("filters=8", "filters=12")
POOL = "[maxpool]\nsize=2\nstride=2\n"
LINEAR = "[convolutional]\nfilters=14\nsize=1\nactivation=linear\n"
REGION = "[region]\nanchors=1,2,3,4\nnum=2\nclasses=2\nsoftmax=1\njitter=.3\n"
TOLERANCE = 1e-4


def picture(network, seed=0):
    """A picture `(H, W, C)` of the network's size, values 0..1."""
    return np.random.default_rng(seed).uniform(0, 1, network.input_shape).astype("f4")


def by_opencv(cfg, weights, image):
    """The input of `[region]`, `(h, w, c)`."""
    network = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    network.enableWinograd(False)
    network.setInput(np.ascontiguousarray(image.transpose(2, 0, 1))[None])
    *_, name, _, _ = network.getLayerNames()  # then come a permutation and the region
    return network.forward(name)[0].transpose(1, 2, 0)


def by_keras(model, image):
    """The raw head tensor; a picture of one channel is given as RGB."""
    rgb = np.repeat(image, 3 // image.shape[2], axis=2) * 255
    return model(rgb[None], training=False).numpy()[0]


def assert_close(found, expected):
    assert found.shape == expected.shape
    largest = max(1, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * largest)


# === The cases ===

OPENCV = (
    *("act-mish", "act-swish", "act-tanh", "anchors-pixels", "anchors-trailing-comma"),
    *("bom-crlf-tabs", "both-batch", "dup-lr", "empty-value", "gbk-comment", "head-bn"),
    *("head-leaky", "head-then-dropout", "head-then-route", "inline-comment-nospace"),
    *("inline-comment-slashes", "inline-comment-space", "letter_box", "nonsquare", "ref"),
    *("relu1-mask", "w300"),
)
DARKNET = ("act-elu", "dup-key-conv", "junk-line")  # which OpenCV refuses
REFUSED = {
    "act-ramp": r":20: \[convolutional\] activation is 'ramp'",
    "anchors-too-many": r":34: \[region\] has 6 numbers in anchors \(expected 4,",
    "background": r":34: \[region\] background='1' is not supported",
    "classes1-filters30": r":33: \[region\] gets 14 channels \(expected 12",
    "region-mid": r":50: \[convolutional\] follows \[region\]",
    "softmax0": r":39: \[region\] scores its classes without a softmax",
}
NOTES = {
    "anchors-pixels": "did you mean pixels",
    "both-batch": "'batch' again, '64'",
    "dup-key-conv": "'filters' again, '125'; the first counts",
    "dup-lr": "'learning_rate' again",
    "empty-value": "'hue=' is no option",
    "junk-line": "'this is my note' is no option",
    "nonsquare": "letterboxed to 96×96",
    "relu1-mask": "ignores 'mask'",
}


@pytest.fixture
def cases(shared_data):
    folder = shared_data.parent / "cases" / "90-darknet-cfgs"
    if not folder.exists():
        pytest.skip("needs the annotation cases: ../shared/cases beside the checkout")
    return folder


def test_no_case_is_forgotten(cases):
    assert {path.stem for path in cases.glob("*.cfg")} == {*OPENCV, *DARKNET, *REFUSED}


@pytest.mark.parametrize("name", [*OPENCV, *DARKNET])
def test_case_computes_the_same(cases, name, tmp_path):
    cfg, weights = cases / f"{name}.cfg", cases / f"{name}.weights"
    network = read_network(cfg)
    assert all(note.startswith(str(cfg)) for note in network.notes)
    assert NOTES.get(name, "") in "\n".join(network.notes)
    assert bool(network.notes) == (name in NOTES)

    model = import_darknet(cfg, weights)
    image = picture(network)
    if name in DARKNET:
        with pytest.raises(cv2.error):
            by_opencv(cfg, weights, image)
        expected = slow_darknet(cfg, weights, image)
    else:
        expected = by_opencv(cfg, weights, image)
    assert_close(by_keras(model, image), expected)
    assert model.head.resize == ("letterbox" if name in ("letter_box", "nonsquare") else "stretch")
    assert model.head.input_size == max(network.input_shape[:2])

    paths, _ = export_darknet(model, tmp_path)
    assert paths["weights"].read_bytes() == weights.read_bytes()
    if name != "head-then-route":
        assert read_cfg(paths["cfg"]) == read_cfg(cfg)


@pytest.mark.parametrize(("name", "message"), REFUSED.items())
def test_case_is_refused_in_one_line(cases, name, message):
    with pytest.raises(InputError, match=message) as error:
        import_darknet(cases / f"{name}.cfg", cases / f"{name}.weights")
    assert "\n" not in str(error.value)


# === Heads of any kind ===

ACTIVATIONS = ("leaky", "relu", "logistic", "swish", "mish", "tanh")  # OpenCV's
HEADS = {
    "linear": LINEAR,
    "normalized": LINEAR.replace("size=1", "batch_normalize=1\nsize=1"),
    "3x3": LINEAR.replace("size=1", "size=3\npad=1"),
    "stride": LINEAR.replace("size=1", "size=3\nstride=2\npad=1"),
    "all": CONV.replace("filters=8", "filters=14"),
    "dropout": LINEAR + "[dropout]\nprobability=.3\n",
    "route": LINEAR + "[route]\nlayers=-1\n[route]\nlayers=-1\n",
    "past a dropout": LINEAR + "[dropout]\n[route]\nlayers=-2\n",
    "pooled": LINEAR + POOL,
    "joined": "".join(
        text.replace("=14", "=7") for text in (LINEAR, LINEAR, "[route]\nlayers=-1,-2\n")
    ),
    "summed": LINEAR + LINEAR + "[shortcut]\nfrom=-2\nactivation=linear\n",
    **{kind: LINEAR.replace("linear", kind) for kind in ACTIVATIONS},
}


@pytest.mark.parametrize("kind", HEADS)
def test_any_head_is_that_of_opencv_and_comes_back(kind, write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(NET + CONV + POOL + HEADS[kind] + REGION))
    model = import_darknet(cfg, weights, class_names=["ant", "bee"])
    plain = kind in ("linear", "route", "past a dropout")
    assert isinstance(model.head, DetectionHead if plain else RegionHead)
    assert model.head is model.layers[-1]
    image = picture(read_network(cfg))
    expected = by_opencv(cfg, weights, image)
    assert_close(by_keras(model, image), expected)
    assert_close(slow_darknet(cfg, weights, image), expected)

    model.save(tmp_path / "a.keras")
    again = yolov2_tf.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(by_keras(again, image), by_keras(model, image))
    paths, _ = export_darknet(again, tmp_path / "out")
    assert paths["weights"].read_bytes() == weights.read_bytes()
    if kind in ("route", "past a dropout"):  # without what leads nowhere else
        assert read_cfg(paths["cfg"])[:-1] == read_cfg(cfg)[:4]
        assert read_network(paths["cfg"]).layers[-1].jitter == 0.3  # which only training reads
    else:
        assert paths["cfg"].read_text() == cfg.read_text()


def test_a_region_head_decodes_and_trains(write_network):
    cfg, weights = write_network(parse_cfg(NET + CONV + POOL + HEADS["all"] + REGION))
    model = import_darknet(cfg, weights, class_names=["ant", "bee"])
    image = picture(read_network(cfg))[None] * 255
    outputs = yolov2_tf.detector(model, 0.0)(image)
    boxes, _ = DecodeBoxes(model.head.anchors)(model(image))
    assert outputs["boxes"].shape[2] == boxes.shape[2] == 4
    assert int(outputs["num_detections"][0]) > 0

    model.compile("sgd", loss=yolov2_tf.YOLOv2Loss(model.head.anchors))
    before = model.get_layer("conv2").kernel.numpy()
    truths = {"boxes": np.array([[[0.1, 0.1, 0.6, 0.9]]], "f4"), "labels": np.array([[1]], "i4")}
    model.train_on_batch(image, truths)
    assert np.abs(model.get_layer("conv2").kernel.numpy() - before).max() > 0


def test_a_region_head_is_exported(write_network, tmp_path):
    """With all that is rare in one network: the written file is checked against the model."""
    net = NET.replace("channels=3", "channels=1")
    rare = "".join(CONV.replace("leaky", kind) for kind in ("swish", "mish", "elu", "tanh"))
    head = CONV.replace("filters=8", "filters=14").replace("leaky", "mish")
    text = net + CONV + rare + "[shortcut]\nfrom=-3\nactivation=relu6\n" + POOL + WIDE
    cfg, weights = write_network(
        parse_cfg(text + "[shortcut]\nfrom=-2\n" + head + "[dropout]\n" + REGION)
    )
    pictures = [np.random.default_rng(i).integers(0, 256, (40, 30, 3), "u1") for i in range(2)]
    model = import_darknet(cfg, weights)
    difference = export_tflite(model, tmp_path / "a.tflite", pictures=pictures)
    assert difference.scores < 1e-4
    assert difference.boxes < 1e-4


def test_a_new_head_takes_the_place_of_the_last_convolution(write_network, tmp_path):
    files = write_network(parse_cfg(NET + CONV + POOL + HEADS["all"] + "[dropout]\n" + REGION))
    model = import_darknet(*files)
    new = with_new_head(model, class_names=["a", "b", "c"])
    assert isinstance(new.head, DetectionHead)
    assert [layer.name for layer in new.layers][-2:] == ["maxpool_1", "head"]
    assert new.output_shape[-1] == 2 * (5 + 3)
    assert new.head.anchors.tolist() == model.head.anchors.tolist()
    paths, _ = export_darknet(new, tmp_path)
    assert [section.type for section in read_cfg(paths["cfg"])] == [
        *("net", "convolutional", "maxpool", "convolutional", "region")
    ]
    same = with_new_head(model, resize="letterbox", input_size=64)
    assert isinstance(same.head, RegionHead)
    assert (same.head.resize, same.head.input_size) == ("letterbox", 64)
    image = picture(read_network(files[0]))
    np.testing.assert_array_equal(by_keras(same, image), by_keras(model, image))
    files = write_network(parse_cfg(NET + CONV + POOL + HEADS["joined"] + REGION))
    with pytest.raises(InputError, match="joins several"):
        with_new_head(import_darknet(*files), class_names=["a"])


# === Layers ===


@pytest.mark.parametrize("kind", [*ACTIVATIONS, "relu6", "elu"])
def test_activations(kind, write_network, tmp_path):
    conv = CONV.replace("leaky", kind)
    shortcut = f"[shortcut]\nfrom=-2\nactivation={kind}\n"
    cfg, weights = write_network(parse_cfg(NET + conv + conv + shortcut + LINEAR + REGION))
    image = picture(read_network(cfg)) * 8  # for both sides of relu6
    expected = slow_darknet(cfg, weights, image)
    model = import_darknet(cfg, weights)
    assert_close(by_keras(model, image), expected)
    if kind in ("relu6", "elu"):
        with pytest.raises(cv2.error, match="Unsupported activation"):
            by_opencv(cfg, weights, image)
    else:
        assert_close(by_opencv(cfg, weights, image), expected)
    paths, _ = export_darknet(model, tmp_path)
    assert paths["weights"].read_bytes() == weights.read_bytes()
    assert paths["cfg"].read_text() == cfg.read_text()


HALF = CONV.replace("size=3", "size=3\nstride=2")
RESIDUAL = CONV + "[shortcut]\nfrom=-2\nactivation=leaky\n"


@pytest.mark.parametrize(
    ("text", "opencv"),
    [
        (CONV + RESIDUAL + RESIDUAL, True),
        (CONV + CONV + "[shortcut]\nfrom=-2\nactivation=linear\n" + CONV, True),
        (CONV + CONV + "[shortcut]\nfrom=0\nactivation=relu\n", True),  # counted from the start
        (CONV + RESIDUAL + "[route]\nlayers=0,-1\n", True),
        (CONV + CONV + "[shortcut]\nfrom=-2\n[route]\nlayers=-1,1\n", True),
        (CONV + WIDE + "[shortcut]\nfrom=-2\nactivation=leaky\n", True),
        (WIDE + CONV + "[shortcut]\nfrom=-2\nactivation=leaky\n", True),
        (WIDE + HALF + "[shortcut]\nfrom=-2\n", False),
        (CONV + HALF + HALF + WIDE + "[shortcut]\nfrom=0\nactivation=leaky\n", False),
        (CONV + CONV + CONV + "[shortcut]\nfrom=-2,-3\nactivation=leaky\n", False),
    ],
    ids=[
        *("blocks", "linear", "absolute", "routed", "both read", "wider", "narrower", "larger"),
        *("larger and narrower", "several"),
    ],
)
def test_shortcuts(text, opencv, write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(NET + text + LINEAR + REGION))
    image = picture(read_network(cfg))
    expected = slow_darknet(cfg, weights, image)
    model = import_darknet(cfg, weights)
    assert_close(by_keras(model, image), expected)
    if opencv:  # it refuses other sizes, and of several reads the first only
        assert_close(by_opencv(cfg, weights, image), expected)
    paths, _ = export_darknet(model, tmp_path)
    assert paths["weights"].read_bytes() == weights.read_bytes()
    assert paths["cfg"].read_text() == cfg.read_text()


# === Inputs ===


def test_one_channel(write_network, tmp_path):
    text = NET.replace("channels=3", "channels=1") + CONV + POOL + LINEAR + REGION
    cfg, weights = write_network(parse_cfg(text))
    model = import_darknet(cfg, weights)
    image = picture(read_network(cfg))
    assert image.shape == (32, 32, 1)
    expected = by_opencv(cfg, weights, image)
    assert_close(by_keras(model, image), expected)
    paths, _ = export_darknet(model, tmp_path)
    assert paths["weights"].read_bytes() == weights.read_bytes()
    assert paths["cfg"].read_text() == cfg.read_text()

    colours = np.random.default_rng(1).uniform(0, 1, (32, 32, 3)).astype("f4")
    grey = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)[..., None]
    assert_close(by_keras(model, colours), by_opencv(cfg, weights, grey))
    model.save(tmp_path / "a.keras")
    again = yolov2_tf.load_model(tmp_path / "a.keras")
    np.testing.assert_array_equal(by_keras(again, colours), by_keras(model, colours))


@pytest.mark.parametrize(("width", "height"), [(96, 64), (32, 64), (75, 64)])
def test_oblong_inputs(width, height, write_network, tmp_path):
    net = f"[net]\nwidth={width}\nheight={height}\nchannels=3\n"
    cfg, weights = write_network(parse_cfg(net + CONV + POOL + LINEAR + REGION))
    network = read_network(cfg)
    (note,) = network.notes
    assert f"{width}×{height}" in note
    model = import_darknet(cfg, weights)
    image = picture(network)
    assert_close(by_keras(model, image), by_opencv(cfg, weights, image))
    assert (model.head.input_size, model.head.resize) == (max(width, height), "letterbox")
    paths, _ = export_darknet(model, tmp_path)
    assert paths["cfg"].read_text() == cfg.read_text()
    new = with_new_head(model, input_size=64, resize="stretch")
    paths, _ = export_darknet(new, tmp_path / "square")
    assert read_network(paths["cfg"]).input_shape == (64, 64, 3)


@pytest.mark.parametrize("before", ["", "letter_box=0\n", "letter_box=1\n"])
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_letter_box_says_how_pictures_are_resized(before, resize, write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(NET + before + CONV + LINEAR + REGION))
    model = import_darknet(cfg, weights)
    assert model.head.resize == ("letterbox" if "1" in before else "stretch")
    paths, _ = export_darknet(with_new_head(model, resize=resize), tmp_path)
    assert import_darknet(paths["cfg"], paths["weights"]).head.resize == resize
    assert re.search("letter_box=1", paths["cfg"].read_text()) is None or resize == "letterbox"
