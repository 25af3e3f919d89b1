"""The pages of `inspect` and `evaluate --report` in a real browser: accessible, and alone."""

import pytest

from yolov2_tf.data.digits.scenes import open_digits
from yolov2_tf.evaluation.detections import evaluate
from yolov2_tf.export.runtime import TFLiteDetector
from yolov2_tf.report.data_report import data_page, inspect_dataset
from yolov2_tf.report.page import write_page
from yolov2_tf.report.score_page import score_page
from yolov2_tf.report.score_report import measure


@pytest.fixture(scope="module")
def reports(models, tmp_path_factory):
    """A folder with both pages on scenes of digits."""
    folder = tmp_path_factory.mktemp("reports")
    dataset = open_digits("val", count=16)
    write_page(folder / "inspect", data_page(dataset, inspect_dataset(dataset, 224)))
    detector = TFLiteDetector(models["digits"], score_threshold=0.01)
    found = list(detector.detect(record.image for record in dataset.records))
    evaluation = evaluate(dataset, found)
    fewer = [{key: value[:2] for key, value in one.items()} for one in found]
    against = "other.tflite", fewer, evaluate(dataset, fewer)
    report = measure(dataset, found, evaluation, 1.0, against)
    page = score_page(dataset, found, report, model="digits.tflite", device="LiteRT")
    write_page(folder / "evaluate", page)
    return folder


@pytest.fixture(scope="module")
def axe(packages):
    path = packages / "axe-core" / "axe.min.js"
    return path if path.is_file() else pytest.fail("needs axe-core: `npm ci` in web_demo")


@pytest.fixture(scope="module")
def browser(browse):
    with browse() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["inspect", "evaluate"])
def test_reports_are_accessible_and_ask_for_nothing(
    browser, serve, reports, axe, name, theme, width
):
    with serve(reports) as url:
        browser("test.begin")
        browser("page.setViewportSize", {"width": width, "height": 860})
        browser("page.emulateMedia", {"colorScheme": theme})
        browser("page.goto", f"{url}{name}/index.html")
        background = browser.run("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) == (theme == "dark")
        assert browser.run("document.documentElement.scrollWidth") <= width
        seen = browser("test.seen")
        assert seen["errors"] == []
        assert [text for kind, text in seen["console"] if kind == "error"] == []
        assert [u for u in seen["requests"] if not u.startswith("data:")] == [
            f"{url}{name}/index.html"
        ]
        browser.run("document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; })")
        browser.wait("[...document.images].every((image) => image.complete)")
        assert browser.run("[...document.images].every((image) => image.naturalWidth > 0)")
        browser("page.addScriptTag", {"path": str(axe)})
        found = browser.run("axe.run().then((result) => result.violations)")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        browser.screenshot(f"report_{name}_{theme}_{width}")
