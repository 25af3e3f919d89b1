import pytest

from yolov2_tf.errors import InputError
from yolov2_tf.models.input_sides import check_side


def test_sides_are_multiples_of_32_that_memory_may_hold():
    for side in (32, 416, 8192):
        check_side(side)
    for side in (0, -32, 31, 100, 8224, 100_000, "320", 64.0):
        with pytest.raises(InputError, match=f"input size {side} .*multiple of 32, at most 8,192"):
            check_side(side)
