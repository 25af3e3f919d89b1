"""The networks that come with the package."""

import numpy as np
import pytest
from PIL import Image

import yolov2_tf
from yolov2_tf.data.readers.voc_xml import CLASS_NAMES
from yolov2_tf.errors import InputError
from yolov2_tf.training.recipes import DetectionRecipe
from yolov2_tf.zoo import shipped
from yolov2_tf.zoo.names import model_path

MEGABYTES = 16  # all together, so that they fit the wheel


@pytest.mark.parametrize("name", shipped.NETWORKS)
def test_each_loads_by_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = yolov2_tf.load_model(name)
    assert model.head.class_names == CLASS_NAMES
    assert model.head.input_size == shipped.NETWORKS[name].size
    assert all(np.isfinite(value).all() for value in model.get_weights())


def test_they_fit_the_wheel():
    files = list(shipped.FOLDER.iterdir())
    assert {file.stem for file in files} == set(shipped.NETWORKS)
    assert sum(file.stat().st_size for file in files) <= MEGABYTES * 1e6


def test_a_folder_of_the_name_is_a_run_and_no_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").mkdir()
    assert model_path("starter") == shipped.path("starter")


def test_a_file_of_the_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").touch()
    assert model_path("starter").resolve() == tmp_path / "starter"


def test_nearly_a_name_is_refused_with_the_name():
    with pytest.raises(InputError, match="no model is called 'startr'"):
        model_path("startr")


def test_training_goes_on_from_a_name():
    assert DetectionRecipe(model="starter").continues
    assert not DetectionRecipe(model="yolov2").continues


def test_the_command_line_finds_things_by_the_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48), "gray").save("photo.jpg")
    code, _, err = run("predict", "starter", "photo.jpg", "--out", "drawn")
    assert code == 0, err
    assert (tmp_path / "drawn").is_dir()
