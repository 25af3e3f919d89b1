"""Pictures decoded on threads, a few ahead of what is asked for."""

import collections
import itertools
import os
from concurrent.futures import ThreadPoolExecutor

from yolov2_tf.data.images import load_image
from yolov2_tf.errors import InputError

AHEAD = 16
"""Pictures that are decoded before they are asked for: two batches of what scores."""


def decoded_ahead(sources, faulty=None):
    """Decodes pictures in parallel, while the caller works on those before.

    Args:
        sources: Iterable of `Record.image`. It is read a few pictures ahead: not for cameras.
        faulty: Called as `faulty(number, error)` for a picture that cannot be read, which is then
            left out; None: its `InputError` is raised.

    Yields:
        `(H, W, 3)` uint8 arrays in the order of the sources.

    Raises:
        InputError: If a picture cannot be read, without `faulty`.
    """
    sources = iter(sources)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = collections.deque(
            pool.submit(load_image, source) for source in itertools.islice(sources, AHEAD)
        )
        try:
            for number in itertools.count():
                if not waiting:
                    return
                decoding = waiting.popleft()
                waiting.extend(pool.submit(load_image, s) for s in itertools.islice(sources, 1))
                try:
                    pixels = decoding.result()
                except InputError as error:
                    if faulty is None:
                        raise
                    faulty(number, error)
                else:
                    yield pixels
        finally:  # whoever stops early does not wait for pictures that nobody wants
            pool.shutdown(wait=False, cancel_futures=True)
