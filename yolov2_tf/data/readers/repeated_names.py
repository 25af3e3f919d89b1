"""Tells pictures of one name apart, where a file of many pictures states their names."""

import collections


class RepeatedNames:
    """Numbers names that occur more than once: `a.jpg`, `a.jpg#2`, `a.jpg#3`."""

    def __init__(self):
        self._times = collections.Counter()

    def numbered(self, name):
        """The name, with its number from the second time on."""
        self._times[name] += 1
        times = self._times[name]
        return name if times == 1 else f"{name}#{times}"
