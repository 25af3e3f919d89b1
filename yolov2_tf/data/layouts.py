"""Recognises which form a file or folder of annotations has."""

import collections
import dataclasses
import itertools
from pathlib import Path

from yolov2_tf.data.annotations import listing
from yolov2_tf.data.image_sets import role
from yolov2_tf.data.readers.json_files import REFUSED, kind_of_json
from yolov2_tf.data.refused import is_cvat, refuse_by_name, refuse_file, refuse_json
from yolov2_tf.data.visible_files import folders_in, visible, walk_files
from yolov2_tf.errors import InputError

FORMATS = (
    *("voc", "coco", "yolo", "yolo-centres", "yolo-corners", "yolo-outlines", "yolo-keypoints"),
    *("csv", "createml", "via", "kitti", "tfrecord", "tfds"),
)
"""What `--format` takes; `yolo-…` also says what the numbers of a row are."""

LOOKED_FOR = (
    "Annotations/*.xml or XML beside the pictures (VOC), instances_*.json or "
    "_annotations.coco.json (COCO), data.yaml, obj.data or labels/*.txt (YOLO), a CSV of boxes, "
    "_annotations.createml.json (Create ML), via_region_data.json (VIA), label_2/*.txt (KITTI) or "
    "*.tfrecord"
)

_PARTS = ("images", "labels", "jpegimages", "annotations", "imagesets", "img", "imgs", "pictures")
ARCHIVES = (".tar", ".gz", ".tgz", ".xz", ".bz2", ".zip", ".7z", ".rar")
RECORD_SUFFIXES = (".tfrecord", ".tfrecords", ".record", ".tfrec")


@dataclasses.dataclass(frozen=True)
class Found:
    """A form that a path may be read in.

    Attributes:
        format: One of `FORMATS`.
        path: The file or folder that its reader takes.
        fault: Why it cannot be read, if the search found that out, as an `InputError`.
        set_folders: Folders `train`, `valid` and so on, each of which is to be read as such a form.
    """

    format: str
    path: Path
    fault: InputError | None = None
    set_folders: tuple[Path, ...] = ()


def recognise(path):
    """Lists the forms in which a file or folder may be read.

    Args:
        path: `pathlib.Path` of something that is there.

    Returns:
        A list of `Found`, empty if there is none.

    Raises:
        InputError: If it is of a form that is known and not read; says what converts it.
    """
    return _of_folder(path) if path.is_dir() else _of_file(path)


def _of_file(path):
    match path.suffix.lower():
        case ".json":
            return [Found(refuse_json(path) or "coco", path)]
        case ".yaml" | ".yml" | ".data":
            return [Found("yolo", path)]
        case ".csv" | ".tsv":
            return [Found("csv", path)]
    if _is_record_file(path):
        return [Found("tfrecord", path)]
    refuse_file(path)
    return []


def _of_folder(folder):
    if (folder / "dataset_info.json").is_file() and (folder / "features.json").is_file():
        return [Found("tfds", folder)]
    found = []
    for form, search in _SEARCHES.items():
        try:
            if path := search(folder):
                found.append(Found(form, path))
        except InputError as error:
            found.append(Found(form, folder, error))
    if len(found) < 2 and (sets := _in_set_folders(folder)):
        return [sets]
    if not found:
        refuse_by_name(folder)
    return found


def _in_set_folders(folder):
    """Folders called train, valid and so on that hold a form whose files know no image sets."""
    forms = {}
    for sub in folders_in(folder):
        if role(sub.name):
            for form in _WITHOUT_SETS:
                try:
                    found = _SEARCHES[form](sub)
                except InputError as error:
                    raise InputError(error.what, where=sub, hint=error.hint) from None
                if found:
                    forms.setdefault(form, []).append(sub)
    if len(forms) != 1:
        return None
    ((form, folders),) = forms.items()
    # KITTI's own `training` beside a `testing` without labels is no image set.
    return None if form == "kitti" and len(folders) < 2 else Found(form, folder, None, (*folders,))


def _find_yolo(folder):
    from yolov2_tf.data.readers.yolo_txt import find_yolo

    return find_yolo(folder)


