"""Keeps the chatter of other libraries out of what the command line prints.

TensorFlow's C++ code writes to file descriptor 2 whatever Python's streams are: which CPU it likes,
that there is no GPU, that oneDNN is on. Its own level of messages does not cover all of it. So
descriptor 2 becomes a pipe, and what is read from it goes on unless it is such a line; what Python
prints goes past it, to the same terminal.
"""

import atexit
import logging
import os
import re
import sys
import threading
import warnings

VERBOSE = "YOLOV2_VERBOSE"
"""Environment variable: 1 shows everything that other libraries say."""

_CHATTER = re.compile(
    rb"""
    [IWE]\d{4}\ [\d:.]+\s            # absl: I0000 00:00:1795656555.47 7916 port.cc:153]
    | \d{4}-\d\d-\d\d\ [\d:.]+:\ [IWE]\        # TensorFlow: 2026-11-26 01:02:03.4: I tensorflow/...
    | \[\d{4}-\d\d-\d\d\ [\d:,.]+\ [IWE]\ \d+\ \d+\]\     # Ray: [2026-11-26 01:02:03,4 W 12 12] ...
    | WARNING:\ All\ log\ messages\ before\ absl
    | (INFO|WARNING):\ (Created\ TensorFlow\ Lite|Attempting\ to\ use\ a\ delegate)
    | (INFO|WARNING):(tensorflow|absl):
    | To\ enable\ the\ following\ instructions
    | (INFO|WARNING|DEBUG):\ \[?\w*(XNNPACK|LiteRT|litert)
    """,
    re.VERBOSE,
)
_left_out = [_CHATTER]

_LOGGERS = ("tensorflow", "absl", "jax", "tf2onnx", "h5py", "matplotlib", "faster_coco_eval")


def be_quiet():
    """Leaves out what other libraries say, for the rest of the process; warnings are one line.

    Does nothing where `YOLOV2_VERBOSE` is set to other than 0, and leaves the descriptor alone
    where something else than a notebook's kernel has taken Python's standard error.
    """
    if os.environ.get(VERBOSE, "0") not in ("", "0"):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for module in ("keras", "tensorflow", "google", "h5py", "tf2onnx"):
        warnings.filterwarnings("ignore", module=rf"{module}\b")
    warnings.showwarning = _show_warning
    if type(sys.stderr).__module__.startswith("ipykernel."):  # sends to the browser by itself
        _filter_descriptor()
        return
    try:
        ours = sys.stderr is sys.__stderr__ and sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):  # no standard error at all
        ours = False
    if ours:
        # Python's own text goes to the terminal directly: bars need to know that it is one.
        sys.stderr = open(  # noqa: SIM115
            _filter_descriptor(), "w", buffering=1, encoding=sys.stderr.encoding,
            errors="backslashreplace",
        )  # fmt: skip


def leave_out(pattern):
    """Leaves out more lines from now on, of a library that only this command uses.

    Args:
        pattern: Regular expression in bytes, of how such lines begin.
    """
    _left_out.append(re.compile(pattern))


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """A warning without the place in the code, which helps nobody who types commands."""
    print(f"warning: {message}", file=sys.stderr if file is None else file)


def _filter_descriptor():
    """Makes descriptor 2 a pipe that is read; returns the descriptor that it was."""
    terminal = os.dup(2)
    reading, writing = os.pipe()
    sys.stderr.flush()
    os.dup2(writing, 2)
    os.close(writing)
    thread = threading.Thread(target=_pass_on, args=(reading, terminal), daemon=True)
    thread.start()
    atexit.register(_end, terminal, thread)
    return terminal


def _pass_on(reading, terminal):
    """Copies lines from one descriptor to the other, without the chatter."""
    rest = b""
    while chunk := os.read(reading, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        kept = b"".join(line + b"\n" for line in lines if not _is_chatter(line))
        if kept:
            os.write(terminal, kept)
    if rest and not _is_chatter(rest):
        os.write(terminal, rest)


def _is_chatter(line):
    return any(pattern.match(line) for pattern in _left_out)


def _end(terminal, thread):
    """Gives descriptor 2 back; the thread passes on what is left, and ends."""
    sys.stderr.flush()
    os.dup2(terminal, 2)
    thread.join(timeout=1)  # a child that lives on may hold the pipe
