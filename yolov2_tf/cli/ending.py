"""A command that is asked to end by SIGTERM ends as by Ctrl-C, and leaves nothing half written."""

import contextlib
import signal
import sys
import threading


@contextlib.contextmanager
def ended_like_by_hand():
    """Context in which SIGTERM is Ctrl-C, but for the exit code, which is 143; a second one kills.

    Does nothing outside of the main thread, or where somebody else looks after the signal.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    asked = False

    def interrupt(number, frame):
        nonlocal asked
        asked = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except SystemExit as stop:
        if asked and stop.code:
            sys.exit(128 + signal.SIGTERM)  # what shells and schedulers expect
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
