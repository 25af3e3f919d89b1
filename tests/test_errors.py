"""The message of the one exception for unusable input."""

import pytest

from yolov2_tf.errors import InputError


def test_the_message_holds_all_that_is_known():
    error = InputError(
        "class id 7 is out of range",
        where="labels/a.txt:3",
        expected="0 to 2",
        hint="check 'names' in data.yaml",
    )
    assert str(error) == (
        "labels/a.txt:3: class id 7 is out of range (expected 0 to 2)."
        " Try: check 'names' in data.yaml"
    )
    assert (error.what, error.where) == ("class id 7 is out of range", "labels/a.txt:3")


def test_what_is_unknown_is_left_out():
    error = InputError("nothing to read")
    assert str(error) == "nothing to read"
    assert error.where is error.expected is error.hint is None


def test_it_can_be_caught_as_a_value_error(tmp_path):
    with pytest.raises(ValueError, match="no boxes"):
        raise InputError("no boxes", where=tmp_path)
