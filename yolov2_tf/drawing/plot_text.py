"""Names of classes as a plot can hold them."""

LONGEST = 28


def plain(text):
    """Text that Matplotlib does not take for a formula or for "no legend", and has room for."""
    text = "".join(c if c.isprintable() else "?" for c in str(text))
    text = (text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…").replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text
