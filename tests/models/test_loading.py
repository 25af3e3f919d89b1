"""`.keras` files of anybody's hand: loaded, or refused without code, gigabytes or other errors."""

import json
import random
import zipfile

import keras
import numpy as np
import pytest
from mutated_inputs import check_thousands, mutated, mutated_json, open_all

import yolov2_tf
from yolov2_tf.errors import InputError
from yolov2_tf.models.heads import ClassificationHead
from yolov2_tf.models.loading import load_model, read_head
from yolov2_tf.models.yolov2 import TinyYOLOv2


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The members of a small model's archive."""
    path = tmp_path_factory.mktemp("model") / "a.keras"
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_model_comes_back(packed, tmp_path):
    model = load_model(write(tmp_path / "a.keras", packed))
    assert model.predict(np.zeros((1, 8, 8, 3)), verbose=0).shape == (1, 6, 6, 4)
    assert load_model(write(tmp_path / "b.keras", packed, zipfile.ZIP_DEFLATED)) is not None


def test_a_head_can_be_had_without_the_network(packed, tmp_path):
    path, anchors = tmp_path / "a.keras", ((0.5, 0.7), (1.1, 0.9))
    TinyYOLOv2(["a", "b"], anchors=anchors, width=0.01, input_size=64).save(path)
    head = read_head(path)
    assert not head.built
    assert head.get_config() == load_model(path).head.get_config()
    with pytest.raises(InputError, match="not a detector"):
        read_head(write(tmp_path / "b.keras", packed))
    with pytest.raises(InputError, match="no such file"):
        read_head(tmp_path / "c.keras")
    with pytest.raises(InputError, match=r"cannot be loaded.*expected a \.keras file"):
        read_head(write(tmp_path / "d.keras", {"config.json": b"[]"}))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.tflite", "made from, if it was exported"),
        ("a.onnx", "made from, if it was exported"),
        ("saved_model", "made from, if it was exported"),
        ("a.weights", "yolov2 import-darknet"),
    ],
)
def test_other_forms_of_a_model_are_told_by_their_names(packed, tmp_path, name, hint):
    if name == "saved_model":
        (tmp_path / name).mkdir()
    else:
        write(tmp_path / name, packed)  # the end of a .tflite is an archive, too
    for load in (load_model, read_head):
        with pytest.raises(InputError, match=f"is not a Keras model .*{hint}"):
            load(tmp_path / name)


def test_the_folder_of_a_training_tells_its_model(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.keras").touch()
    for opens in (load_model, yolov2_tf.open_model):
        with pytest.raises(InputError, match="model") as error:
            opens(run)
        assert error.value.hint == str(run / "model.keras")


def test_sizes_that_are_not_in_the_file_take_no_memory(packed, tmp_path):
    config = packed["config.json"].replace(b'"filters": 4', b'"filters": 2147483648')
    assert config != packed["config.json"]
    path = write(tmp_path / "a.keras", {**packed, "config.json": config})
    with pytest.raises(InputError, match=r"57,982,058,496 weights are asked for, but [\d,]+ bytes"):
        load_model(path)


@pytest.mark.parametrize("size", [2**31, 2**63, 8193, 0, -32, "416", None, float("nan"), [416]])
@pytest.mark.parametrize("kind", ["detector", "classifier"])
def test_sides_that_pictures_would_eat_memory_for_are_refused(tmp_path, kind, size):
    """The size is not that of a tensor: no weight tells that it is made up."""
    if kind == "detector":
        model = TinyYOLOv2(["a"], width=0.05, input_size=64)
    else:
        inputs = keras.Input((64, 64, 3))
        averages = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
        model = keras.Model(inputs, ClassificationHead(["a", "b", "c"], 64)(averages))
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = members["config.json"].replace(
        b'"input_size": 64', b'"input_size": ' + json.dumps(size).encode()
    )
    assert config != members["config.json"]
    write(tmp_path / "a.keras", {**members, "config.json": config})
    with pytest.raises(InputError, match=r"a\.keras: input_size is .*1 to 8,192 pixels"):
        load_model(tmp_path / "a.keras")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_members_that_unpack_to_far_more_are_refused(packed, tmp_path, name):
    bomb = {**packed, name: bytes(100 << 20)}
    path = write(tmp_path / "a.keras", bomb, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1e6
    with pytest.raises(InputError, match=f"{name} in it claims 104,857,600 bytes"):
        load_model(path)


def test_code_in_a_file_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "a.keras")
    with pytest.raises(InputError, match=r"cannot be loaded.*(safe|unsafe|lambda|Lambda)"):
        load_model(tmp_path / "a.keras")


def mutate(path, packed, times):
    """Loads files with a changed config, changed weights, or changed anywhere."""
    source = random.Random("keras")

    def prepare(number):
        members = dict(packed)
        match number % 4:
            case 0:
                members["config.json"] = mutated_json(packed["config.json"], source)
            case 1:
                name = source.choice(list(packed))
                members[name] = mutated(packed[name], source)
            case 2:
                del members[source.choice(list(packed))]
                members["metadata.json"] = mutated_json(packed["metadata.json"], source)
        if number % 4 < 3:
            write(path, members)
        else:
            path.write_bytes(mutated(write(path, packed).read_bytes(), source))

    def opening():
        keras.backend.clear_session(free_memory=False)
        load_model(path)

    return open_all(prepare, opening, times)


def test_a_few_mutated_files(packed, tmp_path):
    assert 0 < mutate(tmp_path / "a.keras", packed, 40).opened < 40


@pytest.mark.slow
def test_ten_thousand_mutated_files(packed, tmp_path):
    check_thousands("keras", mutate(tmp_path / "a.keras", packed, 10_000))


@keras.saving.register_keras_serializable("test_loading")
class Unsaved(keras.layers.Layer):
    """Has a table that is the same in every network, and so is in no file."""

    def build(self, shape):
        self.table = self.add_weight(shape=(2,), initializer=keras.initializers.Constant(3.0))
        self.drawn = self.add_weight(shape=(2,), initializer=keras.initializers.GlorotUniform())

    def call(self, inputs):
        return inputs * self.table

    def save_own_variables(self, store):
        store["drawn"] = self.drawn

    def load_own_variables(self, store):
        self.drawn.assign(store["drawn"])


def test_weights_are_not_drawn_by_chance_before_they_are_read(tmp_path, monkeypatch):
    model = keras.Sequential([keras.Input((2,)), Unsaved()])
    drawn = model.layers[-1].drawn.numpy()
    model.save(tmp_path / "model.keras")

    def refuse(*args, **kwargs):
        raise AssertionError("drawn by chance")

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", refuse)
    layer = load_model(tmp_path / "model.keras").layers[-1]
    np.testing.assert_array_equal(layer.drawn, drawn)
    np.testing.assert_array_equal(layer.table, [3, 3])
