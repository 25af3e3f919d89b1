"""Downloads a file once: verified, resumed where it broke off, never half there."""

import hashlib
import os
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter, Retry

from yolov2_tf.errors import InputError

TIMEOUT = 30.0
"""Seconds without an answer after which a server counts as out of reach."""

CHUNK = 1 << 16


def download(url, path, *, sizes=(), sha256=None, progress=None):
    """Brings a file to `path`, unless it is there.

    What arrived before a connection broke stays beside it as `NAME.part`; the next call goes on
    from there if the server can. The file gets its name when it is whole.

    Args:
        url: Where it is.
        path: Where it goes; missing folders are made.
        sizes: Bytes it may have; none where that is not known.
        sha256: Its checksum in hexadecimal digits, or None.
        progress: Called with the bytes so far and the bytes in all (or None) as they arrive.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        InputError: If it cannot be reached, broke off, or is not the file it should be.
    """
    path = Path(path)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _receive(url, part, sizes, progress)
    except requests.RequestException as error:
        have = part.stat().st_size if part.exists() else 0
        raise InputError(
            f"cannot be downloaded: {_reason(error)}" + (f", after {have:,} bytes" if have else ""),
            where=url,
            expected=f"a connection, or the file at {path}",
            hint="the same command goes on from there" if have else f"put the file at {path}",
        ) from None
    _check(part, url, path, sizes, sha256)
    os.replace(part, path)
    return path


def _receive(url, part, sizes, progress):
    """Appends to `part` what is missing; starts anew where the server cannot go on."""
    have = part.stat().st_size if part.exists() else 0
    if sizes and have >= max(sizes):
        return  # whole, or too long: the check says which
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=Retry(2, backoff_factor=0.5)))
        headers = {"Range": f"bytes={have}-", "Accept-Encoding": "identity"} if have else {}
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                return
            answer.raise_for_status()
            goes_on = answer.status_code == requests.codes.partial_content
            have = have if goes_on else 0
            coming = answer.headers.get("Content-Length")
            total = have + int(coming) if coming else min(sizes, default=None)
            with part.open("ab" if goes_on else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    if progress is not None:
                        progress(have, total)
            if total is not None and have < total:
                raise requests.ConnectionError("the connection broke off")


def _check(part, url, path, sizes, sha256):
    """Removes a file that is not the right one, so that the next call starts anew."""
    have = part.stat().st_size
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if sizes and have not in sizes:
        what, expected = f"{have:,} bytes", " or ".join(f"{size:,}" for size in sizes) + " bytes"
    elif sha256 is not None and digest != sha256:
        what, expected = f"has the checksum {digest}", sha256
    else:
        return
    part.unlink()
    raise InputError(
        f"not the file it should be: {what}",
        where=url,
        expected=expected,
        hint=f"another source of it, put at {path}",
    )


def _reason(error):
    """A short reason; the words of urllib3 name objects of its own."""
    if isinstance(error, requests.HTTPError):
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT:.0f} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "broke" in str(error):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)
