"""Damaged inputs by the thousand: each gives a result or `InputError`, soon, in little memory."""

import contextlib
import copy
import json
import signal
import time
from types import SimpleNamespace

from peak_memory import measured

from yolov2_tf.errors import InputError

LONGEST = 5
"""Seconds of the processor that one input may take. Other processes do not count, so that a busy
machine makes no difference; what never ends uses them up, and is interrupted."""

WAITED = 120
"""Seconds by the clock after which one input is taken to wait for what never comes."""

MOST = 1e9
"""Bytes that all of them may take."""

TOKENS = (
    *(b"nan", b"-1", b"1e999", b"0", b"\0", b"\xff", b"\n", b",", b";", b'"', b"{", b"[", b"]"),
    *(b"null", b"true", b"..", b"/", b"\\", b": ", b"- ", b"\xef\xbb\xbf", b"\xff\xfe", b"%zz"),
    *(b"9" * 400, b"[" * 300, "é".encode(), b"1.5", b"train", b"images", b"\t", b"'", b"?"),
    *(b"|", b"#", b"&a *a", b"<", b">", b"&x;", b"}", b"1e18", b"\\ud800", b"utf-16", b"gb2312"),
)  # fmt: skip
"""What is put into texts."""

VALUES = (
    *(None, True, -1, 0, 0.5, 3, 7, 9.0, 90, 1e18, 2**31, 10**30, float("nan"), float("inf")),
    *("", "7", "x", "\ud800", "../a.jpg", "a.jpg\0", "é" * 300),
    *([], {}, [1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4], [9, 9, 1, 1], [[]], ["1", "2", "3", "4"]),
)
"""What is put into JSON."""


def mutated(content, source, tokens=TOKENS):
    """Bytes with one to three pieces changed, taken away, doubled or put elsewhere."""
    for _ in range(source.randint(1, 3)):
        start = source.randrange(len(content) + 1)
        end = min(len(content), start + source.choice((0, 1, 1, 2, 5, 20, len(content) // 20)))
        number, after = str(source.random()).encode(), content[end : end + 20]
        new = (b"", source.choice(tokens), source.choice(tokens), source.randbytes(1), number)
        content = content[:start] + source.choice((*new, after, content[start:end] * 2))
    return content


def mutated_json(content, source, values=VALUES):
    """JSON with one to three values changed or taken away; still JSON."""
    tree = json.loads(content)
    for _ in range(source.randint(1, 3)):
        node, key = tree, source.choice(_keys(tree))
        while isinstance(node[key], dict | list) and node[key] and source.random() < 0.9:
            node = node[key]
            key = source.choice(_keys(node))
        if isinstance(node, dict) and source.random() < 0.2 and len(node) > 1:
            del node[key]
        else:
            node[key] = copy.deepcopy(source.choice(values))
    return json.dumps(tree).encode()


def _keys(node):
    return list(node) if isinstance(node, dict) else range(len(node))


def open_all(prepare, opening, times):
    """Opens damaged inputs.

    Args:
        prepare: Makes the next input; called with its number.
        opening: Opens it.
        times: How many.

    Returns:
        Namespace of `opened` (how many did not raise `InputError`), `longest` (seconds of the
        processor) and `growth` (bytes).

    Raises:
        Exception: Whatever else an input makes `opening` raise.
        TimeoutError: If one takes longer than `LONGEST`, or waits for `WAITED`.
    """
    opened, longest = 0, 0.0
    with measured() as memory:
        for number in range(times):
            prepare(number)
            start = time.process_time()
            with contextlib.suppress(InputError), _interrupted():
                opening()
                opened += 1
            longest = max(longest, time.process_time() - start)
    return SimpleNamespace(opened=opened, longest=longest, growth=memory.growth)


def check_thousands(what, found, times=10_000):
    """Some of so many damaged inputs were opened and others refused, soon and in little memory.

    Args:
        what: What they are, to be printed with the figures.
        found: Of `open_all`.
        times: How many they were.
    """
    print(f"{what}: {found.opened:,} of {times:,} were opened, at most {found.longest:.2f} s")
    assert 0 < found.opened < times
    assert found.longest < LONGEST
    assert found.growth < MOST


@contextlib.contextmanager
def _interrupted():
    """Raises TimeoutError where the block takes `LONGEST` of the processor, or waits `WAITED`."""

    def stop(number, _):
        what = "takes too long" if number == signal.SIGPROF else "waits for ever"
        raise TimeoutError(f"an input {what}")

    timers = (
        (signal.SIGPROF, signal.ITIMER_PROF, LONGEST),
        (signal.SIGALRM, signal.ITIMER_REAL, WAITED),
    )
    before = [signal.signal(number, stop) for number, *_ in timers]
    try:
        for _, timer, seconds in timers:
            signal.setitimer(timer, seconds)
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
