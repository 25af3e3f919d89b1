"""Darknet to Keras: the same numbers as OpenCV computes from the same files."""

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

import yolov2_tf
from yolov2_tf.darknet.cfg import parse_cfg, read_cfg
from yolov2_tf.darknet.network import parse_network, read_network
from yolov2_tf.darknet.reader import build_model, import_darknet
from yolov2_tf.darknet.weights import Header
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.yolov2 import YOLOv2
from yolov2_tf.resize import resize_image
from yolov2_tf.trees.wordtree import WordTree

NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"
CONV = "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
HEAD = "[convolutional]\nfilters=14\nsize=1\nactivation=linear\n"
REGION = "[region]\nanchors=1,2,3,4\nnum=2\nclasses=2\nsoftmax=1\n"
DETECTOR = NET + CONV + "[maxpool]\nsize=2\nstride=2\n" + HEAD + REGION


def assert_close(found, expected, fraction=1e-3):
    """Off by at most a fraction of the largest."""
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=fraction * np.abs(expected).max())


def outputs(model, images):
    return model(images, training=False).numpy()


@pytest.fixture
def trial3(shared_data):
    folder = shared_data / "yolo_lite"
    return folder / "tiny-yolov2-trial3.cfg", folder / "tiny-yolov2-trial3.weights"


@pytest.fixture
def voc_names(shared_data):
    return (shared_data / "darknet" / "voc.names").read_text().split()


# === A real network ===


def test_real_network_on_real_pictures(trial3, shared_data, run_opencv):
    model = import_darknet(*trial3)
    pictures = sorted((shared_data / "voc2007_sample" / "JPEGImages").glob("*.jpg"))[::20][:20]
    assert len(pictures) == 20
    rgb = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in pictures]
    resized = np.stack([resize_image(image, 224) for image in rgb])
    by_opencv = np.stack([cv2.resize(image.astype(np.float32), (224, 224)) for image in rgb])
    np.testing.assert_allclose(resized, by_opencv, atol=0.02)

    found, expected = outputs(model, resized), run_opencv(*trial3, resized)
    assert found.shape == (20, 7, 7, 125)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    # Each with its own resize.
    np.testing.assert_allclose(found, run_opencv(*trial3, by_opencv), rtol=0, atol=5e-4)


@pytest.mark.slow
def test_real_network_scores_as_elsewhere(trial3, shared_data, voc_names):
    model = import_darknet(*trial3, class_names=voc_names)
    dataset = yolov2_tf.open_dataset(shared_data / "voc2007_sample", class_names=voc_names)
    pictures = (cv2.cvtColor(cv2.imread(r.image), cv2.COLOR_BGR2RGB) for r in dataset.records)
    detector = yolov2_tf.detector(model, 0.005, 0.45, 300)
    scores = yolov2_tf.evaluate(dataset, yolov2_tf.detect(detector, pictures), "voc07")
    assert scores.map == pytest.approx(0.3454, abs=0.003)


# === Published networks with random weights ===


def tree_of(sections, shared_data):
    if "tree" not in sections[-1].options:
        return None
    return WordTree.read(shared_data / "darknet" / "9k.tree")


def compare_with_opencv(sections, write_network, run_opencv, images, tree):
    cfg, weights = write_network(sections)
    size = int(sections[0].options["width"])
    model = import_darknet(cfg, weights, tree=tree)
    expected = run_opencv(cfg, weights, images(size))
    found = outputs(model, images(size))
    assert_close(found.reshape(expected.shape), expected)
    return model, cfg, weights


def test_published_networks_slimmed(
    form, published_sections, write_network, run_opencv, images, shared_data
):
    sections = published_sections(form)
    tree = tree_of(sections, shared_data)
    model, *_ = compare_with_opencv(sections, write_network, run_opencv, images, tree)
    assert model.name == "net"
    if form == "darknet19":
        assert model.output_shape == (None, 1000)
    else:
        assert isinstance(model, DetectionModel)
        assert model.head.input_size == 96


PUBLISHED_BYTES = {
    "yolov2-voc": 202_704_260,
    "yolov2": 203_934_260,
    "yolov2-tiny-voc": 63_471_556,
    "yolov2-tiny": 44_948_596,
    "darknet19": 83_427_120,
    "darknet19_448": 83_427_120,
    "yolo9000": 195_230_020,
}


@pytest.mark.slow
def test_published_networks_in_full(
    published, published_sections, write_network, run_opencv, images, shared_data
):
    sections = published_sections(published, slimmer=1)
    tree = tree_of(sections, shared_data)
    model, _, weights = compare_with_opencv(sections, write_network, run_opencv, images, tree)
    assert weights.stat().st_size == PUBLISHED_BYTES[published]
    assert 4 * model.count_params() + 16 == PUBLISHED_BYTES[published]


