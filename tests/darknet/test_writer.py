"""Keras to Darknet: the bytes that were imported, and the tensors that OpenCV computes."""

import cv2
import keras
import numpy as np
import pytest

import yolov2_tf
from yolov2_tf.darknet.cfg import parse_cfg, read_cfg
from yolov2_tf.darknet.network import parse_network, read_network
from yolov2_tf.darknet.reader import build_model, import_darknet
from yolov2_tf.darknet.weights import Header
from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.detection.decoding import DecodeBoxes
from yolov2_tf.errors import InputError
from yolov2_tf.models.darknet19 import Darknet19
from yolov2_tf.models.heads import ClassificationHead
from yolov2_tf.models.layers import Passthrough
from yolov2_tf.models.transfer import with_new_head
from yolov2_tf.models.yolov2 import TinyYOLOv2, YOLOv2
from yolov2_tf.trees.wordtree import WordTree

NET = "[net]\nwidth=32\nheight=32\nchannels=3\n"
CONV = "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
HEAD = "[convolutional]\nfilters=14\nsize=1\nactivation=linear\n"
REGION = "[region]\nanchors = 1,2,  3.0,4\nnum=2\nclasses=2\nsoftmax=1\nthresh=.4\njitter=.3\n"


def outputs(model, images):
    return model(images, training=False).numpy()


def assert_close(found, expected, fraction=1e-4):
    np.testing.assert_allclose(found, expected, rtol=0, atol=fraction * np.abs(expected).max())


