"""Where the commands print. Names may have brackets and colons: text is shown as it is."""


def make_console(**options):
    """A `rich.console.Console` that reads no markup and no emoji codes, in tables neither.

    What is to be bold or coloured is a `rich.text.Text`. Descriptions of bars and titles of panels
    are markup to Rich all the same.

    Args:
        **options: See `rich.console.Console`, e.g. `stderr=True`.
    """
    from rich.console import Console

    return Console(markup=False, emoji=False, **options)


def remark(console, kind, text):
    """Prints a line that begins with a yellow word.

    Args:
        console: `rich.console.Console`.
        kind: The word, e.g. `note`.
        text: What follows it.
    """
    from rich.text import Text

    console.print(Text.assemble((f"{kind}:", "yellow"), f" {text}"), soft_wrap=True)
