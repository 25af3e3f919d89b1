"""Whether a GPU trains is told before anybody waits."""

import pytest
import tensorflow as tf

from yolov2_tf.training import gpus
from yolov2_tf.training.gpus import told_of_gpus


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Function that makes this a machine with GPUs of these names, and with or without a driver."""

    def make(names=(), *, driver=False, visible=None):
        found = [tf.config.PhysicalDevice(f"GPU:{i}", "GPU") for i in range(len(names))]
        details = dict(zip(found, names, strict=True))
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: found)
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: {"device_name": details[gpu]} if details[gpu] else {},
        )
        monkeypatch.setattr(gpus, "DRIVERS", (tmp_path / "none", tmp_path / "nvidia0"))
        if driver:
            (tmp_path / "nvidia0").touch()
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    return make


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["NVIDIA H200"], "on NVIDIA H200"),
        (["A", "B", "A"], "on 2 × A, B"),
        ([None], "on a GPU"),
    ],
)
def test_gpus_that_train_are_named(machine, names, line):
    machine(names, driver=True)
    assert told_of_gpus() == line


def test_a_gpu_that_tensorflow_cannot_use_is_no_secret(machine):
    machine(driver=True, visible="0")
    assert f"pip install 'tensorflow[and-cuda]=={tf.__version__}'" in told_of_gpus()


@pytest.mark.parametrize(
    "options", [{}, {"driver": True, "visible": ""}, {"driver": True, "visible": "-1"}]
)
def test_there_is_nothing_to_say_without_one_or_where_it_is_hidden(machine, options):
    machine(**options)
    assert told_of_gpus() is None
