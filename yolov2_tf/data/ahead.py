"""Work that is done ahead of who wants it, in threads, and never by more than a little."""

import collections
import contextlib
from concurrent.futures import ThreadPoolExecutor


def ahead(function, items, *, threads, limit=None):
    """Yields `function(item)` for each item, in their order; a few are worked on at once.

    Args:
        function: What threads call; what it raises is raised here, in its turn.
        items: Iterable, which is read no further ahead than needed.
        threads: How many threads call it.
        limit: How many items are taken beyond the one that is asked for; default: `threads`.
    """
    waiting = collections.deque()
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        stack.callback(lambda: [one.cancel() for one in waiting])  # if nobody wants the rest
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > (threads if limit is None else limit):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
