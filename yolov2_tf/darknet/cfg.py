"""Darknet `.cfg` files as text: sections of `key=value` options, read and written.

What the sections mean, and whether they make a YOLOv2 network, is the matter of `network`.
Source: Darknet's `read_cfg` (src/parser.c) and src/option_list.c.
"""

import codecs
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
_HEADER_COMMENT = re.compile(r"\s[#;].*")
# Darknet takes a number up to the first character that does not belong to it.
_NUMBERS_AND_COMMENT = re.compile(r"([-+0-9.,eE\s]*[0-9.,])\s*(#|;|//).*")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # as Python's `surrogateescape` decodes a byte
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
        notes: What was ignored in it, one line each, for the user to see.
    """

    type: str
    options: dict[str, str] = dataclasses.field(default_factory=dict)
    source: str = dataclasses.field(default="cfg", compare=False)
    line: int = dataclasses.field(default=0, compare=False)
    lines: dict[str, int] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    notes: list[str] = dataclasses.field(default_factory=list, compare=False, repr=False)

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
        """The finite numbers at `key`, separated by commas; one more comma may end them.

        Raises as `integer` does.
        """
        *parts, last = self._text(key).split(",")
        parts += [last] if last.strip() or not parts else []
        return [self._number(key, part, low, high) for part in parts]

    def choice(self, key, default, choices):
        """The word at `key`, one of `choices`. Raises as `integer` does."""
        value = self.options.get(key, default)
        if value not in choices:
            raise self._error(
                key,
                value,
                "one of " + ", ".join(choices),
                "a comment on a line of its own" if re.search("[#;]|//", value) else None,
            )
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
            raise self._error(key, text, str(low) if low == high else f"{low} to {high}")
        return value

    def _number(self, key, text, low, high):
        if not _NUMBER.fullmatch(text.strip()) or not math.isfinite(value := float(text)):
            raise self._error(key, text, "a number")
        if not low <= value <= high:
            raise self._error(key, text, f"{low:g} to {high:g}")
        return value

    def _error(self, key, text, expected, hint=None):
        what = f"[{self.type}] {key} is {shorten(text)}"
        return InputError(what, where=self.where(key), expected=expected, hint=hint)


def shorten(text):
    """`text` in quotes for a message: control characters escaped, cut to 40 characters."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def read_cfg(path):
    """Reads the sections of a cfg file.

    Args:
        path: The file; UTF-8, with or without BOM, or UTF-16 with one; any line endings. Comments
            may have any encoding.

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
    return parse_cfg(_decode(data, path), source=str(path))


def _decode(data, path):
    """The text of a file; bytes that are not UTF-8 stay as surrogates: comments may have them."""
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig", "surrogateescape")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError(
            "is not text", where=path, hint="give the .cfg first, then the .weights file"
        )
    return text


def parse_cfg(text, source="cfg"):
    """Parses the text of a cfg.

    Lines are `[type]`, `key=value`, blank, or comments (`#`, `;`). A comment may also follow a
    header, or numbers (there `//` too, and without a blank before it); after words Darknet knows
    none. As in Darknet, the first value of a key counts and lines that are no options are ignored;
    both are noted. (OpenCV takes the last value.)

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
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            line = _HEADER_COMMENT.sub("", line)
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
    key, _, value = (part.strip() for part in line.partition("="))
    where = f"{section.source}:{number}"
    if not (key and value):
        section.notes.append(f"{where}: {shorten(line)} is no option; ignored, as in Darknet")
        return
    numbers = _NUMBERS_AND_COMMENT.fullmatch(value)
    value = numbers[1] if numbers else value
    wrong = _NOT_UTF8.search(key + value)
    if wrong:
        raise InputError(
            f"byte 0x{ord(wrong[0]) - 0xDC00:02x} is not UTF-8 text",
            where=where,
            expected="UTF-8, but for comments",
            hint="save the file as UTF-8",
        )
    if section.options.setdefault(key, value) != value:
        section.notes.append(
            f"{where}: [{section.type}] has {shorten(key)} again, {shorten(value)}; the first"
            f" counts, as in Darknet: {shorten(section.options[key])} in line {section.lines[key]}"
        )
    section.lines.setdefault(key, number)


def write_cfg(sections):
    """The text of a cfg. `parse_cfg(write_cfg(sections)) == sections`.

    Args:
        sections: The `Section`s.

    Returns:
        str, ending in a newline.

    Raises:
        InputError: If a value cannot stand in a cfg, such as one with a line break in it.
    """
    text = "\n".join(
        f"[{section.type}]\n"
        + "".join(f"{key}={value}\n" for key, value in section.options.items())
        for section in sections
    )
    if parse_cfg(text) != list(sections):
        raise InputError("an option cannot stand in a cfg: a line break in its value, or no value?")
    return text
