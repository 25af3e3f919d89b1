"""Reads one XML file of PASCAL VOC; thousands of them in parallel, and once only.

Nothing here trusts the file: a DTD is refused before any entity of it could be expanded, and what
the file says of folders and paths is not followed.
"""

import array
import codecs
import dataclasses
import itertools
import os
import re
import reprlib
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

from yolov2_tf.data.annotations import finite
from yolov2_tf.data.cache import recall, remember, stamp
from yolov2_tf.data.readers.voc_shapes import box_around
from yolov2_tf.data.records import MAX_SIDE
from yolov2_tf.errors import InputError

_CACHE_KIND = "voc/3"
_CHUNK = 256  # files a thread reads at a time

_CORNERS = ("ymin", "xmin", "ymax", "xmax")

# expat reads no encoding of several bytes but UTF; Python does. What says gb2312 is often gbk.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_OTHER_ENCODINGS = {*_WIDER, "gb18030", "big5", "cp950", "cp932", "cp949", "euc_jp", "big5hkscs"}
_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


@dataclasses.dataclass(slots=True)
class VocFile:
    """What one XML file says, as it says it.

    Attributes:
        filename: What it calls the picture, `""` if it does not.
        width: Width of the picture in pixels, 0 where it does not say.
        height: Height, likewise.
        names: The names of the objects.
        corners: Their boxes, as written: `y_min, x_min, y_max, x_max` of one after the other's.
        difficult: Which of them are difficult.
        faults: List of `[kind, what, line]`: objects that cannot be used.
        size_fault: `[what, line]`: why it does not say the size.
        fault: `[what, line]` if the file cannot be used at all, else None.
        shapes: How many of the boxes are the upright ones around other shapes.
    """

    filename: str = ""
    width: int = 0
    height: int = 0
    names: list[str] = dataclasses.field(default_factory=list)
    corners: array.array = dataclasses.field(default_factory=lambda: array.array("d"))
    difficult: bytes = b""
    faults: list = dataclasses.field(default_factory=list)
    size_fault: list | None = None
    fault: list | None = None
    shapes: int = 0


