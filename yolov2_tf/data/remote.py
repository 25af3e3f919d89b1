"""Files at addresses such as `gs://bucket/model.keras`: brought here once, read as local ones.

fsspec reads them, each kind of address by a package of its own (`gcsfs`, `s3fs`,
`huggingface_hub`). What was brought is kept in the cache under the address and the state of what is
there, so that a file that changed is brought anew.
"""

import hashlib
import os
import re
import shutil

from yolov2_tf.errors import InputError
from yolov2_tf.files import cache_folder, replacing

PACKAGES = {
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "s3": "s3fs",
    "hf": "huggingface_hub",
    "az": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
}
"""What reads which addresses."""

# A single letter is a drive of Windows.
_ADDRESS = re.compile(r"(?!tfds:)([A-Za-z][A-Za-z0-9+.-]+):(/{1,3})(?=[^/])")
_CHUNK = 1 << 20


def address(path):
    """The address that a text or a path is, or None.

    A `Path` keeps one slash of two: `gs:/bucket` is `gs://bucket`, unless there is such a folder.
    Behind a third slash no host or bucket is named, as in `hdfs:///user/me`.

    Args:
        path: Text or `pathlib.Path`.

    Returns:
        E.g. `"gs://bucket/model.keras"`.
    """
    text = os.fspath(path)
    found = _ADDRESS.match(text)
    if found is None or (f"{found[1]}://" not in text and os.path.exists(f"{found[1]}:")):
        return None
    return f"{found[1].lower()}:{found[2] if len(found[2]) > 1 else '//'}{text[found.end() :]}"


def fetch_file(url, progress=None):
    """Brings one file here, unless it is here.

    Args:
        url: Its address.
        progress: Called with the name of the file, the bytes so far and the bytes in all.

    Returns:
        `pathlib.Path` in the cache.

    Raises:
        InputError: If what reads such addresses is not installed, there is no such file, it cannot
            be read, or there is no cache.
    """
    files, there = _opened(url)
    with _told(url):
        if files.isdir(there):
            raise InputError("a folder", where=url, expected="a file")
        size, state = files.size(there), files.ukey(there)
    path = kept(url, state) / there.rstrip("/").rpartition("/")[2]
    if not path.is_file():
        with replacing(path) as temporary, _told(url):
            _copy(files, there, temporary, size, progress)
    return path


def fetch_folder(url, needed):
    """Brings the files of a folder here, unless they are here.

    Args:
        url: Its address.
        needed: Name of a file that must be among them.

    Returns:
        `pathlib.Path` in the cache, how many files and how many bytes it has.

    Raises:
        InputError: As `fetch_file`, or if the file that is needed is not among them, or the disk
            has no room for them.
    """
    files, there = _opened(url)
    with _told(url):
        found = files.find(there, detail=True) if files.isdir(there) else {}
        root = there.rstrip("/") + "/"
        names = {name: name.removeprefix(root) for name in found if name.startswith(root)}
        state = [files.ukey(name) for name in sorted(names)]
    if needed not in names.values():
        raise InputError(
            "no prepared data set there",
            where=url,
            expected=f"a folder with {needed}, as `yolov2 prepare` writes",
            hint="copy the data set here with the tools of that storage, and give its folder",
        )
    size = sum(found[name]["size"] for name in names)
    path = kept(url, " ".join(map(str, state))) / "data"
    if not path.is_dir():
        _check_room(url, path, size)
        with replacing(path) as temporary, _told(url):
            for name, inside in sorted(names.items()):
                target = temporary / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                _copy(files, name, target, found[name]["size"])
    return path, len(names), size


def fetched_shards(url):
    """Brings a prepared data set of TFDS here.

    Args:
        url: The address of its folder.

    Returns:
        `pathlib.Path` in the cache, and a note that says what came.

    Raises:
        InputError: As `fetch_folder`.
    """
    folder, count, size = fetch_folder(url, "dataset_info.json")
    return folder, f"{url}: {count:,} files, {size / 1e6:,.1f} MB, kept in {folder}"


def refuse(path, what):
    """Raises for an address where something on this machine is needed.

    Args:
        path: Text, `pathlib.Path` or None.
        what: Name of the argument or option, e.g. `"--out"`.

    Raises:
        InputError: If it is one.
    """
    url = None if path is None else address(path)
    if url is not None:
        raise InputError(
            f"{what} takes no address",
            where=url,
            expected="a path on this machine",
            hint="a local path, or a folder that the storage is mounted at",
        )


def _opened(url):
    """The file system of an address and the name there."""
    scheme = url.partition(":")[0]
    try:
        import fsspec

        return fsspec.core.url_to_fs(url)
    except ImportError:
        package = PACKAGES.get(scheme, "fsspec")
        raise InputError(
            f"what reads {scheme}:// is not installed: {package}",
            where=url,
            expected="a path on this machine, or that package",
            hint=f"pip install {package}",
        ) from None
    except ValueError as error:
        raise InputError(
            f"{scheme}:// is not known",
            where=url,
            expected=f"a path on this machine, or one of {', '.join(PACKAGES)}",
            hint="gs://BUCKET/…, s3://BUCKET/…, hf://USER/NAME/…",
        ) from error
    except Exception as error:  # storages raise what they like, e.g. without credentials
        raise _unread(url, error) from error


class _told:
    """What a storage raises within the block becomes one `InputError`."""

    def __init__(self, url):
        self._url = url

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception) and not isinstance(error, InputError):
            raise _unread(self._url, error) from error


def _unread(url, error):
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", where=url, expected="the address of one that is there")
    reason = (str(error).strip() or type(error).__name__).split("\n")[0]
    hint = "the address, and the storage's credentials on this machine"
    return InputError(f"cannot be read: {reason}", where=url, hint=hint)


def kept(url, state):
    """The folder in the cache for what is at an address.

    Args:
        url: The address.
        state: Text that changes with what is there.

    Raises:
        InputError: If there is no cache.
    """
    cache = cache_folder()
    if cache is None:
        raise InputError(
            "would be brought here, but $YOLOV2_CACHE is empty",
            where=url,
            expected="a folder to keep it",
        )
    return cache / "remote" / hashlib.blake2b(f"{url} {state}".encode(), digest_size=12).hexdigest()


def _check_room(url, path, size):
    folder = next(folder for folder in path.parents if folder.is_dir())
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"{size:,} bytes, and {free:,} are free",
            where=url,
            expected="room for them in the cache",
            hint="YOLOV2_CACHE=/a/larger/disk",
        )


def _copy(files, name, target, size, progress=None):
    done = 0
    with files.open(name, "rb") as source, open(target, "wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(target.name, done, size)
    if size is not None and done != size:
        raise OSError(f"{done:,} of {size:,} bytes came")
