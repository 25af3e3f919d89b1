"""Where the pictures of a million records are, in a few bytes each: paths, or places in files."""

import array
import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np

from yolov2_tf.data.text_column import TextColumn

_BITS = 44  # of a place: files of 17 terabytes
_MASK = (1 << _BITS) - 1


class PictureStore(Protocol):
    """A file of many pictures, or several, from which each can be read by itself."""

    def picture(self, place: int) -> bytes:
        """The encoded picture at a place, a number from 0 to 2⁴⁴ - 1."""

    def file(self, place: int) -> tuple[str, int]:
        """Absolute path of the file that it is in, and a number that no other has there."""


@dataclasses.dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture in a store, as `Record.image`: a function that reads its bytes when it is called.

    Attributes:
        store: `PictureStore`.
        place: Where it is there.
    """

    store: PictureStore
    place: int

    def __call__(self):
        """The encoded picture."""
        return self.store.picture(self.place)

    @property
    def file(self):
        """As `PictureStore.file`."""
        return self.store.file(self.place)


class PictureColumn:
    """What `Record.image` is, by the place of the record.

    Paths are kept as text and pictures in a store as a number; bytes and other functions, of which
    few data sets have many, as the objects that they are.
    """

    def __init__(self):
        self._paths, self._places = TextColumn(), array.array("q")
        self._stores, self._others = {}, {}

    def append(self, image):
        """Adds a picture at the end: a path, bytes, a function that returns these, or None."""
        is_path, place = isinstance(image, str), -1
        if isinstance(image, StoredPicture):
            store = self._stores.setdefault(image.store, len(self._stores))
            place = store << _BITS | image.place
        elif not is_path and image is not None:
            self._others[len(self._places)] = image
        self._paths.append(image if is_path else "")
        self._places.append(place)

    def packed(self):
        """Ends it; nothing may be appended any more."""
        self._paths.packed()
        self._places, self._stores = np.array(self._places, np.int64), list(self._stores)
        if not self._stores:
            self._places = None
        return self

    def __getitem__(self, index):
        if self._places is not None and (place := int(self._places[index])) >= 0:
            return StoredPicture(self._stores[place >> _BITS], place & _MASK)
        return self._paths[index] or self._others.get(index)

    def all(self):
        """All of them, as a list."""
        images = self._paths.texts()
        for i, image in enumerate(images):
            if not image:
                images[i] = self[i]
        return images

    def first_not_utf8(self):
        """The first path that UTF-8 cannot write, or None."""
        return self._paths.first_not_utf8()

    def take(self, indices):
        """Those at some places, in that order, as a column that is packed."""
        taken = PictureColumn()
        taken._paths, taken._stores = self._paths.take(indices), self._stores
        taken._places = None if self._places is None else self._places[indices]
        if self._others:
            places = enumerate(indices.tolist())
            taken._others = {i: self._others[k] for i, k in places if k in self._others}
        return taken

    def changed(self, images: dict[int, Callable[[], bytes]]):
        """The same column, packed, with other pictures at some places."""
        column = PictureColumn()
        for i, image in enumerate(self.all()):
            column.append(images.get(i, image))
        return column.packed()
