"""Runs `yolov2 …` in this process, as a shell would."""

import sys

import pytest

from yolov2_tf import cli


def call(*arguments):
    """Runs the command and returns its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["yolov2", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code or 0
    return 0
