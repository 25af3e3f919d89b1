"""Tables for notebooks, which show what an object's `_repr_html_` returns."""

from html import escape


def html_table(title, columns, rows, footer=(), note=""):
    """A table of HTML. Texts are escaped, so a class may be called `<b>`.

    Args:
        title: What it is a table of.
        columns: Names of the columns. The first is text, the others are figures.
        rows: Lists of texts, one for each column.
        footer: A last row, or nothing.
        note: A line below, or nothing.

    Returns:
        The HTML, without scripts, styles of its own or addresses. It takes the notebook's colours.
    """
    parts = [
        "<table>",
        f"<caption>{escape(title)}</caption>",
        f"<thead>{_row(columns, 'th')}</thead>",
    ]
    parts.append(f"<tbody>{''.join(_row(row, 'td') for row in rows)}</tbody>")
    if footer:
        parts.append(f"<tfoot>{_row(footer, 'th')}</tfoot>")
    parts.append("</table>")
    if note:
        parts.append(f"<p>{escape(note)}</p>")
    return "".join(parts)


def _row(texts, cell):
    first, *figures = (escape(text) for text in texts)
    right = "".join(f'<{cell} style="text-align: right">{text}</{cell}>' for text in figures)
    return f'<tr><{cell} style="text-align: left">{first}</{cell}>{right}</tr>'
