"""Reads PASCAL VOC: one XML file per image, 1-based pixels, lists of image sets.

A data set is a folder with `Annotations/` (and `JPEGImages/`, `ImageSets/Main/*.txt`), a devkit
that holds several such folders, or a folder of nothing but XML files.

Corners become fractions as in Darknet's scripts/voc_label.py: `x_min - 1` to `x_max - 1`, over the
width. The paper's anchors were clustered on these, and tools such as LabelImg, which write this
format with corners between pixels, mean `x_max - x_min` as the width.
"""

import functools
import os
import reprlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from yolov2_tf.data.annotations import Annotation, build_dataset, choose_splits, finite, listing
from yolov2_tf.data.images import PICTURE_SUFFIXES, inspect_image
from yolov2_tf.errors import InputError

CLASS_NAMES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
"""The 20 classes of VOC 2007 to 2012, in the order of every published network."""


def read_voc(folder, *, split=None, images=None, class_names=None):
    """Reads a VOC folder, a devkit of several, or a folder of XML files.

    The size of a picture comes from its XML, so pictures may be absent. In a devkit the image ids
    are `"VOC2007/000005"`, so that they are unique.

    Args:
        folder: The folder.
        split: Image set to read, e.g. `"trainval"`. Default: the only one, else all.
        images: Folder of the pictures, if they are not in `JPEGImages/`, in `images/` or beside
            the XML files.
        class_names: Names that the labels shall index. Default: VOC's 20 if every name is one of
            these, else the names found, sorted.

    Returns:
        A `Dataset`; `difficult` objects are marked `ignore`.

    Raises:
        InputError: If something is missing, malformed or unknown. XML with a DTD is refused.
    """
    folder = Path(folder)
    parts = find_voc_folders(folder)
    if not parts:
        raise InputError("no VOC annotations", where=folder, expected="Annotations/*.xml")
    available = sorted({name for part in parts for name in _image_sets(part)})
    chosen, notes = choose_splits(folder, available, split)

    annotations = []
    for part in parts:
        xml_folder = _xml_folder(part)
        find_picture = _picture_finder(part, images)
        prefix = f"{part.name}/" if len(parts) > 1 else ""
        files, twice = _image_ids(part, xml_folder, chosen)
        if twice:
            notes += (f"images listed twice, read once: {len(twice):,} ({listing(twice)})",)
        annotations += [
            _read_file(os.path.join(xml_folder, file), prefix + stem, find_picture)
            for stem, file in files.items()
        ]

    if class_names is None:
        found = {name for annotation in annotations for name in annotation.names}
        class_names = CLASS_NAMES if found <= set(CLASS_NAMES) else sorted(found)
    name = " ".join([folder.resolve().name, *([chosen[0]] if len(chosen) == 1 else [])])
    return build_dataset(name, annotations, class_names, notes)


def find_voc_folders(folder):
    """Lists the folders that hold annotations, sorted; empty if this is no VOC data set."""
    if _xml_folder(folder):
        return [folder]
    parts = [part for part in sorted(folder.iterdir()) if part.is_dir() and _xml_folder(part)]
    if not parts and (folder / "VOCdevkit").is_dir():
        return find_voc_folders(folder / "VOCdevkit")
    return parts


def _xml_folder(folder):
    candidates = (folder / "Annotations", folder / "annotations", folder)
    return next((c for c in candidates if c.is_dir() and _has_xml(c)), None)


def _has_xml(folder):
    with os.scandir(folder) as entries:
        return any(_is_xml(entry.name) for entry in entries)


def _is_xml(name):
    return name.lower().endswith(".xml") and not name.startswith(".")


def _image_sets(folder):
    """Returns the lists of image ids: a dict from name to path.

    VOC also has lists per class, `dog_train.txt`, with a second column; they are no image sets.
    """
    sets = {}
    for path in sorted((folder / "ImageSets" / "Main").glob("*.txt")):
        with open(path, encoding="utf-8", errors="replace") as lines:
            columns = lines.readline().split()
        if len(columns) != 2 or columns[1] not in ("-1", "0", "1"):
            sets[path.stem] = path
    return sets


def _image_ids(folder, xml_folder, chosen):
    """Returns the chosen images, id to XML file name, and where a list names one twice."""
    present = {name[:-4]: name for name in sorted(os.listdir(xml_folder)) if _is_xml(name)}
    if not chosen:
        return present, []
    files, twice = {}, []
    for path in (path for name, path in _image_sets(folder).items() if name in chosen):
        listed = set()
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if not (stem := line.strip()):
                continue
            if stem not in present:
                raise InputError(
                    f"no annotation file for image {reprlib.repr(stem)}",
                    where=f"{path}:{number}",
                    expected=xml_folder / f"{stem}.xml",
                )
            if stem in listed:
                twice.append(f"{path}:{number}")
            listed.add(stem)
            files[stem] = present[stem]
    return files, twice


def _picture_finder(folder, images):
    """Returns a function from an image id and the XML's `<filename>` to a path or None.

    The id decides, as VOC defines it; `<filename>` is often stale. It only helps where no picture
    bears the id, or several do.
    """
    if images:
        places = [images]
    else:
        places = [
            base / name for base in (folder, folder.parent) for name in ("JPEGImages", "images", "")
        ]
    place, by_stem = next(
        ((place, found) for place in places if (found := _pictures(place))), (None, {})
    )

    def find(stem, filename):
        filename = filename.replace("\\", "/").rsplit("/", 1)[-1]
        names = by_stem.get(stem) or by_stem.get(os.path.splitext(filename)[0])
        if not names:
            return None
        return os.path.join(place, filename if filename in names else names[0])

    return find


def _pictures(folder):
    """Returns the pictures in a folder: a dict from file stem to file names."""
    by_stem = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in PICTURE_SUFFIXES:
            by_stem.setdefault(stem, []).append(name)
    return by_stem


def _read_file(path, image_id, find_picture):
    with open(path, "rb") as file:
        content = file.read()
    try:
        return _read_tree(_parse(content), path, image_id, find_picture)
    except (ValueError, LookupError, ElementTree.ParseError):
        # Rare, so it may be slow: once more, now with line numbers.
        root, lines = _parse_with_lines(content, path)
        return _read_tree(root, path, image_id, find_picture, lines)


def _read_tree(root, path, image_id, find_picture, lines=None):
    def fail(what, element):
        where = f"{path}:{lines[element]}" if lines else path
        raise InputError(what, where=where)

    def child(element, tag):
        found = element.find(tag)
        if found is None:
            fail(f"<{element.tag}> has no <{tag}>", element)
        return found

    def number(element, tag):
        found = child(element, tag)
        try:
            return finite(found.text)
        except ValueError as error:
            fail(f"<{tag}> {error}", found)

    if root.tag != "annotation":
        fail(f"the root element is <{root.tag}>, not <annotation>", root)
    picture = find_picture(os.path.basename(path)[:-4], (root.findtext("filename") or "").strip())
    size = root.find("size")
    width = 0 if size is None else int(number(size, "width"))
    height = 0 if size is None else int(number(size, "height"))
    if width <= 0 or height <= 0:
        if picture is None:
            fail("neither a <size> of the picture nor the picture itself", root)
        info = inspect_image(picture)
        width, height = info.width, info.height

    boxes, names, ignore = [], [], []
    for thing in root.findall("object"):
        name = (child(thing, "name").text or "").strip()
        if not name:
            fail("<name> is empty", thing)
        corners = child(thing, "bndbox")
        boxes.append(
            (
                (number(corners, "ymin") - 1) / height,
                (number(corners, "xmin") - 1) / width,
                (number(corners, "ymax") - 1) / height,
                (number(corners, "xmax") - 1) / width,
            )
        )
        names.append(name)
        ignore.append((thing.findtext("difficult") or "").strip() == "1")
    locate = functools.partial(_locate, path)
    return Annotation(picture, image_id, boxes, names, ignore, locate, width, height)


def _locate(path, index):
    root, lines = _parse_with_lines(Path(path).read_bytes(), path)
    return f"{path}:{lines[root.findall('object')[index]]}"


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses a DTD where it starts, before any entity of it could be expanded."""

    def doctype(self, name, public, system):
        raise ValueError("XML with a DTD")


def _parse(content):
    # Three times as fast as defusedxml, which cannot use the parser that is written in C.
    parser = ElementTree.XMLParser(target=_NoDoctype())
    parser.feed(content)
    return parser.close()


def _parse_with_lines(content, path):
    """Returns the root and a dict from element to line, or raises what is wrong with the XML."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    lines = {}

    class Parser(DefusedXMLParser):
        def _start(self, *args):
            element = super()._start(*args)
            lines[element] = self.parser.CurrentLineNumber
            return element

    parser = Parser(forbid_dtd=True)
    try:
        parser.feed(content)
        return parser.close(), lines
    except DefusedXmlException:
        line = content.count(b"\n", 0, max(content.find(b"<!DOCTYPE"), 0)) + 1
        raise InputError(
            "XML with a DTD is refused (it could make the parser read other files or explode)",
            where=f"{path}:{line}",
            hint="remove the <!DOCTYPE …>",
        ) from None
    except ElementTree.ParseError as error:
        raise InputError(f"malformed XML: {error}", where=f"{path}:{error.position[0]}") from None
    except (ValueError, LookupError) as error:
        raise InputError(f"XML that cannot be read: {error}", where=path) from None