def _find_coco(folder):
    from yolov2_tf.data.readers.coco_json import find_coco_files

    if find_coco_files(folder):
        return folder
    files = [path for path in _json_files(folder) if _json_form(path) == "coco"]
    if len(files) > 1:
        names = listing([path.name for path in files])
        raise InputError(f"several COCO files: {names}", where=folder, hint="give one of them")
    return files[0] if files else None


def _find_voc(folder):
    from yolov2_tf.data.readers.voc_layout import has_voc

    return folder if not is_cvat(folder / "annotations.xml") and has_voc(folder) else None


def _find_csv(folder):
    from yolov2_tf.data.readers.csv_table import FOLDERS, find_csv_files

    if find_csv_files(folder):
        return folder
    places = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    place = next(filter(find_csv_files, places), None)
    return None if place is None or _has_another_form(folder) else place


def _has_another_form(folder):
    """Whether tables in a folder below are a copy of what lies here as VOC, COCO or YOLO."""
    try:
        return any(find(folder) for find in (_find_voc, _find_coco, _find_yolo))
    except InputError:  # several of them
        return True


def _find_createml(folder):
    from yolov2_tf.data.readers.createml_json import find_createml_files

    if find_createml_files(folder):
        return folder
    files = [path for path in _json_files(folder) if _json_form(path) == "createml"]
    return files[0] if len(files) == 1 else None


def _find_via(folder):
    files = [path for path in _json_files(folder) if _json_form(path) == "via"]
    if len(files) > 1:
        names = listing([path.name for path in files])
        raise InputError(f"several files of VIA: {names}", where=folder, hint="give one of them")
    return files[0] if files else None


def _find_kitti(folder):
    from yolov2_tf.data.readers.kitti_txt import find_kitti_labels

    return folder if find_kitti_labels(folder) else None


def _find_records(folder):
    return folder if any(map(_is_record_file, visible(folder))) else None


_WITHOUT_SETS = ("csv", "via", "kitti", "tfrecord")

_SEARCHES = {
    "yolo": _find_yolo,
    "coco": _find_coco,
    "voc": _find_voc,
    "createml": _find_createml,
    "via": _find_via,
    "csv": _find_csv,
    "kitti": _find_kitti,
    "tfrecord": _find_records,
}


def no_annotations(path):
    """The error for a folder of no known form: what was looked for, and the nearest thing there."""
    files = list(itertools.islice(walk_files(path), 2000))
    kinds = collections.Counter(Path(file).suffix.lower() or "no suffix" for file in files)
    there = [f"{count:,} {kind}" for kind, count in kinds.most_common(4)]
    there = ", ".join(there) if there else "nothing"
    more = " in the first 2,000 files" if len(files) == 2000 else ""
    return InputError(
        f"no annotations found; what is there: {there}{more}",
        where=path,
        expected=LOOKED_FOR,
        hint=_what_a_csv_lacks(path) or _nearest(path) or _packed(files),
    )


def _what_a_csv_lacks(folder):
    """Why a table that lies there is none of boxes."""
    from yolov2_tf.data.readers.csv_columns import read_rows

    files = [path for path in visible(folder, "*.csv") if path.is_file()]
    # Of several the largest: others are lists of pictures, or what a competition wants to have.
    for path in sorted(files, key=lambda path: -path.stat().st_size)[:1]:
        try:
            list(read_rows(path))
        except InputError as error:
            return f"mend the CSV, if it is one of boxes: {error}"
    return None


def _packed(files):
    """What to do where archives lie about."""
    packed = [path for path in files if path.lower().endswith(ARCHIVES)]
    return f"unpack {listing(packed)}" if packed else None


def _nearest(path):
    """A folder close by that can be read."""
    near = folders_in(path)[:20]
    if path.name.lower() in _PARTS or role(path.name):
        near.append(path.resolve().parent)
    for place in near:
        try:
            if found := [found for found in _of_folder(place) if found.fault is None]:
                return f"{place}, which looks like {found[0].format}"
        except (InputError, OSError):
            continue
    return None


def _json_form(path):
    kind = kind_of_json(path)
    return None if kind in REFUSED else kind


def _json_files(folder):
    return visible(folder, "*.json")[:20]


def _is_record_file(path):
    suffixes = {suffix.partition("-")[0].lower() for suffix in path.suffixes}
    return path.is_file() and not suffixes.isdisjoint(RECORD_SUFFIXES)