def read_voc_files(paths):
    """Reads XML files; those that were read before and did not change come from the cache.

    Args:
        paths: Absolute paths.

    Returns:
        Dict from path to `VocFile`.

    Raises:
        InputError: If a file has a DTD or entities of its own.
    """
    paths = list(paths)
    stamps = {path: stamp(path) for path in paths}
    known = recall(_CACHE_KIND, stamps, _unpacked)
    unknown = [path for path in paths if path not in known]
    chunks = [unknown[i : i + _CHUNK] for i in range(0, len(unknown), _CHUNK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        files = itertools.chain.from_iterable(pool.map(_chunk, chunks))
        read = dict(zip(unknown, files, strict=True))
    remember(_CACHE_KIND, stamps, ((path, _packed(file)) for path, file in read.items()))
    return {path: known.get(path) or read[path] for path in paths}


def _packed(file):
    """What JSON can hold of a `VocFile`."""
    values = [getattr(file, field.name) for field in dataclasses.fields(VocFile)]
    values[4:6] = list(file.corners), list(file.difficult)
    return values


def _unpacked(values):
    values[3] = list(map(sys.intern, values[3]))  # few names, many times
    values[4:6] = array.array("d", values[4]), bytes(values[5])
    return VocFile(*values)


def read_voc_file(path):
    """Reads one XML file.

    Args:
        path: The file.

    Returns:
        `VocFile`.

    Raises:
        InputError: If it has a DTD or entities of its own.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        return VocFile(fault=[f"cannot be opened: {error.strerror}", 1])
    try:
        text = _text(content)
        found = _read_tree(_parse(text), None)
        if not (found.faults or found.fault or found.size_fault):
            return found
    except (ValueError, LookupError, ElementTree.ParseError):
        pass
    # Rare, so it may be slow: once more, now with line numbers.
    try:
        return _read_tree(*_parse_with_lines(content, path))
    except _UnusableFile as error:
        return VocFile(fault=[str(error), error.line])


def locate_object(path, index):
    """Says where a box stands.

    Args:
        path: The XML file.
        index: Place of the box in `VocFile.names`.

    Returns:
        E.g. `"a.xml:12"`; only the path if the file changed since.
    """
    try:
        with open(path, "rb") as file:
            root, lines = _parse_with_lines(file.read(), path)
        usable = [e for e in _objects(root) if isinstance(_object(e), tuple)]
        return f"{path}:{lines[usable[index]]}"
    except (OSError, ValueError, LookupError):
        return str(path)


def _chunk(paths):
    return [read_voc_file(path) for path in paths]


def _read_tree(root, lines):
    def line(element):
        return lines[element] if lines else 0

    if root.tag != "annotation":
        return VocFile(fault=[f"the root element is <{root.tag[:80]}>, not <annotation>", 1])
    found = VocFile((root.findtext("filename") or "").strip())
    size = root.find("size")
    if size is not None:
        try:
            sides = [int(_number(size, tag)) for tag in ("width", "height")]
        except _UnusableEntry as error:
            found.size_fault = [str(error), line(error.element)]
        else:
            if max(sides) > MAX_SIDE:
                found.size_fault = [f"a <size> of {sides[0]} × {sides[1]}", line(size)]
            elif min(sides) > 0:
                found.width, found.height = sides
    difficult = bytearray()
    for element in _objects(root):
        entry = _object(element)
        if isinstance(entry, tuple):
            name, numbers, is_difficult = entry
            found.names.append(sys.intern(name))
            found.corners.extend(numbers)
            difficult.append(is_difficult)
            found.shapes += element.find("bndbox") is None
        else:
            kind = "objects without a box" if element.find("bndbox") is None else "broken objects"
            found.faults.append([kind, str(entry), line(entry.element)])
    found.difficult = bytes(difficult)
    return found


def _objects(root):
    """The objects of a file; LabelMe keeps what was removed, marked so."""
    return [e for e in root.findall("object") if not _is_true(e.findtext("deleted"))]


def _object(element):
    """Returns `(name, [y_min, x_min, y_max, x_max], difficult)` or `_UnusableEntry`."""
    try:
        name = (_child(element, "name").text or "").strip()
        if not name:
            raise _UnusableEntry("<name> is empty", element)
        if "\ufffd" in name:
            raise _UnusableEntry("<name> is not UTF-8, and no other encoding is stated", element)
        numbers = _box(element)
    except _UnusableEntry as error:
        return error
    return name, numbers, _is_true(element.findtext("difficult"))


def _box(element):
    if element.find("bndbox") is None:
        try:
            around = box_around(element)
        except ValueError as error:
            raise _UnusableEntry(str(error), element) from None
        if around is not None:
            return around
    corners = _child(element, "bndbox")
    return [_number(corners, tag) for tag in _CORNERS]


def _child(element, tag):
    found = element.find(tag)
    if found is None:
        raise _UnusableEntry(f"<{element.tag}> has no <{tag}>", element)
    return found


def _number(element, tag):
    found = _child(element, tag)
    try:
        return finite(found.text)
    except ValueError as error:
        raise _UnusableEntry(f"<{tag}> {error}", found) from None


def _is_true(text):
    """Reads `<difficult>`: 1, 1.0, true, yes; all else, such as `Unspecified`, is no."""
    text = (text or "").strip().lower()
    if text in ("", "0"):
        return False
    try:
        return finite(text) != 0
    except ValueError:
        return text in ("true", "yes", "y", "t")


class _UnusableEntry(ValueError):
    def __init__(self, what, element):
        super().__init__(what)
        self.element = element


class _UnusableFile(ValueError):
    def __init__(self, what, line):
        super().__init__(what)
        self.line = line


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses a DTD where it starts, before any entity of it could be expanded."""

    def doctype(self, name, public, system):
        raise ValueError("XML with a DTD")


def _text(content):
    """What to feed to the parser: bytes, or text where expat does not know the encoding."""
    declared = _DECLARATION.match(content.removeprefix(codecs.BOM_UTF8))
    if declared:
        name = codecs.lookup(declared[1].decode()).name
        if name in _OTHER_ENCODINGS:
            return content.decode(_WIDER.get(name, name))
        if name != "utf-8":
            return content
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        return content
    try:
        content.decode()
    except UnicodeDecodeError:  # often only in <path>, which nobody needs
        return content.decode(errors="replace").removeprefix("\ufeff")
    return content


def _parse(text):
    # Three times as fast as defusedxml, which cannot use the parser that is written in C.
    parser = ElementTree.XMLParser(target=_NoDoctype())
    parser.feed(text)
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
        parser.feed(_text(content))
        return parser.close(), lines
    except DefusedXmlException:
        line = content.count(b"\n", 0, max(content.find(b"<!DOCTYPE"), 0)) + 1
        raise InputError(
            "XML with a DTD is refused (it could make the parser read other files or explode)",
            where=f"{path}:{line}",
            hint="remove the <!DOCTYPE …>",
        ) from None
    except ElementTree.ParseError as error:
        if "entity" in str(error):
            raise InputError(
                f"malformed XML: {error}", where=f"{path}:{error.position[0]}"
            ) from None
        raise _UnusableFile(f"malformed XML: {error}", error.position[0]) from None
    except (ValueError, LookupError) as error:
        raise _UnusableFile(f"XML that cannot be read: {reprlib.repr(str(error))}", 1) from None
