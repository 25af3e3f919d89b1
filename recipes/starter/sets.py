"""Builds the training sets of the starter networks from the fetched repositories."""

import argparse
import io
import os
import re
import shutil
import zlib
from multiprocessing import Pool
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

HERE = Path(__file__).parent

VOC_2007 = re.compile(r"\d{6}")
"""Names of VOC 2007; those of VOC 2012 start with a year."""

SAME_SCENE = {"003764"}
"""Found by eye among pairs of 15 to 24 bits: another horse at the jump of 005456."""


def shrink(job):
    """Writes a picture, or the box in it, whose shorter side is at most `side`, as JPEG."""
    data, target, side, *box = job
    try:
        if not isinstance(data, bytes):
            data = Path(data).read_bytes()
        picture = Image.open(io.BytesIO(data))
        if box:
            picture = picture.crop(with_rim(box[0], picture.size))
        else:
            picture.draft("RGB", (side, side))
        picture = picture.convert("RGB")
    except Exception as error:
        return f"{target}: {error}"
    scale = side / min(picture.size)
    if scale < 1:
        size = tuple(max(1, round(scale * s)) for s in picture.size)
        picture = picture.resize(size, Image.BILINEAR, reducing_gap=2)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target, quality=92)
    return None


def with_rim(box, size, share=0.15):
    """The box `[x_min, y_min, x_max, y_max]` in pixels, a little larger."""
    rim = share * max(box[2] - box[0], box[3] - box[1])
    left, top, right, bottom = box[0] - rim, box[1] - rim, box[2] + rim, box[3] + rim
    return tuple(map(round, (max(0, left), max(0, top), min(size[0], right), min(size[1], bottom))))


def table(name):
    """A committed table of names and wnids."""
    return dict(line.split() for line in (HERE / name).read_text().splitlines())


def run(jobs):
    """Does all jobs of `shrink` and tells which pictures could not be read."""
    with Pool(2) as pool:
        faults = [f for f in pool.imap_unordered(shrink, jobs, chunksize=64) if f]
    print(f"{len(faults)} faults", *faults[:5], sep="\n")


def held_out(name, share=25):
    """Whether a picture of a set without a validation part is held out: one in `share`."""
    return zlib.crc32(name.encode()) % share == 0


def photos(raw, out, side=176):
    """Imagenette and Caltech-101, folders by wnid."""
    jobs = []
    for path in sorted((raw / "imagenette").glob("*/n*/*")):
        split, wnid = path.parts[-3:-1]
        # imagenette's validation part is large: most of it trains
        split = "val" if split == "val" and held_out(path.name, 8) else "train"
        jobs.append((path, out / split / wnid / path.with_suffix(".jpg").name, side))
    for name, wnid in table("caltech101.txt").items():
        for path in sorted((raw / "caltech/101_ObjectCategories" / name).glob("*.jpg")):
            file = f"{name}_{path.name}"
            split = "val" if held_out(file) else "train"
            jobs.append((path, out / split / wnid / file, side))
    run(jobs)


def small(raw, photographs, out):
    """Tiny ImageNet at 32 pixels and all photographs, folders by wnid; hard links."""
    tiny = raw / "tiny"
    pairs = []
    for path in sorted((tiny / "train").glob("n*/images/*.JPEG")):
        pairs.append((path, out / "train" / path.parts[-3] / f"t_{path.stem}.jpg"))
    lines = (tiny / "val/val_annotations.txt").read_text().splitlines()
    for number, line in enumerate(lines):
        name, wnid = line.split("\t")[:2]
        split = "train" if number % 10 else "val"
        target = out / split / wnid / f"t_{Path(name).stem}.jpg"
        pairs.append((tiny / "val/images" / name, target))
    for path in sorted(photographs.glob("*/n*/*.jpg")):
        pairs.append((path, out.joinpath(*path.parts[-3:])))
    for source, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, target)


def wnids(folders, path):
    """Lists the classes of all sets: the leaves from which `yolov2 wordtree build` makes a tree."""
    found = {place.name for folder in folders for place in folder.glob("train/n*")}
    path.write_text("\n".join(sorted(found)) + "\n")


