"""What Darknet's cfgs cannot say of a network is refused."""

import keras
import pytest

import yolov2_tf
from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.errors import InputError
from yolov2_tf.models.blocks import convolution, image_input
from yolov2_tf.models.yolov2 import TinyYOLOv2

L = keras.layers


def network_of(*layers):
    image, x = image_input()
    x = convolution(x, 8, 3, name="conv1")
    for layer in layers:
        x = layer(x)
    return keras.Model(image, x)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (L.Conv2D(4, 3, strides=2, padding="same"), "convolves otherwise"),
        (L.Conv2D(4, 3, dilation_rate=2), "convolves otherwise"),
        (L.Conv2D(4, 3, groups=2), "convolves otherwise"),
        (L.Conv2D(4, (1, 3)), "convolves otherwise"),
        (L.Conv2D(4, 3, activation="relu"), "convolves otherwise"),
        (L.MaxPool2D(3, 2, padding="same"), "pools otherwise"),
        (L.MaxPool2D((2, 1)), "pools otherwise"),
        (L.UpSampling2D(), r"UpSampling2D\) has no form"),
        (L.DepthwiseConv2D(3), r"DepthwiseConv2D\) has no form"),
        (L.ReLU(), r"ReLU\) has no form"),
    ],
)
def test_layers_without_a_form_are_refused(layer, message, tmp_path):
    with pytest.raises(InputError, match=message):
        export_darknet(network_of(layer), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ([L.BatchNormalization()], "normalises otherwise"),
        ([L.LeakyReLU(negative_slope=0.2)], "no activation of Darknet's"),
        ([L.ReLU(5)], "no activation of Darknet's"),
        ([L.Activation("gelu")], "no activation of Darknet's"),
    ],
)
def test_what_follows_a_convolution_is_checked(after, message, tmp_path):
    with pytest.raises(InputError, match=message):
        export_darknet(network_of(L.Conv2D(4, 1), *after), tmp_path)


def test_paddings_are_checked(tmp_path):
    model = network_of(L.ZeroPadding2D(((0, 1), (0, 1))), L.Conv2D(4, 3, strides=2))
    with pytest.raises(InputError, match="pads by"):
        export_darknet(model, tmp_path)


def test_a_detector_with_decoding_is_refused(tmp_path):
    detector = yolov2_tf.detector(TinyYOLOv2(["ant"], width=1 / 16, input_size=32))
    with pytest.raises(InputError, match="without decoding and suppression"):
        export_darknet(detector, tmp_path)


def test_graphs_that_share_layers_or_fork_are_refused(tmp_path):
    image, x = image_input()
    shared = L.Conv2D(3, 1)
    with pytest.raises(InputError, match="used more than once"):
        export_darknet(keras.Model(image, shared(shared(x))), tmp_path)
    with pytest.raises(InputError, match="several outputs"):
        export_darknet(keras.Model(image, [y := L.Conv2D(4, 1)(x), L.Conv2D(4, 1)(y)]), tmp_path)
    both = L.Concatenate()([L.Conv2D(4, 1)(x), L.Conv2D(4, 1)(x)])
    with pytest.raises(InputError, match="more than one layer reads the image"):
        export_darknet(keras.Model(image, both), tmp_path)


def test_networks_without_rescaling_are_refused(tmp_path):
    image = keras.Input((None, None, 3))
    with pytest.raises(InputError, match="does not rescale"):
        export_darknet(keras.Model(image, L.Conv2D(4, 1)(image)), tmp_path)
