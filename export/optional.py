"""Packages that only some forms need."""

import importlib
import sys

from yolov2_tf.errors import InputError

TELEMETRY = "openvino_telemetry"
"""Tells Google Analytics what OpenVINO and NNCF converted, without having asked. What is not sent
when the process ends a fork of it sends, which may wait for ever on a lock of another thread."""


def import_optional(name):
    """Imports a package that may be missing, without `TELEMETRY` unless that is loaded already.

    Raises:
        InputError: If it is, with how to get it.
    """
    if name in ("openvino", "nncf"):
        sys.modules.setdefault(TELEMETRY, None)  # as if it were not installed: both do without
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: {error}", hint=f"pip install {name}") from error