def test_any_network(random_sections, write_network, run_opencv, images):
    """Odd sizes, strides, paddings of every kind, routes, reorgs."""
    compare_with_opencv(random_sections, write_network, run_opencv, images, None)


# === What the model is ===


def test_convolutions_are_called_as_in_our_own_models(published_sections):
    """So that weights move by name."""

    def sizes(model):
        return {
            layer.name: (layer.kernel_size, layer.use_bias)
            for layer in model.layers
            if isinstance(layer, keras.layers.Conv2D)
        }

    voc = parse_network(published_sections("yolov2-voc", slimmer=8))
    own = YOLOv2([f"class {i}" for i in range(20)], width=1 / 8)
    assert sizes(build_model(voc)) == sizes(own)
    darknet19 = parse_network(published_sections("darknet19", slimmer=8))
    assert sizes(build_model(darknet19)) == sizes(Darknet19(width=1 / 8))


def test_yolo9000_keeps_its_tree(published_sections, write_network, shared_data, tmp_path):
    tree = WordTree.read(shared_data / "darknet" / "9k.tree")
    cfg, weights = write_network(published_sections("yolo9000", slimmer=32, size=32))
    model = import_darknet(cfg, weights, tree=tree)
    assert model.head.tree == tree
    assert model.head.class_names == tree.names
    assert model.head.anchors.shape == (3, 2)
    assert model.output_shape[-1] == 28269
    model.save(tmp_path / "a.keras")
    assert yolov2_tf.load_model(tmp_path / "a.keras").head.tree == tree


def test_plain_reorg_is_space_to_depth(write_network, images):
    cfg, weights = write_network(
        parse_cfg(NET + "[convolutional]\nfilters=3\nactivation=linear\n[reorg3d]\nstride=2\n")
    )
    before = import_darknet(*write_network(read_cfg(cfg)[:2], name="before"))
    x = outputs(before, images(32))
    expected = x.reshape(1, 16, 2, 16, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(1, 16, 16, 12)
    found = outputs(import_darknet(cfg, weights), images(32))
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["reorg", "reorg3d"])
def test_a_reorg_without_a_stride_changes_nothing(kind, write_network, images):
    """Its stride is 1, in Darknet a copy; TensorFlow has no such space_to_depth."""
    head = "[convolutional]\nfilters=8\nsize=3\npad=1\n"
    text = "[net]\nwidth=32\nheight=32\nchannels=3\n" + head
    plain = import_darknet(*write_network(parse_cfg(text + head), name="plain"))
    with_it = import_darknet(*write_network(parse_cfg(f"{text}[{kind}]\n{head}"), name="reorg"))
    np.testing.assert_array_equal(outputs(with_it, images(32)), outputs(plain, images(32)))


def test_a_classifier_gives_logits(write_network, images):
    text = NET + CONV + "[avgpool]\n[softmax]\ngroups=1\n[cost]\ntype=sse\n"
    cfg, weights = write_network(parse_cfg(text))
    logits = outputs(import_darknet(cfg, weights), images(32))
    assert logits.shape == (1, 8)
    network = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    network.setInput(images(32).transpose(0, 3, 1, 2) / 255)
    assert_close(tf.nn.softmax(logits).numpy(), network.forward().reshape(1, 8), 1e-5)


def test_names_of_a_classifier_without_its_tree_are_refused(write_network):
    groups, tree = (
        NET + CONV + f"[avgpool]\n[softmax]\n{x}\n" for x in ("groups=2", "tree=a.tree")
    )
    names = [f"name {i}" for i in range(8)]
    files = write_network(parse_cfg(groups))
    assert import_darknet(*files).output_shape == (None, 8)
    with pytest.raises(InputError, match="parts its classes into 2 groups"):
        import_darknet(*files, class_names=names)
    files = write_network(parse_cfg(tree))
    assert import_darknet(*files).output_shape == (None, 8)
    with pytest.raises(InputError, match=r"needs its tree, 'a\.tree'"):
        import_darknet(*files, class_names=names)


def test_more_names_than_a_classifier_has_classes_are_refused(write_network):
    files = write_network(parse_cfg(NET + CONV + "[avgpool]\n[softmax]\n"))
    with pytest.raises(InputError, match="9 class names") as error:
        import_darknet(*files, class_names=[f"name {i}" for i in range(9)])
    assert error.value.hint == "the first 8, as Darknet takes them"


