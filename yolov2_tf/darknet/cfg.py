"""Darknet `.cfg` files as text: sections of `key=value` options, read and written.

What the sections mean, and whether they make a YOLOv2 network, is the matter of `network`.
Source: Darknet's `read_cfg` (src/parser.c) and src/option_list.c.
"""

import dataclasses
import math
import re
from pathlib import Path

from yolov2_tf.errors import InputError

MAX_BYTES = 1 << 18  # the largest published cfg has 20 kB; nothing else is read as text

_ALIASES = {
    "network": "net",
    "conv": "convolutional",
    "max": "maxpool",
    "avg": "avgpool",
    "soft": "softmax",
}
_HEADER = re.compile(r"\[\s*(\w+)\s*\]")
_INLINE_COMMENT = re.compile(r"\s[#;].*")
# Python's int() and float() also take "1_000", "nan" and digits of other scripts.
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


@dataclasses.dataclass(frozen=True)
class Section:
    """One `[type]` of a cfg with its options, as text.

    Two sections are equal if they say the same; where they stood does not count.

    Attributes:
        type: The name in brackets, without its aliases: `"net"`, `"convolutional"`.
        options: Values by key, in file order.
        source: The file it was read from, for messages.
        line: The line of its header.
        lines: The line of each option.
    """

    type: str
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    source: str = dataclasses.field(default="cfg", compare=False)
    line: int = dataclasses.field(default=0, compare=False)
    lines: dict[str, int] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def where(self, key=None):
        """`"file:line"` of the option `key`, or of the section."""
        return f"{self.source}:{self.lines.get(key, self.line)}"

    def integer(self, key, default=None, *, low=0, high=2**31 - 1):
        """The whole number at `key`, between `low` and `high`.

        Raises:
            InputError: For anything else, or if `key` is missing and has no default.
        """
        if default is not None and key not in self.options:
            return default
        return self._integer(key, self._text(key), low, high)

    def number(self, key, default=None, *, low=-math.inf, high=math.inf):
        """The finite number at `key`, between `low` and `high`. Raises as `integer` does."""
        if default is not None and key not in self.options:
            return default
        return self._number(key, self._text(key), low, high)

    def integers(self, key, *, low=-(2**31), high=2**31 - 1):
        """The whole numbers at `key`, separated by commas. Raises as `integer` does."""
        return [self._integer(key, part, low, high) for part in self._text(key).split(",")]

    def numbers(self, key, *, low=-math.inf, high=math.inf):
        """The finite numbers at `key`, separated by commas. Raises as `integer` does."""
        return [self._number(key, part, low, high) for part in self._text(key).split(",")]

    def choice(self, key, default, choices):
        """The word at `key`, one of `choices`. Raises as `integer` does."""
        value = self.options.get(key, default)
        if value not in choices:
            raise self._error(key, value, "one of " + ", ".join(choices))
        return value

    def _text(self, key):
        if key not in self.options:
            raise InputError(f"[{self.type}] has no '{key}'", where=self.where())
        return self.options[key]

    def _integer(self, key, text, low, high):
        if not _INTEGER.fullmatch(text.strip()):
            raise self._error(key, text, "a whole number")
        value = int(text)
        if not low <= value <= high:
            raise self._error(key, text, f"{low} to {high}")
        return value

    def _number(self, key, text, low, high):
        if not _NUMBER.fullmatch(text.strip()) or not math.isfinite(value := float(text)):
            raise self._error(key, text, "a number")
        if not low <= value <= high:
            raise self._error(key, text, f"{low:g} to {high:g}")
        return value

    def _error(self, key, text, expected):
        return InputError(
            f"[{self.type}] {key} is {shorten(text)}", where=self.where(key), expected=expected
        )


def shorten(text):
    """`text` in quotes for a message: control characters escaped, cut to 40 characters."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def read_cfg(path):
    """Reads the sections of a cfg file.

    Args:
        path: The file; UTF-8, with or without BOM, any line endings.

    Returns:
        list of `Section`.

    Raises:
        InputError: If it cannot be read, is no text, or breaks the form; with the line.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from error
    if len(data) > MAX_BYTES:
        raise InputError(
            "is too large for a cfg", where=path, expected=f"at most {MAX_BYTES} bytes"
        )
    if b"\0" in data:
        raise InputError(
            "is not text", where=path, hint="give the .cfg first, then the .weights file"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not UTF-8 text",
            where=f"{path}:{line}",
            hint="save the file as UTF-8",
        ) from error
    return parse_cfg(text, source=str(path))


def parse_cfg(text, source="cfg"):
    """Parses the text of a cfg.

    Lines are `[type]`, `key=value`, blank, or comments (`#`, `;`, also after a value). A key
    that stands twice must have the same value (yolo9000.cfg repeats `batch`): Darknet would use
    the first, OpenCV the last.

    Args:
        text: The cfg.
        source: Its name in messages.

    Returns:
        list of `Section`.

    Raises:
        InputError: With `source:line`.
    """
    sections = []
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        line = _INLINE_COMMENT.sub("", line).strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            sections.append(_parse_header(line, source, number))
        elif sections:
            _parse_option(line, sections[-1], number)
        else:
            raise InputError(
                f"{shorten(line)} stands before any section",
                where=f"{source}:{number}",
                expected="[net] first",
            )
    if not sections:
        raise InputError("holds no sections", where=source, expected="a Darknet cfg")
    return sections


def _parse_header(line, source, number):
    match = _HEADER.fullmatch(line)
    if not match:
        raise InputError(
            f"{shorten(line)} is no section", where=f"{source}:{number}", expected="[type]"
        )
    name = match[1]
    return Section(_ALIASES.get(name, name), {}, source, number)


def _parse_option(line, section, number):
    key, equals, value = (part.strip() for part in line.partition("="))
    if not (key and equals and value):
        raise InputError(
            f"{shorten(line)} is no option",
            where=f"{section.source}:{number}",
            expected="key=value",
        )
    if section.options.setdefault(key, value) != value:
        raise InputError(
            f"[{section.type}] {shorten(key)} is {shorten(value)} here but"
            f" {shorten(section.options[key])} in line {section.lines[key]}",
            where=f"{section.source}:{number}",
            expected="one value",
        )
    section.lines.setdefault(key, number)


def write_cfg(sections):
    """The text of a cfg. `parse_cfg(write_cfg(sections)) == sections`.

    Args:
        sections: The `Section`s.

    Returns:
        str, ending in a newline.

    Raises:
        InputError: If a value cannot stand in a cfg, such as a path with ` #` in it.
    """
    text = "\n".join(
        f"[{section.type}]\n"
        + "".join(f"{key}={value}\n" for key, value in section.options.items())
        for section in sections
    )
    if parse_cfg(text) != list(sections):
        raise InputError("an option cannot stand in a cfg: a line break, or a ' #' in its value?")
    return text
