"""`yolov2 import-darknet`: what it writes and says, and the files that it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

import yolov2_tf
from yolov2_tf.cli.import_darknet import import_darknet as import_command
from yolov2_tf.darknet.cfg import parse_cfg
from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.errors import InputError

DETECTOR = """[net]
width=32
height=32
channels=3
[convolutional]
batch_normalize=1
filters=8
size=3
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=14
size=1
activation=linear
[region]
anchors=1,2,3,4
num=2
classes=2
softmax=1
"""


def outputs(model, images):
    return model(images, training=False).numpy()


def test_command(write_network, images, tmp_path, capsys):
    cfg, weights = write_network(parse_cfg(DETECTOR.replace("num=2", "num=2\nmystery=1")))
    (tmp_path / "my.names").write_text("ant \nbee\n")
    out = tmp_path / "deep" / "a.keras"
    import_command(cfg, weights, out, names=tmp_path / "my.names")
    model = yolov2_tf.load_model(out)
    assert model.head.class_names == ("ant", "bee")
    expected = import_darknet(cfg, weights)
    np.testing.assert_array_equal(outputs(model, images(32)), outputs(expected, images(32)))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "[region] ignores 'mystery'" in captured.err
    assert "parameters" in captured.err


def test_a_network_whose_side_is_no_multiple_of_32_is_used_at_it(write_network, run, tmp_path):
    text = DETECTOR.replace("32", "75")
    out = tmp_path / "a.keras"
    code, _, err = run("import-darknet", *write_network(parse_cfg(text)), out)
    assert code == 0, err
    Image.new("RGB", (90, 60), (200, 90, 10)).save(tmp_path / "a.png")
    code, printed, err = run("predict", out, tmp_path / "a.png", "--json", "-")
    assert code == 0, err
    (row,) = json.loads(printed)
    detector = yolov2_tf.detector(yolov2_tf.load_model(out))
    (found,) = yolov2_tf.detect(detector, [tmp_path / "a.png"])
    assert len(row["detections"]) == len(found["scores"])
    code, printed, err = run("describe", out)
    assert code == 0, err
    assert "at 75 px" in printed


def test_command_says_that_a_classifier_without_its_tree_cannot_classify(
    write_network, tmp_path, capsys
):
    (tmp_path / "a.tree").write_text("".join(f"n{i} -1\n" for i in range(14)))
    classifier = DETECTOR.partition("[region]")[0] + "[avgpool]\n[softmax]\ntree=a.tree\n"
    cfg, weights = write_network(parse_cfg(classifier))
    import_command(cfg, weights, tmp_path / "a.keras", tree=tmp_path / "a.tree")
    assert "classify" not in capsys.readouterr().err
    import_command(cfg, weights, tmp_path / "a.keras")
    assert "cannot classify" in " ".join(capsys.readouterr().err.split())


def test_command_refuses_names_with_a_blank_line(write_network, tmp_path):
    cfg, weights = write_network(parse_cfg(DETECTOR))
    (tmp_path / "my.names").write_text("ant\n \n\nbee\n")
    with pytest.raises(InputError, match=r"my\.names:2: a blank line"):
        import_command(cfg, weights, tmp_path / "a.keras", names=tmp_path / "my.names")
    assert not (tmp_path / "a.keras").exists()


def test_command_with_tree_and_trunk(write_network, tmp_path):
    (tmp_path / "a.tree").write_text("a -1\nb 0\n")
    cfg, weights = write_network(parse_cfg(DETECTOR + "tree=data/a.tree\n"))
    out = tmp_path / "a.keras"
    import_command(cfg, weights, out, tree=tmp_path / "a.tree")
    assert yolov2_tf.load_model(out).head.tree.names == ("a", "b")

    last = 4 * read_network(cfg).convolutions[-1].parameters
    weights.write_bytes(weights.read_bytes()[:-last])
    import_command(cfg, weights, out, partial=True)
    assert yolov2_tf.load_model(out).output_shape[-1] == 8


def corrupt(change):
    def corrupted(cfg, weights):
        content = bytearray(weights.read_bytes())
        change(content)
        weights.write_bytes(content)
        return cfg, weights

    return corrupted


def put(place, value):
    def change(content):
        content[place : place + len(value)] = value

    return change


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (corrupt(lambda content: content.clear()), "is empty"),
        (corrupt(lambda content: content.__delitem__(slice(-4, None))), "ends in layer 2"),
        (corrupt(lambda content: content.extend(b"1234")), "has 4 bytes after layer 2"),
        (corrupt(put(16, np.float32(np.nan).tobytes())), "NaN or infinite .* biases of layer 0"),
        (corrupt(put(0, bytes([0, 0, 0, 0, 0, 0, 0, 2]))), "looks big-endian"),
        (lambda cfg, weights: (weights, cfg), "give the .cfg first"),
        (lambda cfg, weights: (cfg, weights.with_name("none")), "cannot be read"),
        (lambda cfg, weights: (cfg.with_name("none"), weights), "cannot be read"),
        (lambda cfg, weights: (cfg, cfg.parent), "cannot be read"),
    ],
)
def test_command_refuses_spoilt_files(spoil, message, write_network, tmp_path):
    cfg, weights = spoil(*write_network(parse_cfg(DETECTOR)))
    out = tmp_path / "out" / "a.keras"
    with pytest.raises(InputError, match=message):
        import_command(cfg, weights, out)
    assert not out.parent.exists()


def test_command_refuses_real_files_that_do_not_fit(shared_data, tmp_path):
    out = tmp_path / "a.keras"
    trial8 = shared_data / "yolo_lite" / "tiny-yolov2-trial8.weights"
    with pytest.raises(InputError, match=r"ends in layer|bytes after layer"):
        import_command(trial8.with_suffix(".cfg"), trial8, out)
    with pytest.raises(InputError, match="not a YOLOv2 network"):
        import_command(shared_data / "darknet" / "yolov3-tiny.cfg", trial8, out)
    with pytest.raises(InputError, match=r"expected OUT\.keras"):
        import_command(trial8.with_suffix(".cfg"), trial8, tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []
