"""Loads the YAML files that describe YOLO data sets, also those that are nearly YAML."""

import collections

from yolov2_tf.data.text_files import read_text
from yolov2_tf.errors import InputError

_LARGEST = 1_000_000  # letters of a description; those of 10,000 classes have 200,000


def load_yaml(path):
    """Loads a YAML file of keys; every scalar stays text.

    Args:
        path: The file.

    Returns:
        A dict and a list of notes.

    Raises:
        InputError: If it is malformed or has no keys.
    """
    text, notes = read_text(path), []
    try:
        content = _parse_yaml(text, path, notes)
    except InputError:
        # Windows paths in double quotes, and tabs, are no YAML, but clear enough.
        mended = text.replace("\\", "/").expandtabs(2)
        if mended == text:
            raise
        try:
            content = _parse_yaml(mended, path, notes)
        except InputError:
            content = None
        if not isinstance(content, dict):
            raise
        notes.append(f"{path}: tabs or backslashes that YAML forbids, read as blanks and slashes")
    if not isinstance(content, dict):
        raise InputError("no keys", where=path, expected="train, val, names")
    return content, notes


def _parse_yaml(text, path, notes):
    import yaml

    # The base loader keeps every scalar as text: a class may be called `no` or `1e3`.
    class Loader(yaml.BaseLoader):
        def compose_node(self, parent, index):
            # Aliases of aliases make gigabytes of a few lines, and no description needs one.
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark
                raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node, deep=False):
            # Notebooks append lines to a description, where the last is meant; a class is lost.
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for key, times in collections.Counter(keys).items():
                if times > 1 and key.isdecimal():
                    mark = [k for k, _ in node.value if k.value == key][1].start_mark
                    what = f"the number {key[:40]} is there {times} times"
                    raise yaml.constructor.ConstructorError(None, None, what, mark)
                if times > 1:
                    notes.append(f"{path}: {key[:40]!r} is there {times} times, the last is taken")
            return super().construct_mapping(node, deep)

    if len(text) > _LARGEST:
        raise InputError(
            f"a description of {len(text):,} letters", where=path, expected=f"at most {_LARGEST:,}"
        )
    try:
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"malformed YAML: {error.problem}", where=f"{path}{line}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"malformed YAML: {error}", where=path) from None
