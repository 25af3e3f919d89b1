"""The networks that come with the package, by name.

`recipes/starter/` trains them, `docs/starters.md` says what they can do and on what they were
trained.
"""

import dataclasses
from pathlib import Path

FOLDER = Path(__file__).with_name("networks")


@dataclasses.dataclass(frozen=True)
class Shipped:
    """A network of this package.

    Attributes:
        what: What it finds.
        size: Pixels of its input's side.
        score: Its figure on pictures that it never saw, see `docs/starters.md`.
        speed: Its time on a picture, see `docs/starters.md`.
    """

    what: str
    size: int
    score: str
    speed: str


NETWORKS = {
    "starter-tiny": Shipped(
        "VOC's 20 classes, for phones",
        size=256,
        score="44.0 mAP VOC2007 (413)",
        speed="4 ms int8, 11 ms Keras (2 threads)",
    ),
    "starter": Shipped(
        "VOC's 20 classes: people, animals, vehicles, furniture",
        size=320,
        score="48.0 mAP VOC2007 (413)",
        speed="9 ms int8, 18 ms Keras (2 threads)",
    ),
}


def path(name):
    """The `.keras` file of a shipped network.

    Args:
        name: Key of `NETWORKS`.
    """
    return FOLDER / f"{name}.keras"
