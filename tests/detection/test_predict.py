"""From pictures of any size to boxes on those pictures."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from yolov2_tf.detection.predict import detect, detector, prepare, to_pictures
from yolov2_tf.detection.thresholds import Thresholds
from yolov2_tf.errors import InputError
from yolov2_tf.models.blocks import image_input
from yolov2_tf.models.detection_model import DetectionModel
from yolov2_tf.models.heads import DetectionHead
from yolov2_tf.models.loading import load_model
from yolov2_tf.models.yolov2 import TinyYOLOv2

SIZE = 128  # a grid of 4 × 4 cells
NAMES = ["red", "blue"]
COLORS = {0: (255, 0, 0), 1: (0, 0, 255)}


def color_spotter(resize="stretch"):
    """A network that fires in cells full of red or blue, with a box of exactly that cell.

    t_x = t_y = t_w = t_h = 0 and one anchor of one cell: the box is the cell itself.
    """
    image, x = image_input()
    x = keras.layers.AveragePooling2D(32)(x)
    head = DetectionHead([(1.0, 1.0)], NAMES, input_size=SIZE, resize=resize)
    model = DetectionModel(image, head(x))
    kernel = np.zeros((1, 1, 3, 7), np.float32)
    kernel[0, 0, :, 4] = [40, -80, 40]  # red or blue, not grey
    kernel[0, 0, 0, 5] = kernel[0, 0, 2, 6] = 20
    head.set_weights([kernel, np.array([0, 0, 0, 0, -30, 0, 0], np.float32)])
    return model


def cell_in_picture(i, j, height, width, resize):
    """The cell (i, j) as fractions of a picture of that size; parts of it may lie outside."""
    corners = np.array([i, j, i + 1, j + 1]) / 4
    if resize == "stretch":
        return corners
    scale = SIZE / max(height, width)
    inner = np.array([round(height * scale), round(width * scale)])
    before = (SIZE - inner) // 2
    return (corners * SIZE - np.tile(before, 2)) / np.tile(inner, 2)


def paint(height, width, box, label):
    picture = np.full((height, width, 3), 100, np.uint8)
    y_min, x_min, y_max, x_max = np.round(box * [height, width, height, width]).astype(int)
    picture[y_min:y_max, x_min:x_max] = COLORS[label]
    return picture


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_a_painted_box_comes_back(resize):
    """Mixed sizes in one batch, and a last batch that is not full."""
    cases = [
        (200, 120, 1, 1, 0), (190, 310, 2, 2, 1), (128, 128, 0, 3, 0), (401, 333, 3, 2, 1),
        (64, 64, 2, 0, 0),
    ]  # fmt: skip
    boxes = [cell_in_picture(i, j, h, w, resize) for h, w, i, j, _ in cases]
    pictures = [
        paint(h, w, np.clip(box, 0, 1), label)
        for (h, w, _, _, label), box in zip(cases, boxes, strict=True)
    ]
    model = detector(color_spotter(resize))
    found = list(detect(model, pictures, batch_size=2))
    assert len(found) == len(cases)
    for case, picture, box, detections in zip(cases, pictures, boxes, found, strict=True):
        height, width, _, _, label = case
        assert detections["labels"].tolist() == [label]
        assert detections["scores"].shape == (1,)
        assert detections["scores"][0] > 0.5
        assert np.all((detections["boxes"] >= 0) & (detections["boxes"] <= 1))
        np.testing.assert_allclose(detections["boxes"][0], np.clip(box, 0, 1), atol=1e-5)
        # The same through the pixels that were painted.
        painted = np.nonzero(np.any(picture != 100, axis=-1))
        extent = [painted[0].min(), painted[1].min(), painted[0].max() + 1, painted[1].max() + 1]
        pixels = detections["boxes"][0] * [height, width, height, width]
        np.testing.assert_allclose(pixels, extent, atol=0.51)


def test_detect_runs_at_another_size():
    picture = paint(256, 256, np.array([0.25, 0.5, 0.375, 0.625]), 1)  # one of 8 × 8 cells
    model = detector(color_spotter())
    (detections,) = detect(model, [picture], size=256)
    np.testing.assert_allclose(detections["boxes"], [[0.25, 0.5, 0.375, 0.625]], atol=1e-5)
    assert detections["labels"].tolist() == [1]


def test_a_picture_with_nothing_gives_nothing():
    (detections,) = detect(detector(color_spotter()), [np.full((50, 70, 3), 100, np.uint8)])
    assert detections["boxes"].shape == (0, 4)
    assert detections["labels"].shape == detections["scores"].shape == (0,)


def test_no_pictures_give_no_detections():
    assert list(detect(detector(color_spotter()), [])) == []


def test_detect_takes_pictures_as_they_come():
    """A generator is read a batch at a time: films need not fit in memory."""
    read = []

    def film():
        for i in range(6):
            read.append(i)
            yield np.zeros((40, 60, 3), np.uint8)

    detections = detect(detector(color_spotter()), film(), batch_size=2)
    next(detections)
    assert read == [0, 1]
    assert len(list(detections)) == 5


def test_the_order_of_a_batch_does_not_matter():
    model = detector(color_spotter("letterbox"), score_threshold=0.001)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in [(40, 90), (90, 40), (5, 5)]]
    together = list(detect(model, pictures))
    for picture, expected in zip(pictures, together, strict=True):
        (alone,) = detect(model, [picture])
        for name, value in expected.items():
            np.testing.assert_allclose(alone[name], value, atol=1e-5)


# === The detector as a model ===


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return TinyYOLOv2(["ant", "bee"], width=0.125, input_size=64)


def images(batch=2, height=64, width=64):
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (batch, height, width, 3)).astype(np.float32)


def test_a_detector_tells_its_outputs(network):
    model = detector(network, max_detections=7)
    assert {name: tensor.shape for name, tensor in model.output.items()} == {
        "boxes": (None, 7, 4),
        "labels": (None, 7),
        "scores": (None, 7),
        "num_detections": (None,),
    }
    outputs = model(images())
    assert outputs["boxes"].shape == (2, 7, 4)
    assert outputs["labels"].dtype == outputs["num_detections"].dtype == tf.int32


def test_a_detector_shares_the_networks_weights(network):
    model = detector(network, score_threshold=0.001)
    before = model(images())["scores"].numpy()
    weights = network.get_weights()
    network.head.bias.assign_add(np.full(network.head.bias.shape, 0.5, np.float32))
    changed = model(images())["scores"].numpy()
    network.set_weights(weights)
    assert not np.allclose(before, changed)
    assert np.array_equal(model(images())["scores"], before)


def test_thresholds_reach_the_suppression(network):
    many = detector(network, score_threshold=0.001)(images())
    threshold = float(np.median(many["scores"].numpy()[many["labels"] >= 0]))
    few = detector(network, score_threshold=threshold)(images())
    assert np.all(few["num_detections"] < many["num_detections"])
    assert np.all(few["scores"].numpy()[few["labels"] >= 0] > threshold)
    assert np.sum(detector(network, 0.001, iou_threshold=1.0)(images())["num_detections"]) > np.sum(
        many["num_detections"]
    )


@pytest.mark.parametrize(("height", "width"), [(32, 32), (96, 64)])
def test_a_detector_runs_at_every_multiple_of_32(network, height, width):
    outputs = detector(network, score_threshold=0.0)(images(3, height, width))
    assert outputs["num_detections"].shape == (3,)
    assert np.all(outputs["num_detections"] > 0)


def test_a_detector_survives_saving(network, tmp_path):
    model = detector(network, 0.001, 0.3, 9)
    model.save(tmp_path / "detector.keras")
    loaded = load_model(tmp_path / "detector.keras")
    for name, value in model(images()).items():
        np.testing.assert_allclose(loaded(images())[name], value, atol=1e-5)


# === Geometry and files ===


@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_boxes_travel_to_the_input_and_back(resize):
    pictures = [np.zeros((h, w, 3), np.uint8) for h, w in [(1, 1), (33, 47), (480, 640), (7, 300)]]
    batch, shapes = prepare(pictures, 96, resize)
    assert batch.shape == (4, 96, 96, 3)
    assert shapes.tolist() == [[1, 1], [33, 47], [480, 640], [7, 300]]
    whole = to_pictures(np.tile(np.float32([0, 0, 1, 1]), (4, 1, 1)), shapes, 96, resize)
    np.testing.assert_allclose(whole, np.tile([0, 0, 1, 1], (4, 1, 1)))  # bars are cut off
    middle = to_pictures(np.full((4, 2, 4), 0.5, np.float32), shapes, 96, resize)
    np.testing.assert_allclose(middle, 0.5, atol=0.1)  # the bars may differ by one pixel


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_model(tmp_path / "missing.keras")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_an_unreadable_file_is_told(tmp_path, content):
    path = tmp_path / "bad.keras"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        load_model(path)
    assert caught.value.where == str(path)


def test_keras_never_compiles_a_detector_by_xla_as_it_does_on_a_gpu_by_itself():
    network = color_spotter()
    boxes = detector(network)
    with pytest.warns(match="support `jit_compile"):
        boxes.jit_compile = True
    assert boxes.jit_compile is False
    plain = keras.Model(network.input, network.output)  # the rule is Keras', the reason is ours
    plain.jit_compile = True
    assert plain.jit_compile is True


def test_what_is_no_network_or_no_detector_is_told(network):
    ready = detector(network)
    for options, message in [
        ({"score_threshold": 25}, "score threshold 25"),
        ({"score_threshold": Thresholds(0.3)}, "score threshold Thresholds"),
        ({"iou_threshold": 45}, "overlap threshold 45"),
        ({"max_detections": -1}, "number of detections -1"),
        ({"tree_threshold": 7}, "tree threshold 7"),
    ]:
        with pytest.raises(InputError, match=message):
            detector(network, **options)
    with pytest.raises(InputError, match=r"already .*yolov2_tf\.detect\(model, pictures\)"):
        detector(ready)
    with pytest.raises(InputError, match=r"gives no detections .*yolov2_tf\.detector\(model\)"):
        list(detect(network, images()))
    for take in (detector, lambda model: list(detect(model, []))):
        with pytest.raises(InputError, match=r"a str is no Keras model.*load_model"):
            take("starter")
    for count in (0, -1, 2.5):
        with pytest.raises(InputError, match=f"batch_size is {count}"):
            list(detect(ready, images(), batch_size=count))
    for size in (0, 100, "64"):
        with pytest.raises(InputError, match=r"input size .*multiple of 32"):
            list(detect(ready, images(), size=size))


@pytest.mark.parametrize(
    "picture",
    [np.zeros((40, 60, 3), np.uint8), "a.jpg", Path("a.jpg"), Image.new("RGB", (3, 3)), b"", None],
    ids=lambda picture: type(picture).__name__,
)
def test_one_picture_is_not_taken_for_several(network, picture):
    with pytest.raises(InputError, match=r"a single .*\[picture\]"):
        next(detect(detector(network), picture))
