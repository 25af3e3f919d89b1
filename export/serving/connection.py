"""How a client reaches a server: certificates, headers, and what is tried again."""

import dataclasses
import random
import time
from pathlib import Path

from yolov2_tf.errors import InputError

PROTOCOLS = {"http": "REST", "https": "REST", "grpc": "gRPC", "grpcs": "gRPC"}
"""What servers speak, by how their addresses begin."""

FIRST_WAIT = 0.25
"""Seconds before the second try; each later wait is twice as long, and up to half is random."""

RETRIED_STATUS = (429, 502, 503, 504)
"""Answers of HTTP that say: later. gRPC says UNAVAILABLE and RESOURCE_EXHAUSTED."""


@dataclasses.dataclass(frozen=True)
class Connection:
    """How a client reaches a server.

    Attributes:
        timeout: Seconds to wait for an answer.
        retries: How often a request is sent again that the server could not take: no connection,
            too many requests, not available. What it refuses is not.
        headers: Dict of headers that go with each request, e.g. `{"Authorization": "Bearer …"}`;
            gRPC sends them as metadata.
        certificates: PEM file of the authorities that `https` and `grpcs` servers are checked by;
            default: those of this computer.
        requests: How many requests are under way at once, where there are several pictures.

    Raises:
        InputError: If there is no such file, a header is none, or there are no requests.
    """

    timeout: float = 30.0
    retries: int = 2
    headers: dict = dataclasses.field(default_factory=dict)
    certificates: str | None = None
    requests: int = 4

    def __post_init__(self):
        if self.requests < 1:
            raise InputError(f"{self.requests} requests at once", expected="1 or more")
        if self.certificates is not None and not Path(self.certificates).is_file():
            raise InputError("no such file", where=self.certificates, expected="a PEM file")
        for name, value in self.headers.items():
            if not name or any(c in f"{name}{value}" for c in "\r\n"):
                raise InputError(f"not a header: {name!r}", expected="a name and a line of text")


class Later(Exception):
    """The server could not take the request; `error` tells why."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


def persistently(ask, retries, sleep=time.sleep):
    """Calls a function that may raise `Later`, again after longer and longer waits.

    Args:
        ask: Function of no arguments.
        retries: How often it is called again.
        sleep: Waits so many seconds.

    Returns:
        What it returns.

    Raises:
        Exception: The error in the last `Later`.
    """
    for tried in range(retries + 1):
        try:
            return ask()
        except Later as later:
            if tried == retries:
                raise later.error from later
            sleep(FIRST_WAIT * 2**tried * random.uniform(0.5, 1.0))
