"""Where a VOC data set keeps its XML files and image sets.

Tools lay them out in many ways: `Annotations/` beside `JPEGImages/` and `ImageSets/Main/` (VOC),
or beside the lists themselves (PaddleDetection), all of it in sub-folders (CVAT),
`annotations/xmls/` beside `images/` (Oxford pets), XML beside the pictures in `train/`, `valid/`
and `test/` (Roboflow), or nothing but XML files.
"""

import collections
import dataclasses
import os
import re
from pathlib import Path

from yolov2_tf.data.image_sets import role
from yolov2_tf.data.picture_finder import walk_pictures
from yolov2_tf.data.readers.voc_pictures import PICTURE_FOLDERS, name_key, without_suffix
from yolov2_tf.data.visible_files import folders_in, names_in, visible, walk_files

_OTHERS = "other"
"""The image set of what lies in none of the folders that are image sets."""

_FEW, _HEAD = 20, 4096  # XML files that are looked at, and bytes of each


@dataclasses.dataclass
class VocPart:
    """One folder of annotations.

    Attributes:
        folder: What holds the annotations, pictures and lists.
        xml_folder: Where the XML files are, or folders of them.
        files: Dict from image id to the path of its XML file, sorted. An id is the path below
            `xml_folder` without its suffix, `/` between folders.
        sets: Dict from the name of an image set to the file that lists its images, to a folder of
            XML files, or to a list of image ids.
    """

    folder: Path
    xml_folder: Path
    files: dict[str, str]
    sets: dict[str, Path | list[str]]

    def members(self, names, faults):
        """Picks the images of image sets.

        Args:
            names: The image sets; none: all images.
            faults: `Faults` that takes what a list names and is not there.

        Returns:
            Dict from image id to the names of its sets, in the order of the lists, and where a
            list names one twice.
        """
        if not names:
            return dict.fromkeys(self.files, ()), []
        by_key = {name_key(stem): stem for stem in self.files}
        members, twice = {}, []
        for name in (name for name in names if name in self.sets):
            source = self.sets[name]
            seen = set()
            for where, stem in self._entries(name, source, by_key, faults):
                if stem in seen:
                    twice.append(where)
                else:
                    seen.add(stem)
                    members[stem] = (*members.get(stem, ()), name)
        return members, twice

    def is_empty(self, name):
        """Whether an image set is a list without a line."""
        source = self.sets.get(name)
        if source is None or isinstance(source, list):
            return not source
        return source.is_file() and not _lines(source)

    def _entries(self, name, source, by_key, faults):
        """Yields where an image set names an image, and its id."""
        if isinstance(source, list):
            yield from ((self.files[stem], stem) for stem in source)
            return
        if source.is_dir():
            start = os.path.join(source, "")
            yield from ((path, stem) for stem, path in self.files.items() if path.startswith(start))
            return
        folded = None  # ids in one case, for lists that were made on Windows
        for number, written in _written_lines(source):
            where = f"{source}:{number}"
            faults.entries += 1
            line = written.strip()
            # Blanks around a name are nearly always none of it, and Unicode's forms are one name.
            stem = written if written in self.files else by_key.get(name_key(line))
            stem = stem or by_key.get(name_key(without_suffix(line)))
            if stem is None:  # lists of other tools have folders in front
                stem = by_key.get(name_key(without_suffix(line)).rpartition("/")[2])
            if stem is None:  # ImageNet's `ImageSets/DET/val.txt` numbers its lines
                entry = re.sub(r"\s+\d+$", "", line)
                stem = by_key.get(name_key(f"{name}/{entry}")) or by_key.get(name_key(entry))
            if stem is None:
                folded = folded or {known.casefold(): by_key[known] for known in by_key}
                stem = folded.get(name_key(without_suffix(line)).casefold())
            if stem is None:
                what = f"no annotation file for image {line[:80]!r}"
                faults.add("images of a list without an XML file", what, where)
            else:
                yield where, stem


def find_parts(folder):
    """Finds the folders that hold annotations, sorted; none if this is no VOC data set.

    Args:
        folder: A path.

    Returns:
        List of `VocPart`.
    """
    folder = Path(os.path.abspath(folder))
    xml_folder = _xml_folder(folder)
    if xml_folder and xml_folder != folder:
        return [_part(folder, xml_folder)]
    parts = [_part(sub, found) for sub in folders_in(folder) if (found := _xml_folder(sub))]
    if xml_folder and (not parts or _has_annotations(folder)):
        parts.insert(0, _part(folder, folder))
    if not parts and (folder / "VOCdevkit").is_dir():
        return find_parts(folder / "VOCdevkit")
    for part in parts:
        if not part.sets and part.folder != folder and role(part.folder.name):
            part.sets = {part.folder.name: part.xml_folder}
    if any(part.sets for part in parts):
        for part in parts:  # what is in no set would be passed over
            part.sets = part.sets or {part.folder.name: part.xml_folder}
    return parts


def has_voc(folder):
    """Tells whether a folder holds VOC annotations; looks no further than to the first XML."""
    folder = Path(folder)
    if _xml_folder(folder) or any(_xml_folder(sub) for sub in folders_in(folder)):
        return True
    return (folder / "VOCdevkit").is_dir() and has_voc(folder / "VOCdevkit")


def _part(folder, xml_folder):
    if xml_folder == folder:
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    else:
        paths = walk_files(xml_folder)
    start = len(os.path.join(xml_folder, ""))
    files = {path[start:-4].replace(os.sep, "/"): path for path in paths if _is_xml(path)}
    part = VocPart(folder, xml_folder, files, {})
    part.sets = _lists(part) or _set_folders(part) or _sets_of_pictures(part)
    return part


