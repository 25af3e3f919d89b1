"""A detector that sleeps: in a module of its own, so that a new process finds it."""

import os
import time


class Sleeper:
    """Sleeps instead of detecting, the second time of each two a given while."""

    def __init__(self, seconds, home=None):
        if home == os.getpid():
            raise ValueError("opened at home")
        self.seconds, self.runs = seconds, 0

    def run(self, picture):
        self.runs += 1
        time.sleep(self.seconds if self.runs % 2 == 0 else 0)

    run_batch = run
