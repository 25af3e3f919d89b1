"""Checks that a page of HTML is whole and stands alone."""

import re
from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page refers to, and whether its elements close."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids, self.open, self.alts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for key in ("src", "href", "xlink:href"):
            if key in attributes:
                self.addresses.append(attributes[key])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "img":
            self.alts.append(attributes.get("alt"))
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "link", "img", "br"):
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def check_page(text):
    """It is well formed and needs nothing from elsewhere."""
    page = Page(text)
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    for address in page.addresses:
        assert address.startswith(("data:", "#"))
        if address.startswith("#"):
            assert address[1:] in page.ids
    for url in re.findall(r"url\(([^)]*)\)", text):
        assert url.startswith("#")
        assert url[1:] in page.ids
    assert "<script" not in text
    assert all(page.alts)
    return page