def _xml_folder(folder):
    """Returns the folder of XML files, or None."""
    subs = folders_in(folder)
    for sub in subs:
        if sub.name.lower() in ("annotations", "annotation") and _has_xml_below(sub):
            return sub
    if _has_xml(folder):
        return folder
    # Any other name counts beside pictures or lists.
    if {sub.name.lower() for sub in subs} & {*PICTURE_FOLDERS, "imagesets"} - {"data"}:
        others = [sub for sub in subs if not role(sub.name)]
        named = [sub for sub in others if _has_xml(sub)]
        named = named or [sub for sub in others if any(map(_has_xml, _folders_of_sets(sub)))]
        if len(named) == 1:
            return named[0]
    return None


def _folders_of_sets(folder):
    """Folders in one that are called train, val and so on, if it is not that of the pictures."""
    pictures = folder.name.lower() in PICTURE_FOLDERS
    return [] if pictures else [sub for sub in folders_in(folder) if role(sub.name)]


def _lists(part):
    """Returns the lists of image ids: a dict from name to path.

    VOC also has lists per class, `dog_train.txt`, with a second column; they are no image sets.
    """
    bases = (part.folder, part.xml_folder, part.xml_folder.parent)
    places = [base / "ImageSets" / main for base in bases for main in ("Main", "")]
    for place in places:
        paths = [Path(path) for path in walk_files(place) if path.lower().endswith(".txt")]
        if paths:
            keys = {name_key(stem) for stem in part.files}
            return {
                path.relative_to(place).with_suffix("").as_posix(): path
                for path in paths
                if not _is_of_one_class(path, keys)
            }
    return _lists_beside(part)


def _lists_beside(part):
    """Lists without a folder of their own, `train.txt`, as PaddleDetection has them.

    Their lines are ids, or pictures and XML files.
    """
    keys = {name_key(stem).rpartition("/")[2] for stem in part.files}
    paths = [path for path in visible(part.folder, "*.txt") if role(path.stem)]
    return {
        path.stem: path
        for path in paths
        if any(
            name_key(without_suffix(line)).rpartition("/")[2] in keys
            for _, line in _lines(path)[:_FEW]
        )
    }


def _is_of_one_class(path, keys):
    """Tells lists such as `dog_train.txt`, `000005 -1`, from lists with blanks in the names."""
    lines = [line for _, line in _lines(path)]
    columns = [line.rsplit(None, 1) for line in lines]
    if not lines or not all(len(c) == 2 and c[1] in ("-1", "0", "1") for c in columns):
        return False
    whole = sum(name_key(line) in keys for line in lines)
    first = sum(name_key(column[0]) in keys for column in columns)
    return first > whole or (first == whole and "_" in path.stem)


def _set_folders(part):
    """Folders in that of the XML files that are called train, val and so on."""
    tops = {stem.partition("/")[0] if "/" in stem else "" for stem in part.files}
    if all(role(top) for top in tops):
        return {top: part.xml_folder / top for top in sorted(tops)}
    return {}


def _sets_of_pictures(part):
    """Image sets by the folders of the pictures, where several are called train, val and so on."""
    by_key = {name_key(stem).casefold(): stem for stem in part.files}
    bases = collections.Counter(map(_base, by_key))
    by_key |= {_base(key): stem for key, stem in by_key.items() if bases[_base(key)] == 1}
    pictures = [sub for sub in folders_in(part.folder) if sub.name.lower() in PICTURE_FOLDERS]
    for base in (*pictures, part.folder):
        found = {}
        for sub in folders_in(base):
            if role(sub.name):
                start = len(os.path.join(sub, ""))
                paths = (os.path.splitext(path)[0][start:] for path in walk_pictures(sub))
                keys = map(str.casefold, map(name_key, paths))
                own = (by_key.get(key) or by_key.get(_base(key)) for key in keys)
                if own := [*dict.fromkeys(filter(None, own))]:
                    found[sub.name] = own
        if len(found) > 1:
            taken = {stem for own in found.values() for stem in own}
            rest = [stem for stem in part.files if stem not in taken]
            return {**found, _OTHERS: rest} if rest else found
    return {}


def _base(key):
    """The file's part of a key."""
    return key.rpartition("/")[2]


def _lines(path):
    """Returns number and text of the lines that are not blank, without blanks around it."""
    return [(number, line.strip()) for number, line in _written_lines(path)]


def _written_lines(path):
    """Returns number and text of the lines that are not blank."""
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = content.decode(encoding, errors="replace").splitlines()
    return [(i, line) for i, line in enumerate(lines, start=1) if line.strip()]


def _has_xml(folder):
    names = names_in(folder)
    return ".xml" in "/".join(names).lower() and any(map(_is_xml, names))  # seldom name by name


def _has_annotations(folder):
    """Whether the first XML files in a folder are VOC's, and not those of a program."""
    names = sorted(name for name in os.listdir(folder) if _is_xml(name))
    for name in names[:_FEW]:
        try:
            with open(folder / name, "rb") as file:
                if b"<annotation" in file.read(_HEAD):
                    return True
        except OSError:
            continue
    return False


def _has_xml_below(folder):
    return _has_xml(folder) or any(map(_is_xml, walk_files(folder)))  # to sort a folder takes time


def _is_xml(path):
    return path[-4:].lower() == ".xml" and not os.path.basename(path).startswith(".")
