"""The collector of cycles is still while data are opened, and as before afterwards."""

import gc

import pytest

from yolov2_tf.collector import without_collector
from yolov2_tf.data.source import open_dataset
from yolov2_tf.errors import InputError


@pytest.fixture
def collector():
    """Leaves the collector on for the tests that follow."""
    yield
    gc.enable()


def test_is_as_before_afterwards(collector):
    with without_collector():
        assert not gc.isenabled()
        with without_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    with without_collector():
        pass
    assert not gc.isenabled()


def test_is_on_again_after_data_that_are_refused(tmp_path):
    with pytest.raises(InputError):
        open_dataset(tmp_path)
    assert gc.isenabled()
