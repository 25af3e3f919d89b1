"""The one exception for input that cannot be used, and the one for work that was asked to stop.

The command line turns it into one message and exit code 2; library users can catch it as a
`ValueError`. Anything else that is raised is a bug of this package.
"""

import signal


class InputError(ValueError):
    """Input from the user that cannot be used, with what is needed to mend it.

    Args:
        what: What is wrong, e.g. `"class id 7 is out of range"`.
        where: The file, with line or element where known, e.g. `"labels/a.txt:3"`.
        expected: What would be right, e.g. `"0 to 2 (3 classes in data.yaml)"`.
        hint: What to try, e.g. `"check 'names' in data.yaml"`.
        field: Name of the value that is wrong, e.g. `"epochs"`: the command line names the option
            that it came from.
    """

    def __init__(self, what, *, where=None, expected=None, hint=None, field=None):
        self.what = what
        self.field = field
        self.where = None if where is None else str(where)
        self.expected = expected
        self.hint = hint
        message = f"{self.where}: {what}" if where is not None else what
        if expected is not None:
            message += f" (expected {expected})"
        if hint is not None:
            message += f". Try: {hint}"
        super().__init__(message)


class Stopped(Exception):
    """Work that ended on a signal, with all saved that it had done.

    Args:
        number: Number of the signal.
        what: What was done, and how to go on.
    """

    def __init__(self, number, what):
        self.number = number
        super().__init__(f"stopped by {signal.Signals(number).name} {what}")
