"""Keeps a thread's stack for signals what it was, whatever a library sets meanwhile."""

import contextlib
import ctypes
import sys

_DISABLED = 2
"""`SS_DISABLE` of sigaltstack(2): handlers run on the thread's own stack."""


class _Stack(ctypes.Structure):
    """`stack_t` of sigaltstack(2) on Linux."""

    _fields_ = (("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextlib.contextmanager
def kept_signal_stack():
    """Context behind which signals of this thread have the stack that they had before.

    OpenVINO's CPU plugin sets another one for the thread that loads it (2022.1 to 2026.4, for the
    registers of AMX), and unmaps it with the plugin. It puts back the one before, but not where
    two plugins end in the order in which they were loaded, or where one ends in another thread:
    the next signal, such as that of Ctrl-C, would then be a segmentation fault.
    """
    if sys.platform != "linux":
        yield
        return
    before = _Stack()
    _set(None, before)
    try:
        yield
    finally:
        # One that is too small for the processor's registers is refused from then on.
        if not _set(before, None):
            _set(_Stack(None, _DISABLED, 0), None)


def _set(new, old):
    """Whether sigaltstack(2) took it; None is a null pointer."""
    new, old = (None if stack is None else ctypes.byref(stack) for stack in (new, old))
    return ctypes.CDLL(None).sigaltstack(new, old) == 0
