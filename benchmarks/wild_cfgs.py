"""Runs every YOLOv2 cfg of other people's repositories here and in OpenCV, and prints a table.

    git clone https://github.com/pjreddie/darknet pjreddie
    git clone https://github.com/AlexeyAB/darknet AlexeyAB
    git clone https://github.com/thtrieu/darkflow darkflow
    python benchmarks/wild_cfgs.py pjreddie AlexeyAB darkflow --tree pjreddie/data/9k.tree

Every `.cfg` with a `[region]` counts; files of the same content share a row. Weights are random
(He's, with batch normalisations as after a training, so that values stay near 1), the input is
made small, the picture is noise. Compared are the numbers that go into `[region]`, and whether
what is exported again has the weights' bytes and the cfg's options.
"""

import argparse
import collections
import re
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from yolov2_tf.darknet.cfg import read_cfg
from yolov2_tf.darknet.network import read_network
from yolov2_tf.darknet.reader import import_darknet
from yolov2_tf.darknet.weights import ConvWeights, Header, weight_file_size, write_weights
from yolov2_tf.darknet.writer import export_darknet
from yolov2_tf.errors import InputError
from yolov2_tf.trees.wordtree import WordTree

HEADER = Header(0, 2, 0, 32_013_312)


def find_cfgs(folders):
    """Paths of the cfgs with a `[region]`, by their bytes, in the order found."""
    found = collections.defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*.cfg")):
            content = path.read_bytes()
            if re.search(rb"(?m)^\s*\[region\]", content):
                found[content].append(path)
    return found


def random_weights(layer, rng):
    """`ConvWeights` of a convolution that keep its output's spread."""
    filters, channels, size, _ = layer.kernel_shape
    kernel = rng.standard_normal(layer.kernel_shape, np.float32)
    kernel *= np.float32(np.sqrt(2 / (channels * size**2)))
    biases, means = (0.2 * rng.standard_normal(filters, np.float32) for _ in range(2))
    if not layer.batch_normalize:
        return ConvWeights(biases, None, None, None, kernel)
    scales, variances = (
        rng.uniform(low, high, filters).astype(np.float32) for low, high in ((0.5, 1.5), (0.3, 2))
    )
    if layer.activation == "linear":  # then a sum follows, which must not grow with each block
        scales *= np.float32(0.2)
    return ConvWeights(biases, scales, means, variances, kernel)


def by_opencv(cfg, weights, image):
    """The input of `[region]`, `(h, w, c)`, of an image `(H, W, 3)` with values 0..255."""
    text = re.sub(rb"(?m)^\s*tree\s*=.*", b"", cfg.read_bytes())  # it refuses trees
    network = cv2.dnn.readNetFromDarknet(
        np.frombuffer(text, np.uint8), np.fromfile(weights, np.uint8)
    )
    network.enableWinograd(False)  # it alone is off by 6e-5 on trained weights
    network.setInput(np.ascontiguousarray(image.transpose(2, 0, 1))[None] / 255)
    *_, name, _, _ = network.getLayerNames()  # then come a permutation and the region
    return network.forward(name)[0].transpose(1, 2, 0)


def compare(content, size, tree, folder):
    """One network here and in OpenCV.

    Returns:
        Cells of its row: parameters, largest difference, that of the largest value, round trip,
        notes.

    Raises:
        InputError: If it is refused here.
    """
    cfg, weights = folder / "net.cfg", folder / "net.weights"
    sides = rb"(?m)^(\s*(?:width|height)\s*=).*"
    cfg.write_bytes(re.sub(sides, rb"\g<1>%d" % size, content))
    network = read_network(cfg)
    rng = np.random.default_rng(0)
    write_weights(weights, network, (random_weights(c, rng) for c in network.convolutions), HEADER)
    assert weights.stat().st_size == weight_file_size(network, HEADER)

    model = import_darknet(cfg, weights, tree=tree if network.layers[-1].tree else None)
    image = rng.uniform(0, 255, (size, size, 3)).astype(np.float32)
    found = model(image[None], training=False).numpy()[0]
    paths, _ = export_darknet(model, folder / "out")
    comes_back = paths["weights"].read_bytes() == weights.read_bytes() and same_options(
        read_cfg(paths["cfg"]), read_cfg(cfg)
    )
    try:
        expected = by_opencv(cfg, weights, image)
    except cv2.error:
        difference = ["OpenCV refuses it", ""]
    else:
        off = np.abs(found - expected).max()
        difference = [f"{off:.1e}", f"{off / np.abs(expected).max():.1e}"]
    notes = "; ".join(note.partition(": ")[2] for note in network.notes)
    return [f"{network.parameters:,}", *difference, "yes" if comes_back else "NO", notes]


def same_options(found, expected):
    """Whether sections say the same, but for the name of the tree's file and how numbers look."""
    *found, region = found
    *expected, old = expected
    for section in (region, old):
        section.options.pop("tree", None)
        section.options["anchors"] = str(section.numbers("anchors"))
    return found == expected and old.options.items() <= region.options.items()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--size", type=int, default=96, help="side of the input in pixels")
    parser.add_argument("--tree", type=Path, help="label tree of the cfgs that name one")
    arguments = parser.parse_args()
    tree = arguments.tree and WordTree.read(arguments.tree)
    cv2.setNumThreads(1)

    cfgs = find_cfgs(arguments.folders)
    print("| cfg | parameters | largest difference | of the largest value | comes back | notes |")
    print("|---|---|---|---|---|---|")
    accepted = 0
    for content, paths in cfgs.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                cells = compare(content, arguments.size, tree, Path(folder))
                accepted += len(paths)
            except InputError as error:
                cells = ["", "", "", "", f"refused: {error.what}"]
        print("|", " | ".join([", ".join(f"`{path}`" for path in paths), *cells]), "|", flush=True)
    total = sum(map(len, cfgs.values()))
    print(f"\n{accepted} of {total} accepted, {len(cfgs)} different files", file=sys.stderr)


if __name__ == "__main__":
    main()
