"""Keeps libraries out that Keras loads at its import and no command needs.

Keras 3 tries to import scikit-learn, pandas and Matplotlib, for its wrappers, for tables as input
and for galleries of pictures, and does without where they are missing: one to two seconds of a
processor at each start. In the command line they are missing to Keras while it loads; our own
plots load Matplotlib themselves, later.
"""

import importlib.abc
import sys

UNUSED = frozenset({"sklearn", "pandas", "matplotlib"})
"""Packages that are not found while Keras is being imported, unless they are loaded already."""


class _WithoutUnused(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in UNUSED and _keras_is_loading():
            raise ModuleNotFoundError(f"{name} is not loaded for Keras", name=name)
        return None  # whoever else finds it


def keep_keras_lean():
    """Makes the next import of Keras do without what is `UNUSED`, in this process."""
    if not any(isinstance(finder, _WithoutUnused) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WithoutUnused())


def _keras_is_loading():
    spec = getattr(sys.modules.get("keras"), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))  # as importlib itself asks