def lively(model, seed=0):
    """The model with batch norms as after a training; new ones would hide mistakes."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for variable, low, high in (
                (layer.gamma, 0.5, 1.5),
                (layer.beta, -0.3, 0.3),
                (layer.moving_mean, -0.3, 0.3),
                (layer.moving_variance, 0.01, 2),
            ):
                variable.assign(rng.uniform(low, high, variable.shape))
    return model


def types(path):
    return [section.type for section in read_cfg(path)]


# === Darknet to Keras to Darknet ===


def test_real_network_comes_back(shared_data, tmp_path):
    cfg = shared_data / "yolo_lite" / "tiny-yolov2-trial3.cfg"
    weights = cfg.with_suffix(".weights")
    names = (shared_data / "darknet" / "voc.names").read_text()
    import_darknet(cfg, weights, class_names=names.split()).save(tmp_path / "a.keras")
    paths, notes = export_darknet(yolov2_tf.load_model(tmp_path / "a.keras"), tmp_path / "out")
    assert paths["weights"].read_bytes() == weights.read_bytes()
    assert read_cfg(paths["cfg"]) == read_cfg(cfg)
    assert paths["names"].read_text() == names
    assert set(paths) == {"cfg", "weights", "names"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"tiny_yolov2_trial3.{kind}" for kind in ("cfg", "names", "weights")
    ]
    assert notes == (
        "a cfg does not say how pictures are resized: they must be stretched to 224×224",
    )


def test_published_networks_come_back(
    form, published_sections, write_network, shared_data, tmp_path
):
    cfg, weights = write_network(published_sections(form, size=32), name=form.replace("-", "_"))
    tree_file = shared_data / "darknet" / "9k.tree"
    tree = WordTree.read(tree_file) if form == "yolo9000" else None
    paths, _ = export_darknet(import_darknet(cfg, weights, tree=tree), tmp_path / "out")
    assert paths["weights"].read_bytes() == weights.read_bytes()
    if tree is None:
        assert paths["cfg"].read_text() == cfg.read_text()
        return
    assert paths["tree"].read_text() == tree_file.read_text()
    (*found, region), (*expected, old) = read_cfg(paths["cfg"]), read_cfg(cfg)
    assert found == expected
    assert region.options.pop("tree") == "yolo9000.tree"
    assert region.numbers("anchors") == old.numbers("anchors")
    assert set(region.options.items()) < {
        *old.options.items(),
        ("anchors", region.options["anchors"]),
    }


def test_any_network_comes_back(random_sections, write_network, tmp_path):
    cfg, weights = write_network(random_sections, header=Header(0, 2, 0, 5_000_000_000))
    paths, _ = export_darknet(import_darknet(cfg, weights), tmp_path / "out")
    assert paths["weights"].read_bytes() == weights.read_bytes()
    assert paths["cfg"].read_text() == cfg.read_text()


@pytest.mark.parametrize(
    "tail",
    [
        "[avgpool]\n",
        "[avgpool]\n[softmax]\ngroups=2\n[cost]\ntype=sse\n",
        "[avgpool]\n[dropout]\nprobability=.3\n[softmax]\ntree=imagenet.tree\n",
        "[avgpool]\n[convolutional]\nfilters=4\nactivation=linear\n",
        "[route]\nlayers=0\n",
        "[cost]\n",
    ],
)
def test_other_endings_come_back(tail, write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(NET + CONV + tail))
    paths, _ = export_darknet(import_darknet(cfg, weights), tmp_path / "out")
    assert paths["weights"].read_bytes() == weights.read_bytes()
    expected = [section for section in read_cfg(cfg) if section.type != "route"]
    assert read_cfg(paths["cfg"]) == expected  # that route leads nowhere else


def test_only_what_changed_is_written_anew(write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(NET + CONV + HEAD + REGION), name="a")
    model = with_new_head(
        import_darknet(cfg, weights), class_names=["ant", "bee", "cat"], input_size=64
    )
    paths, _ = export_darknet(model, tmp_path / "out")
    net, conv, head, region = read_cfg(paths["cfg"])
    old_net, old_conv, *_ = read_cfg(cfg)
    assert net.options == {**old_net.options, "width": "64", "height": "64"}
    assert conv == old_conv
    assert head.options["filters"] == str(2 * (5 + 3))
    assert region.options["classes"] == "3"
    assert (region.options["thresh"], region.options["jitter"]) == (".4", ".3")
    assert read_network(paths["cfg"]).layers[-1].anchors == ((1, 2), (3, 4))
    start = slice(16, 16 + 4 * read_network(cfg).convolutions[0].parameters)
    assert paths["weights"].read_bytes()[start] == weights.read_bytes()[start]


# === Keras to Darknet to OpenCV ===


@pytest.mark.parametrize(
    "build",
    [
        lambda: TinyYOLOv2(["ant", "bee"], width=1 / 16, input_size=96),
        lambda: Darknet19(10, width=1 / 16),
        lambda: with_reorg(),
    ],
    ids=["tiny", "darknet19", "reorg"],
)
def test_opencv_computes_the_same(build, run_opencv, images, tmp_path):
    model = lively(build())
    paths, _ = export_darknet(model, tmp_path)
    size = read_network(paths["cfg"]).input_shape[0]
    expected = outputs(model, images(size))
    found = run_opencv(paths["cfg"], paths["weights"], images(size))
    assert_close(found.reshape(expected.shape), expected)


def with_reorg():
    """A passthrough as published, which OpenCV runs."""
    fine = "[convolutional]\nfilters=4\nsize=1\nactivation=leaky\n[reorg]\nstride=2\n"
    coarse = "[route]\nlayers=-3\n[maxpool]\nsize=2\nstride=2\n"
    text = NET + CONV + fine + coarse + CONV + "[route]\nlayers=-4,-1\n" + HEAD + REGION
    return build_model(parse_network(parse_cfg(text)))


def test_opencv_decodes_the_same_boxes(images, tmp_path):
    """OpenCV's `[region]` gives boxes and the class scores above `thresh` that it keeps."""
    model = lively(TinyYOLOv2(["ant", "bee"], width=1 / 16, input_size=96))
    # Far from the priors, but not so far that sizes overflow.
    spread = float(np.std(model(images(96), training=False)))
    model.head.kernel.assign(model.head.kernel / spread)
    paths, _ = export_darknet(model, tmp_path)
    text = paths["cfg"].read_text().replace("thresh=0.6", "thresh=0.01")
    network = cv2.dnn.readNetFromDarknet(
        np.frombuffer(text.encode(), np.uint8), np.fromfile(paths["weights"], np.uint8)
    )
    network.setInput(images(96).transpose(0, 3, 1, 2) / 255)
    found = network.forward()

    decode = DecodeBoxes(model.head.anchors)
    boxes, scores = (x.numpy()[0] for x in decode(model(images(96), training=False)))
    low, high = boxes[:, :2], boxes[:, 2:]
    centers_and_sizes = np.concatenate([(low + high) / 2, high - low], axis=1)[:, [1, 0, 3, 2]]
    np.testing.assert_allclose(found[:, :4], centers_and_sizes, rtol=1e-4, atol=1e-5)
    kept = found[:, 5:] > 0
    assert kept.sum() > 10
    np.testing.assert_allclose(found[:, 5:][kept], scores[kept], atol=1e-4)


@pytest.mark.parametrize("variance", [1e-5, 1e-3])
def test_small_variances_are_written_for_darknets_epsilon(variance, run_opencv, images, tmp_path):
    """Our networks add 1e-5 to variances, Darknet 1e-6."""
    model = TinyYOLOv2(["ant"], width=1 / 16, input_size=32)
    norm = model.get_layer("conv1_bn")
    norm.moving_variance.assign(np.full(norm.moving_variance.shape, variance))
    paths, _ = export_darknet(model, tmp_path)
    found = run_opencv(paths["cfg"], paths["weights"], images(32))
    assert_close(found, outputs(model, images(32)))


