"""Makes the site of the files as they lie in the repository: a hook of MkDocs.

Links in the files are those that work in the repository. A site has nothing but its pages, so a
link to a file that is no page becomes the name of that file.
"""

import os
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# Pages of files outside docs/.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}

_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()#\s]+)(#[^()\s]*)?\)")


def on_files(files, config):
    """Adds the pages of files outside docs/."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


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
    if target.is_relative_to(DOCS):
        return f"[{text}]({target.relative_to(DOCS).as_posix()}{anchor or ''})"
    name = target.relative_to(ROOT).as_posix()
    if name in PAGES:
        return f"[{text}]({PAGES[name]}{anchor or ''})"
    return f"`{name}`" if text in name else f"{text} (`{name}`)"
