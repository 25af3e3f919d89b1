"""axe-core finds nothing to object to, on any size, in any light, whatever is shown."""

import pytest
from page_checks import drop_picture

SIZES = {"desktop": (1280, 860), "phone": (390, 844)}


def violations(browser):
    found = browser.run(
        "axe.run().then(({violations}) => violations.map(({id, nodes}) => "
        "[id, ...nodes.map(({target, failureSummary}) => `${target}: ${failureSummary}`)]))"
    )
    checked = browser.run("axe.run().then(({passes}) => passes.length)")
    assert checked > 20  # it looked at something
    return found


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_has_no_objections(page, packages, scenes, save, tmp_path, size, light):
    width, height = SIZES[size]
    page("page.setViewportSize", {"width": width, "height": height})
    page("page.emulateMedia", {"colorScheme": light})
    page("page.addScriptTag", {"path": str(packages / "axe-core" / "axe.min.js")})
    assert violations(page) == []
    page.screenshot(f"empty_{size}_{light}")

    drop_picture(page, save("scene.png", scenes[2]))
    assert page.state()["tags"]
    page("page.fill", "#classes", "unicorn")  # with its hint
    page("page.fill", "#classes", "")
    page("page.selectOption", "#place", {"label": "GPU"})  # refused: with its notice
    page.wait("document.getElementById('notice').checkVisibility()")
    page("page.click", "#measure")
    page.wait("document.getElementById('share').checkVisibility()")
    (tmp_path / "words.txt").write_text("These are words.")
    page.drop(tmp_path / "words.txt")
    page.wait("document.getElementById('alert').checkVisibility()")
    assert violations(page) == []
    assert page.run("document.documentElement.scrollWidth") <= width
    page.screenshot(f"full_{size}_{light}", fullPage=True)
