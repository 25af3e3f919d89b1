"""Makes the site of the files as they lie in the repository: a hook of MkDocs.

A notebook becomes a page of its texts and its code. Links in the files are those that work in the
repository. A site has nothing but its pages, so a link to a file that is no page becomes the name
of that file.
"""

import json
import os
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# Pages of files that are none as they lie there.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "docs/tutorial.ipynb": "tutorial.md",
}

_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()#\s]+)(#[^()\s]*)?\)")


def on_files(files, config):
    """Adds the pages of `PAGES`."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text("utf-8")
        if source.endswith(".ipynb"):
            text = notebook_page(text)
        files.append(File.generated(config, page, content=text))
    return files


def notebook_page(text):
    """Markdown of a notebook: its texts, its code without outputs.

    Args:
        text: The notebook, JSON.

    Returns:
        Markdown. Cells of commands alone are what one types into a terminal.
    """
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            commands = all(line.startswith("!") for line in source.splitlines())
            kind = "console" if commands else "python"
            code = re.sub("^!", "", source, flags=re.MULTILINE) if commands else source
            source = f"```{kind}\n{code}\n```"
        parts.append(source)
    return "\n\n".join(parts) + "\n"


def on_page_markdown(markdown, page, **_):
    """Turns links of the repository into links of the site."""
    sources = {name: ROOT / source for source, name in PAGES.items()}
    source = sources.get(page.file.src_uri, DOCS / page.file.src_uri)
    return _LINK.sub(lambda link: _on_site(link, source), markdown)


def _on_site(link, source):
    text, address, anchor = link.groups()
    target = Path(os.path.normpath(source.parent / address))
    if not target.exists():  # another host's, or broken: MkDocs says so
        return link[0]
    name = target.relative_to(ROOT).as_posix()
    if name in PAGES:
        return f"[{text}]({PAGES[name]}{anchor or ''})"
    if target.is_relative_to(DOCS):
        return f"[{text}]({target.relative_to(DOCS).as_posix()}{anchor or ''})"
    return f"`{name}`" if text in name else f"{text} (`{name}`)"
