"""The exported folder where nothing is as it should be: plain servers, no server, missing parts."""

import shutil

import pytest
from page_checks import check_same, drop_picture, plainly_served


def test_a_plain_server_is_enough_for_threads(browser, site, models, scenes, save):
    with plainly_served(site) as url:
        browser.open(url)
        assert browser.run("crossOriginIsolated")
        assert int(browser.text("threads")) > 1
        assert not browser.run("document.getElementById('notice').checkVisibility()")
        picture = save("scene.png", scenes[2])
        drop_picture(browser, picture)
        assert check_same(browser.state(), models["digits"], picture)
        browser.check_quiet()
    browser("page.reload")  # the server is gone
    browser.wait_for_words("Ready")
    assert int(browser.text("threads")) > 1


def test_without_service_workers_it_runs_on_one_thread_and_says_so(
    browser, site, models, scenes, save
):
    with plainly_served(site) as url:
        browser.begin(url, serviceWorkers="block")
        browser.wait_for_words("Ready")
        assert browser.text("threads") == "1"
        assert "One thread only" in browser.text("notice")
        picture = save("scene.png", scenes[2])
        drop_picture(browser, picture)
        assert check_same(browser.state(), models["digits"], picture)


def test_a_folder_without_a_server_gets_a_sentence(browser, site):
    browser.begin(f"file://{site}/index.html")
    browser.wait("document.getElementById('alert').checkVisibility()")
    assert "web server" in browser.alert()
    assert "http.server" in browser.alert()
    browser.screenshot("file")


def test_without_javascript_there_is_a_sentence(browser, serve, site):
    with serve(site) as url:
        browser.begin(url, javaScriptEnabled=False)
        browser.screenshot("no_javascript")
        shown = browser.run("document.body.innerText")
        assert "needs JavaScript" in shown
        assert "Choose a picture" not in shown


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("app.js", "part of this page is missing"),
        ("view.js", "part of this page is missing"),
        ("worker.js", "worker.js is missing"),
        ("detector.js", "part of this page is missing"),
        ("layout.js", "part of this page is missing"),
        ("suppression.js", "part of this page is missing"),
        ("content.json", "content.json could not be fetched (404)"),
        ("litert/core.js", "part of this page is missing"),
        ("litert/wasm/*_threaded_internal.wasm.gz", "_internal.wasm.gz could not be fetched (404)"),
        ("litert/wasm/*_threaded_internal.js", "did not start"),
        ("models/0/model.tflite", "model.tflite could not be fetched (404)"),
    ],
)
def test_a_missing_part_gets_a_sentence(browser, serve, site, tmp_path, part, words):
    copy = shutil.copytree(site, tmp_path / "site")
    for path in copy.glob(part):
        path.unlink()
    with serve(copy) as url:
        browser.begin(url)
        browser.wait("document.getElementById('alert').checkVisibility()")
        assert words in browser.alert()


def test_a_damaged_part_gets_a_sentence(browser, serve, site, tmp_path):
    copy = shutil.copytree(site, tmp_path / "site")
    for path in copy.glob("litert/wasm/*.wasm.gz"):
        path.write_bytes(path.read_bytes()[:100_000])
    with serve(copy) as url:
        browser.begin(url)
        browser.wait("document.getElementById('alert').checkVisibility()")
        assert "is damaged on the page's server" in browser.alert()
