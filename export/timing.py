"""Times detectors, each in a process of its own: threads of one runtime do not slow another down.

ONNX Runtime, OpenVINO, TensorFlow and OpenCV keep threads that spin for a while after each run. In
one process with them an int8 `.tflite` of 40 ms takes 64.
"""

import contextlib
import multiprocessing
import signal
import time

from yolov2_tf.errors import InputError


class InProcess:
    """Times a detector here.

    Args:
        open: Function of no arguments that gives a `Detector`.

    Attributes:
        load_ms: Milliseconds that opening it took.
    """

    def __init__(self, open):
        start = time.perf_counter()
        self._detector = open()
        self.load_ms = _milliseconds_since(start)

    def milliseconds(self, picture):
        """Milliseconds that a picture of the input's size takes; an untimed run goes before.

        That one fills the caches, and lets the threads of whatever ran before come to rest. Of
        several pictures at once, `(B, S, S, 3)`, it is the share of each.
        """
        several = picture.ndim == 4
        run = self._detector.run_batch if several else self._detector.run
        run(picture)
        start = time.perf_counter()
        run(picture)
        return _milliseconds_since(start) / (len(picture) if several else 1)

    def close(self):
        """Lets go of the detector."""
        self._detector = None


class OwnProcess:
    """Likewise in a new process; `open` has to be one that `pickle` takes.

    Raises:
        InputError: If that process is killed, as by a system that is out of memory, or crashes;
            from `milliseconds`, too.
    """

    def __init__(self, open):
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(open, there), daemon=True)
        self._process.start()
        there.close()
        self.load_ms = self._answer()

    def milliseconds(self, picture):
        """As `InProcess.milliseconds`; what goes between the processes does not count."""
        with contextlib.suppress(ConnectionError):  # why there is nobody is told then
            self._here.send(picture)
        return self._answer()

    def close(self):
        """Ends the process."""
        with contextlib.suppress(ConnectionError):
            self._here.send(None)
        self._process.join()

    def _answer(self):
        try:
            answer = self._here.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            code = self._process.exitcode
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise InputError(
                f"a process that times a form {how}",
                hint="more memory, or fewer forms; YOLOV2_VERBOSE=1 shows what a runtime says",
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(open, connection):
    # Ctrl-C comes to all processes of a terminal; the one that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ConnectionError):  # that one has ended, and nobody waits
        try:
            timer = InProcess(open)
            connection.send(timer.load_ms)
            while (picture := connection.recv()) is not None:
                connection.send(timer.milliseconds(picture))
        except Exception as error:
            connection.send(error)


def _milliseconds_since(start):
    return 1e3 * (time.perf_counter() - start)
