"""How a training is asked to stop: by the signals of a terminal and of machines taken back."""

import contextlib
import signal


class StopSignal:
    """Which signal asked to stop, from `caught()` on.

    The first one is only noted: the training ends behind the step that it is at. A second one acts
    as it always would.

    Attributes:
        number: Number of the signal, or None.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self):
        self.number = None
        self._before = {}

    @contextlib.contextmanager
    def caught(self):
        """Context in which the signals are noted; outside of the main thread they cannot be."""
        try:
            for number in self.SIGNALS:
                # What is ignored stays so: `nohup` and shells' background jobs ask for it.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        except ValueError:
            self._before.clear()
        try:
            yield self
        finally:
            self._give_back()

    def _note(self, number, _):
        self.number = number
        self._give_back()

    def _give_back(self):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
