"""Entries that cannot be used: left out, counted and named; an error if they are many."""

from yolov2_tf.data.annotations import listing
from yolov2_tf.errors import InputError

SHARE = 0.1
"""Where this share of a large set cannot be used, the set is not what it was taken for."""

FEW = 20
"""Up to so many are forgiven in a small set, if they are less than half of it."""


class Faults:
    """Collects what had to be left out of one data set.

    Args:
        name: The data set, for messages.
    """

    def __init__(self, name):
        self.name = name
        self.entries = 0
        self._found = {}

    def add(self, kind, what, where):
        """Takes note of an entry that is left out.

        Args:
            kind: What such entries are, in the plural, e.g. `"objects without a box"`.
            what: What is wrong with this one.
            where: Where it stands.
        """
        self._found.setdefault(kind, []).append((what, where))

    @property
    def count(self):
        """How many entries are left out."""
        return sum(map(len, self._found.values()))

    def notes(self):
        """One line for each kind.

        Raises:
            InputError: If too many of the `entries` are left out: at least half, or in large sets
                a tenth.
        """
        limit = max(SHARE * self.entries, min(self.entries / 2, FEW))
        if self.count and self.count >= limit:
            what, where = next(iter(self._found.values()))[0]
            several = f": {self.count:,} of {self.entries:,} entries cannot be used"
            raise InputError(
                what + (several if self.count > 1 else ""),
                where=where,
                hint="mend or remove them; a few are left out and counted"
                if self.entries > 1
                else None,
            )
        notes = []
        for kind, found in self._found.items():
            places = listing([where for _, where in found[:3]], len(found))
            notes.append(f"{kind}, left out: {len(found):,} ({places})")
        return tuple(notes)