def crops(voc, out, side=176, most=4000):
    """What VOC's training boxes hold, with a rim, as pictures of a class."""
    nodes = table("voc.txt")
    counts = dict.fromkeys(nodes, 0)
    jobs = []
    for name in (voc / "ImageSets/Main/train.txt").read_text().split():
        root = ElementTree.parse(voc / f"Annotations/{name}.xml").getroot()
        for number, item in enumerate(root.iter("object")):
            kind = item.findtext("name")
            box = [float(item.find("bndbox").findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax")]
            small = min(box[2] - box[0], box[3] - box[1]) < 32
            if small or item.findtext("difficult") == "1" or counts[kind] == most:
                continue
            counts[kind] += 1
            file = f"voc_{name}_{number}.jpg"
            split = "val" if held_out(name) else "train"
            target = out / split / nodes[kind] / file
            jobs.append((voc / f"JPEGImages/{name}.jpg", target, side, box))
    print(counts)
    run(jobs)


# === Boxes ===


def fingerprint(path):
    """128 bits of a picture that small changes leave alone: signs of its gradients at 9x9."""
    with Image.open(path) as picture:
        picture.draft("L", (64, 64))
        small = np.asarray(picture.convert("L").resize((9, 9), Image.BOX), np.int16)
    rows, columns = small[:8, 1:] > small[:8, :-1], small[1:, :8] > small[:-1, :8]
    return np.concatenate([rows.ravel(), columns.ravel()])


def near(paths, others, most=14):
    """Indices `(n, 2)` of pairs of pictures that differ in at most `most` bits, mirrored or not."""
    with Pool(2) as pool:
        ours = np.array(pool.map(fingerprint, paths, chunksize=64))
        theirs = np.array(pool.map(fingerprint, others, chunksize=64))
    rows = theirs[:, :64].reshape(-1, 8, 8)[:, :, ::-1] ^ True
    columns = theirs[:, 64:].reshape(-1, 8, 8)[:, :, ::-1]
    mirrored = np.concatenate([rows.reshape(-1, 64), columns.reshape(-1, 64)], axis=1)
    found = []
    for bits in (theirs, mirrored):
        differing = (ours[:, None] != bits[None]).sum(axis=2)
        found += [(int(i), int(j), int(differing[i, j])) for i, j in np.argwhere(differing <= most)]
    return found


def boxes(raw, annotations, sample, out):
    """VOC 2007 test and a part of VOC 2012, without what the sample scores on."""
    scored = sorted((sample / "JPEGImages").glob("*.jpg"))
    ids = {path.stem for path in scored}
    pictures = {}
    for path in sorted((raw / "voc07/JPEGImages").glob("*.jpg")):
        xml = raw / "voc07/Annotations" / f"{path.stem}.xml"
        if VOC_2007.fullmatch(path.stem) and path.stem not in ids and xml.is_file():
            pictures[path.stem] = (path, xml)
    for path in sorted((raw / "pose/images").glob("*.jpg")):
        xml = annotations / f"VOC2012/Annotations/{path.stem}.xml"
        if xml.is_file():
            pictures[path.stem] = (path, xml)
    names = list(pictures)
    pairs = near([pictures[name][0] for name in names], scored)
    for i, j, bits in pairs:
        print(f"left out: {names[i]} is near {scored[j].stem}, {bits} bits")
    twins = {names[i] for i, *_ in pairs} | SAME_SCENE
    names = [name for name in names if name not in twins]
    sets = {"train": [], "val": []}
    of_2007 = [name for name in names if VOC_2007.fullmatch(name)]
    sets["val"] = of_2007[7::15]
    sets["train"] = sorted(set(names) - set(sets["val"]))
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        path, xml = pictures[name]
        shutil.copy(path, out / "JPEGImages" / path.name)
        shutil.copy(xml, out / "Annotations" / xml.name)
    for name in sorted(set(of_2007) - set(sets["val"])):
        # Twice an epoch: the pictures of 2012 that we have are mostly of five animals.
        for folder, suffix in (("JPEGImages", "jpg"), ("Annotations", "xml")):
            os.link(out / folder / f"{name}.{suffix}", out / folder / f"{name}_again.{suffix}")
        sets["train"].append(f"{name}_again")
    for name, members in sets.items():
        (out / f"ImageSets/Main/{name}.txt").write_text("\n".join(members) + "\n")
        print(name, len(members))


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path, help="folders imagenette, caltech, tiny, voc07, pose")
    parser.add_argument("annotations", type=Path, help="VOC's XML, a folder for each year")
    parser.add_argument("scored", type=Path, help="voc2007_sample, which is never trained on")
    parser.add_argument("out", type=Path, help="folder of the sets; must not exist")
    args = parser.parse_args()
    args.out.mkdir(parents=True)
    boxes(args.raw, args.annotations, args.scored, args.out / "voc")
    photos(args.raw, args.out / "photos")
    crops(args.out / "voc", args.out / "photos")
    small(args.raw, args.out / "photos", args.out / "small")
    wnids([args.out / "small"], args.out / "wnids.txt")


if __name__ == "__main__":
    main()
