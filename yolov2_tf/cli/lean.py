"""Loads TensorFlow and Keras at less cost than they have by themselves.

Both try to import what they can do without (`UNUSED`): wrappers, tables as input, galleries of
pictures take one to two seconds of a processor at each start. In the command line such packages
are missing while the two load; what needs them here, such as plots, loads them itself, later.

Both make hundreds of thousands of objects that stay for good. Python's collector of cycles goes
over them again and again while they load, half a second, and once more when the process ends, a
second. Here it rests while they load, and never looks at them afterwards.
"""

import gc
import importlib.abc
import importlib.machinery
import sys

from yolov2_tf.collector import without_collector

UNUSED = frozenset({"sklearn", "pandas", "matplotlib", "scipy", "IPython", "cv2"})
"""Packages that are not found while these are imported, unless they are loaded already."""

LARGE = frozenset({"tensorflow", "keras"})
"""Packages whose objects the collector leaves alone."""


class _Lean(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in UNUSED and any(map(_is_loading, LARGE)):
            raise ModuleNotFoundError(f"{name} is not loaded for Keras or TensorFlow", name=name)
        if name in LARGE:
            return _without_collector(importlib.machinery.PathFinder.find_spec(name, path, target))
        return None  # whoever else finds it


def load_lean():
    """Makes the next imports of TensorFlow and Keras cost less, in this process."""
    if not any(isinstance(finder, _Lean) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Lean())


def _without_collector(spec):
    """The spec of a module, or None, that loads it while the collector rests."""
    if spec is None or spec.loader is None:
        return spec
    load = spec.loader.exec_module

    def load_for_good(module):
        with without_collector():
            load(module)
        gc.freeze()

    spec.loader.exec_module = load_for_good
    return spec


def _is_loading(package):
    spec = getattr(sys.modules.get(package), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))  # as importlib itself asks