def test_yolov2_has_the_published_form(published_sections, images, tmp_path):
    """But for `[reorg3d]`, the plain passthrough that our own training uses."""
    model = lively(YOLOv2([f"class {i}" for i in range(20)], width=1 / 8, input_size=96))
    paths, notes = export_darknet(model, tmp_path)
    published = published_sections("yolov2-voc", slimmer=8)
    expected = [section.type for section in published]
    assert types(paths["cfg"]) == ["reorg3d" if type == "reorg" else type for type in expected]
    ours, theirs = read_network(paths["cfg"]), parse_network(published)
    assert [x.sources for x in ours.layers] == [x.sources for x in theirs.layers]
    assert [x.output_shape[:2] for x in ours.layers] == [x.output_shape[:2] for x in theirs.layers]
    assert ours.layers[-1].output_shape == theirs.layers[-1].output_shape

    copy = import_darknet(paths["cfg"], paths["weights"])
    assert isinstance(copy.get_layer("reorg3d_27"), Passthrough)
    assert_close(outputs(copy, images(96)), outputs(model, images(96)))
    assert any("OpenCV" in note for note in notes)
    with pytest.raises(cv2.error, match="Unknown layer type: reorg3d"):
        cv2.dnn.readNetFromDarknet(str(paths["cfg"]))


def test_the_papers_passthrough(images, tmp_path):
    model = lively(YOLOv2(["ant"], width=1 / 16, squeeze=None, input_size=64))
    paths, _ = export_darknet(model, tmp_path)
    copy = import_darknet(paths["cfg"], paths["weights"])
    assert_close(outputs(copy, images(64)), outputs(model, images(64)))


def test_a_tree_travels(tmp_path):
    tree = WordTree(["animal", "dog", "cat"], [-1, 0, 0])
    model = TinyYOLOv2(["Tier", "Hund", "Katze"], width=1 / 16, input_size=32, tree=tree)
    paths, notes = export_darknet(model, tmp_path)
    assert WordTree.read(paths["tree"]) == tree
    assert paths["names"].read_text() == "Tier\nHund\nKatze\n"
    assert read_network(paths["cfg"]).layers[-1].tree == "tiny_yolov2.tree"
    assert any("tree" in note for note in notes)


@pytest.mark.parametrize("tree", [None, WordTree(["animal", "dog", "cat"], [-1, 0, 0])])
def test_a_classifier_keeps_size_names_and_tree(tree, tmp_path):
    names = ["Tier", "Hund", "Katze"]
    model = Darknet19(names, width=1 / 16, input_size=64, resize="letterbox", tree=tree)
    paths, (note, *_) = export_darknet(model, tmp_path)
    assert "letterboxed to 64×64" in note
    assert paths["names"].read_text() == "Tier\nHund\nKatze\n"
    copy = import_darknet(
        paths["cfg"],
        paths["weights"],
        class_names=names,
        tree=tree and WordTree.read(paths["tree"]),
    )
    (head,) = (layer for layer in copy.layers if isinstance(layer, ClassificationHead))
    assert (head.input_size, head.resize, head.tree) == (64, "letterbox", tree)


def test_half_precision_trains_and_full_precision_is_written(images, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = TinyYOLOv2(["ant"], width=1 / 16, input_size=32)
    finally:
        keras.config.set_dtype_policy("float32")
    paths, _ = export_darknet(model, tmp_path)
    copy = import_darknet(paths["cfg"], paths["weights"])
    np.testing.assert_array_equal(copy.head.kernel, model.head.kernel)
    assert_close(outputs(copy, images(32)), outputs(model, images(32)), 0.1)


def test_notes_say_what_a_cfg_cannot(tmp_path):
    letterbox = TinyYOLOv2(["ant"], width=1 / 16, input_size=64, resize="letterbox")
    (note,) = export_darknet(letterbox, tmp_path).notes
    assert "letterboxed to 64×64" in note
    (note,) = export_darknet(Darknet19(4, width=1 / 16), tmp_path).notes
    assert "224×224" in note


# === Failures ===


def test_nothing_is_left_of_a_failed_export(tmp_path):
    model = TinyYOLOv2(["ant"], width=1 / 16, input_size=32)
    paths, _ = export_darknet(model, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == set(paths.values())
    model.head.bias.assign(np.full(model.head.bias.shape, np.nan))
    with pytest.raises(InputError, match="NaN"):
        export_darknet(model, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
