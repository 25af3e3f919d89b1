"""A million texts, such as paths, in little more than their letters."""

import array

import numpy as np


class TextColumn:
    """Texts by their place, as one block of UTF-8; what all begin with is kept once."""

    def __init__(self):
        self._block, self._ends, self._common = bytearray(), array.array("q"), ""

    def append(self, text):
        """Adds a text at the end."""
        if not self._ends:
            self._common = text
        while not text.startswith(self._common):
            self._common = self._common[:-1]
        self._block += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._block))

    def packed(self):
        """Leaves away what all begin with; nothing may be appended any more."""
        cut = len(self._common.encode("utf-8", "surrogatepass"))
        if cut:
            block, start = bytearray(), 0
            for i, end in enumerate(self._ends):
                block += self._block[start + cut : end]
                self._ends[i] = len(block)
                start = end
            self._block = block
        self._block, self._ends = bytes(self._block), np.array(self._ends, np.int64)
        return self

    def __getitem__(self, index):
        start = self._ends[index - 1] if index else 0
        text = self._block[start : self._ends[index]].decode("utf-8", "surrogatepass")
        return self._common + text

    def texts(self):
        """All of them, as a list."""
        block, common, ends = self._block, self._common, self._ends.tolist()
        pairs = zip([0, *ends], ends, strict=False)
        return [common + block[a:b].decode("utf-8", "surrogatepass") for a, b in pairs]

    def first_not_utf8(self):
        """The first text that holds half of a surrogate pair, which UTF-8 has not; or None."""
        try:
            self._common.encode()
            self._block.decode()
        except UnicodeEncodeError:
            return self[0]
        except UnicodeDecodeError as error:
            return self[int(np.searchsorted(self._ends, error.start, side="right"))]
        return None

    def take(self, indices):
        """Those at some places, in that order, as a column that is packed."""
        block, ends, taken = self._block, self._ends, TextColumn()
        for i in indices.tolist():
            taken._block += block[ends[i - 1] if i else 0 : ends[i]]
            taken._ends.append(len(taken._block))
        taken._block, taken._ends = bytes(taken._block), np.array(taken._ends, np.int64)
        taken._common = self._common
        return taken
