"""Remembers what was found in files, so that a large data set opens fast the second time.

What is remembered belongs to a file of this path, size and time of change; a file that changed is
looked at again. All is kept in one SQLite file in `yolov2_tf.files.cache_folder()`. It may be
removed at any time. Where it cannot be read or written, everything works as before, only slower.
"""

import contextlib
import itertools
import json
import os
import sqlite3
import time

from yolov2_tf.files import cache_folder

LIMIT = 1 << 30
"""A larger cache, in bytes, is thrown away and begun anew."""

_SETTLED = 2 * 10**9
# A file that changed less than this before it was read, in nanoseconds, is not remembered: it may
# change again within the same tick of the file system's clock.

_ROWS, _FEW = 1000, 100  # rows that are read at a time; names that are asked for one by one

_FAULTS = (sqlite3.Error, OSError, ValueError)


def stamp(path):
    """What a file looked like: `(size, time of change in ns)`, or None if it is not there."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def recall(kind, stamps, unpack=lambda value: value):
    """Looks up what is known of files.

    Args:
        kind: What is asked about them, with a version, e.g. `"voc/1"`.
        stamps: Dict from absolute path to `stamp`.
        unpack: Function of a remembered value that gives the one to return.

    Returns:
        Dict from path to the value that was remembered, without files that changed.
    """
    known = {}
    with contextlib.suppress(*_FAULTS), _opened() as table:
        if table is None:
            return {}
        for folder, names in _by_folder(stamps).items():
            few = list(names) if len(names) <= _FEW else ()  # of the many that a folder may have
            rows = table.execute(
                "SELECT name, size, changed, value FROM found WHERE kind = ? AND folder = ?"
                + (f" AND name IN ({','.join('?' * len(few))})" if few else ""),
                (kind, folder, *few),
            )
            while some := rows.fetchmany(_ROWS):
                found = [
                    (path, value)
                    for name, size, changed, value in some
                    if (path := names.get(name)) is not None and stamps[path] == (size, changed)
                ]
                # In one go, which is faster than one by one.
                values = map(unpack, json.loads(f"[{','.join(value for _, value in found)}]"))
                known.update(zip((path for path, _ in found), values, strict=True))
    return known


def remember(kind, stamps, values):
    """Keeps what was found in files.

    Args:
        kind: As for `recall`.
        stamps: Dict from absolute path to the `stamp` that was taken before the file was read.
        values: Dict from path to what JSON can hold, or pairs of these, which are gone through
            once: those of a million files need not be there at a time.
    """
    latest = time.time_ns() - _SETTLED
    pairs = values.items() if isinstance(values, dict) else values
    rows = (
        (kind, *_split(path), *stamps[path], json.dumps(value))
        for path, value in pairs
        if stamps.get(path) is not None and stamps[path][1] < latest
    )
    first = next(rows, None)
    if first is None:
        return
    with contextlib.suppress(*_FAULTS), _opened(make=True) as table:
        if table is not None:
            with table:
                table.executemany(
                    "INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?, ?, ?)",
                    itertools.chain((first,), rows),
                )


def _by_folder(paths):
    folders = {}
    for path in paths:
        folder, name = _split(path)
        folders.setdefault(folder, {})[name] = path
    return folders


def _split(path):
    """`os.path.split` of an absolute path, of which a start splits hundreds of thousands."""
    folder, _, name = path.rpartition("/")
    return (folder, name) if folder and name and os.sep == "/" else os.path.split(path)


@contextlib.contextmanager
def _opened(make=False):
    """Yields the connection, or None where there is no cache."""
    path = _path()
    if path is None or not (make or path.is_file()):
        yield None
        return
    if make:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > LIMIT:
            path.unlink()
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as table:
        try:
            if make:
                table.execute(
                    "CREATE TABLE IF NOT EXISTS found (kind TEXT, folder TEXT, name TEXT, "
                    "size INTEGER, changed INTEGER, value TEXT, "
                    "PRIMARY KEY (kind, folder, name)) WITHOUT ROWID"
                )
            yield table
        except sqlite3.OperationalError:  # busy, full, read-only: others may still use it
            raise
        except sqlite3.DatabaseError:  # no database any more
            path.unlink(missing_ok=True)
            raise


def _path():
    folder = cache_folder()
    return None if folder is None else folder / "found.sqlite"
