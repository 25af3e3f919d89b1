"""What a terminal cannot write is shown some other way, and ends nothing."""

import io
import sys

from yolov2_tf.cli import print_any_text


def test_letters_that_the_terminal_has_not(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    print_any_text()
    print("straße \udcdf \ud800", flush=True)
    assert written.getvalue().strip() == rb"stra\xdfe \udcdf \ud800"


def test_what_is_no_stream_of_text_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    print_any_text()
