"""The page's modules against the cases that all readers of a `.tflite` file share."""

import json
import shutil
from pathlib import Path

import pytest
from golden_runs import check_answer, golden_runs

from yolov2_tf.web_demo.site import PAGE


@pytest.fixture(scope="module")
def node_answers(run, page_runs):
    """What the modules make of the cases under Node."""
    return named(page_runs, run("golden", runs=page_runs))


@pytest.fixture(scope="module")
def browser_answers(browse, serve, page_runs, tmp_path_factory):
    """What they make of them in Chromium."""
    folder = shutil.copytree(PAGE, tmp_path_factory.mktemp("golden"), dirs_exist_ok=True)
    shutil.copy(Path(__file__).with_name("golden.mjs"), folder / "golden.js")
    (folder / "index.html").write_text("<!doctype html><title>Golden cases</title>")
    with serve(folder) as url, browse() as browser:
        browser("page.goto", url)
        answers = browser.run(
            f"""import("{url}golden.js").then(
                ({{ answers }}) => answers("{url}", {json.dumps(page_runs)}))"""
        )
    return named(page_runs, answers)


def named(runs, answers):
    return {run["name"]: answer for run, answer in zip(runs, answers, strict=True)}


# Looked up by its name, the browser does not show among the fixtures: see conftest.py.
@pytest.mark.parametrize("engine", ["node", pytest.param("browser", marks=pytest.mark.browser)])
@pytest.mark.parametrize("golden", golden_runs(), ids=lambda run: run["name"])
def test_golden_cases(request, engine, golden):
    answers = request.getfixturevalue(f"{engine}_answers")
    check_answer(golden, answers[golden["name"]])
