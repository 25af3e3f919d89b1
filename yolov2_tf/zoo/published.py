"""The networks that the authors of YOLO published, by name.

Their weights come from the authors' address when they are first asked for, and are kept as `.keras`
files. The files of Darknet's repository (cfg, names, tree) are known by their checksums. For the
weights no checksum is published: what the cfg needs is their size to the byte, but for the header,
of which there are two, and the import checks every number.
"""

import dataclasses
from pathlib import Path

from yolov2_tf.errors import InputError
from yolov2_tf.files import cache_folder, replacing

SITE = "https://pjreddie.com/media/files"
REPOSITORY = "https://raw.githubusercontent.com/pjreddie/darknet/master"

LONGER_HEADER = 4
"""Bytes by which the header is longer from version 0.2 on, as in `yolov2-tiny.weights`."""

CHECKSUMS = {
    "cfg/darknet19.cfg": "7ac495cfb9f37c780ae5ea451dda4754ec147ae9820fa14b2fdd52f8e6426971",
    "cfg/darknet19_448.cfg": "95cbcec678b08f087493bd4dd0257109020a732d554479cf4cb439b5932a7e56",
    "cfg/yolo9000.cfg": "cfcdfc59907887f22bafb738b4c05bffdd0ff5861918eb280a2d0dce88666096",
    "cfg/yolov2-tiny-voc.cfg": "1e012b455b845579096378b0ab4a82f1d9cb53b3b1282724a6de5d45537cb7e6",
    "cfg/yolov2-tiny.cfg": "58e8f4390c8080a90a40f3b7ec5868ee9ae32519f3c08f57d104e494de04b34d",
    "cfg/yolov2-voc.cfg": "ecf8b24ca01bdedc5c569300a6e99120ca5e251108eaa973b9cb19e28ed93352",
    "cfg/yolov2.cfg": "9bb5bd2620624613483c8447bc713fe99e0a4af5f8e8d923b81520a162993574",
    "data/9k.names": "ec9d79f248c0faff73e84b1980eb0b0ef56ad46005ba0b61bf8ab1d7f844f038",
    "data/9k.tree": "124b05033e928707069995e1b61823c80f10fc14d82f84c9cd5575443b61be54",
    "data/coco.names": "634a1132eb33f8091d60f2c346ababe8b905ae08387037aed883953b7329af84",
    "data/imagenet.shortnames.list": (
        "6ba751a14e6470ccaf740476ab79df657925d29d9f29311629eed20f7efb0ed5"
    ),
    "data/voc.names": "f14861775969fd006b382e005f96dc811ef062ea4a37356efb70d7775e90f743",
}
"""SHA-256 of the files of Darknet's repository that the networks need."""


@dataclasses.dataclass(frozen=True)
class Published:
    """A network of the authors.

    Attributes:
        what: What it finds.
        size: Bytes of its weights behind the header of 16 bytes; some files have the later one.
        names: File of its class names in Darknet's repository.
        tree: File of its label tree there, or None.
        score: The authors' figure.
        classes: How many of the names are its classes, from the first on; None for all. Darknet's
            list for ImageNet goes on with the synsets that are no class of the thousand.
    """

    what: str
    size: int
    names: str
    tree: str | None = None
    score: str = ""
    classes: int | None = None

    def class_names(self, path):
        """The names of its classes, in the file of that name at `path`."""
        from yolov2_tf.trees.wordtree import read_lines

        return [line.strip() for line in read_lines(path)][: self.classes]


NETWORKS = {
    "yolov2-voc": Published("VOC's 20 classes", 202_704_260, "voc.names", score="76.8 mAP VOC2007"),
    "yolov2": Published("COCO's 80 classes", 203_934_260, "coco.names", score="48.1 AP50 COCO"),
    "yolov2-tiny-voc": Published(
        "VOC's 20 classes", 63_471_556, "voc.names", score="57.1 mAP VOC2007"
    ),
    "yolov2-tiny": Published("COCO's 80 classes", 44_948_596, "coco.names", score="23.7 AP50 COCO"),
    "darknet19": Published(
        "names 1,000 classes",
        83_427_120,
        "imagenet.shortnames.list",
        score="72.9 top-1",
        classes=1000,
    ),
    "darknet19_448": Published(
        "names 1,000 classes",
        83_427_120,
        "imagenet.shortnames.list",
        score="76.4 top-1",
        classes=1000,
    ),
    "yolo9000": Published(
        "9,418 classes of a tree", 195_230_020, "9k.names", "9k.tree", score="19.7 mAP ImageNet"
    ),
}


def fetch(name, progress=None):
    """The `.keras` file of a published network: downloaded and imported when first asked for.

    Args:
        name: Key of `NETWORKS`.
        progress: See `yolov2_tf.zoo.download.download`; called with the name of the file first.

    Returns:
        `pathlib.Path`.

    Raises:
        InputError: If it cannot be downloaded, or is not the file it should be.
    """
    from yolov2_tf.zoo.download import download  # whoever only runs files needs no requests

    network, folder = NETWORKS[name], cache_folder()
    if folder is None:
        raise InputError(
            f"{name} would be downloaded, but $YOLOV2_CACHE is empty",
            expected="a folder to keep it",
        )
    out = folder / f"{name}.keras"
    if out.is_file():
        return out

    def brought(url, file, **checks):
        notify = None if progress is None else lambda *bytes: progress(file, *bytes)
        return download(url, folder / file, progress=notify, **checks)

    def from_repository(file):
        return brought(f"{REPOSITORY}/{file}", Path(file).name, sha256=CHECKSUMS[file])

    cfg = from_repository(f"cfg/{name}.cfg")
    names = from_repository(f"data/{network.names}")
    tree = None if network.tree is None else from_repository(f"data/{network.tree}")
    sizes = network.size, network.size + LONGER_HEADER
    weights = brought(f"{SITE}/{name}.weights", f"{name}.weights", sizes=sizes)
    _import(cfg, weights, network.class_names(names), tree, out)
    weights.unlink()  # the .keras file holds them now
    return out


def _import(cfg, weights, class_names, tree, out):
    from yolov2_tf.darknet.reader import import_darknet
    from yolov2_tf.trees.wordtree import WordTree

    try:
        model = import_darknet(
            cfg,
            weights,
            class_names=class_names,
            tree=None if tree is None else WordTree.read(tree),
        )
    except InputError:
        weights.unlink()  # a damaged file must not be found again
        raise
    with replacing(out) as temporary:
        model.save(temporary)
