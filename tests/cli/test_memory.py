"""Memory or a disk that is used up is one message, whatever says so."""

import pytest
import tensorflow as tf

from yolov2_tf.cli import used_up


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "not enough memory"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"), "not enough memory"),
        (tf.errors.ResourceExhaustedError(None, None, "a; No space left on device"), "No space"),
    ],
)
def test_it_is_one_message(run, monkeypatch, tmp_path, error, message):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr("yolov2_tf.cli.parsing.open_checked", fails)
    code, _, err = run("anchors", "digits")
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_other_faults_are_none_of_this():
    assert used_up(ValueError("No space left")) == (None, None)
