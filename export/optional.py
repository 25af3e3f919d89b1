"""Packages that only some forms need."""

import importlib

from yolov2_tf.errors import InputError


def import_optional(name):
    """Imports a package that may be missing.

    Raises:
        InputError: If it is, with how to get it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} is not installed: {error}", hint=f"pip install {name}") from error