def test_a_file_keeps_all(write_network, images, tmp_path):
    header = Header(0, 2, 5, 123_456_789_012)
    cfg, weights = write_network(parse_cfg(DETECTOR), name="my net", header=header)
    model = import_darknet(cfg, weights, class_names=["ant", "bee"])
    model.save(tmp_path / "a.keras")
    again = yolov2_tf.load_model(tmp_path / "a.keras")
    assert again.name == model.name == "my_net"
    assert again.head.class_names == ("ant", "bee")
    assert again.head.anchors.tolist() == [[1, 2], [3, 4]]
    assert (again.head.input_size, again.head.resize) == (32, "stretch")
    origin = again.get_layer("rescale")
    assert parse_cfg(origin.cfg) == parse_cfg(DETECTOR)
    assert Header(*origin.header) == header
    np.testing.assert_array_equal(outputs(again, images(64)), outputs(model, images(64)))


def test_classes_are_numbered_without_names(write_network):
    model = import_darknet(*write_network(parse_cfg(DETECTOR)))
    assert model.head.class_names == ("class 0", "class 1")


def test_weight_decay_is_that_of_the_cfg(write_network):
    text = DETECTOR.replace("[convolutional]", "decay=0.5\n[convolutional]", 1)
    model = import_darknet(*write_network(parse_cfg(text)))
    squares = sum(np.sum(model.get_layer(name).kernel.numpy() ** 2) for name in ("conv1", "head"))
    assert float(sum(model.losses)) == pytest.approx(0.5 / 2 * squares, rel=1e-5)


def test_it_trains(write_network, images):
    model = import_darknet(*write_network(parse_cfg(DETECTOR)))
    model.compile("sgd", loss=yolov2_tf.YOLOv2Loss(model.head.anchors))
    truths = {"boxes": np.array([[[0.1, 0.1, 0.6, 0.9]]], "f4"), "labels": np.array([[1]], "i4")}
    before = model.head.kernel.numpy()
    model.train_on_batch(images(32), truths)
    assert np.abs(model.head.kernel.numpy() - before).max() > 0


# === Trunks ===


def test_a_partial_file_gives_the_trunk_it_fills(
    published_sections, write_network, images, tmp_path
):
    """As darknet19_448.conv.23 does for darknet19_448.cfg: all but the classifier."""
    cfg, weights = write_network(published_sections("darknet19_448"))
    network = read_network(cfg)
    rest = 4 * network.convolutions[-1].parameters
    trunk = tmp_path / "trunk.conv.23"
    trunk.write_bytes(weights.read_bytes()[:-rest])

    model = import_darknet(cfg, trunk, allow_partial=True)
    assert not isinstance(model, DetectionModel)
    assert [layer.name for layer in model.layers][-1] == "conv18_leaky"
    whole = import_darknet(cfg, weights)
    before = keras.Model(whole.input, whole.get_layer("conv18_leaky").output)
    np.testing.assert_allclose(
        outputs(model, images(64)), outputs(before, images(64)), rtol=1e-5, atol=1e-5
    )
    with pytest.raises(InputError, match="ends in layer 23"):
        import_darknet(cfg, trunk)
    with pytest.raises(InputError, match="has no head whose classes"):
        import_darknet(cfg, trunk, allow_partial=True, class_names=["cat"])


# === What cannot be used ===


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DETECTOR.replace("channels=3", "channels=4"), r"net.cfg:4: images have 4 channels"),
        (DETECTOR.replace("softmax=1", "softmax=0"), r"net.cfg:26: .* without a softmax"),
        (DETECTOR.replace("softmax=1\n", "tree=a.tree\n"), r"net.cfg:26: .* 'a.tree'.*--tree"),
        (NET.replace("channels=3", "channels=14") + REGION, "14 channels"),
        (NET + CONV + CONV + "[route]\nlayers=0\n", r"net.cfg:13: no later layer uses this one"),
    ],
)
def test_networks_that_cannot_be_run(text, message, write_network):
    cfg, weights = write_network(parse_cfg(text))
    with pytest.raises(InputError, match=message):
        import_darknet(cfg, weights)


def test_names_and_trees_that_do_not_fit(write_network):
    files = write_network(parse_cfg(DETECTOR))
    with pytest.raises(InputError, match=r"net.cfg:25: 3 class names \(expected 2"):
        import_darknet(*files, class_names=["a", "b", "c"])
    with pytest.raises(InputError, match="2 classes are called 'a'"):
        import_darknet(*files, class_names=["a", "a"])
    with pytest.raises(InputError, match="has no tree"):
        import_darknet(*files, tree=WordTree(["a", "b"], [-1, -1]))
    files = write_network(parse_cfg(DETECTOR + "tree=a.tree\n"))
    with pytest.raises(InputError, match="the tree has 3 nodes"):
        import_darknet(*files, tree=WordTree(["a", "b", "c"], [-1, -1, 0]))
