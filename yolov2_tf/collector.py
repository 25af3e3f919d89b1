"""Python's collector of cycles: it has nothing to find where records are read, modules loaded."""

import contextlib
import gc


@contextlib.contextmanager
def without_collector():
    """Keeps the collector still within: it would go over all new objects again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
