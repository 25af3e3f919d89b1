"""Networks on WebGPU, which Chromium's SwiftShader computes on the processor."""

import shutil

import numpy as np
import pytest
from page_checks import check_same, drop_picture

from yolov2_tf.export.runtime import TFLiteDetector

SWIFTSHADER = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")


@pytest.fixture(scope="module")
def gpu_browser(browse):
    with browse(*SWIFTSHADER) as started:
        yield started


def check_close(state, model, picture):
    """GPUs compute int8 files in floats: the same things are found, nearly as surely."""
    found = TFLiteDetector(model).detect(picture)
    ours, theirs = (
        np.argsort(labels, kind="stable") for labels in (state["labels"], found["labels"])
    )
    np.testing.assert_array_equal(state["labels"][ours], found["labels"][theirs])
    np.testing.assert_allclose(state["scores"][ours], found["scores"][theirs], atol=0.05)
    np.testing.assert_allclose(state["boxes"][ours], found["boxes"][theirs], atol=0.02)


def choose(browser, element, label):
    browser.run("document.getElementById('status').textContent = ''")
    browser("page.selectOption", f"#{element}", {"label": label})
    browser.wait_for_words("object", "Object", "Ready")  # with the picture that is shown, if any


def test_a_gpu_gets_the_boxes_of_every_kind_of_model(
    gpu_browser, serve, site, models, scenes, save
):
    picture = save("scene.png", scenes[2])
    with serve(site) as url:
        gpu_browser.open(url)
        # What the processor plays is no gain: it is taken only where it is asked for.
        assert gpu_browser.text("runs-on").startswith("CPU")
        choose(gpu_browser, "place", "GPU")
        for name in ("float", "tree", "int8"):
            choose(gpu_browser, "model", name)
            assert gpu_browser.text("runs-on").startswith("GPU"), gpu_browser.text("notice")
            drop_picture(gpu_browser, picture)
            if name == "int8":
                check_close(gpu_browser.state(), models[name], picture)
            else:
                assert check_same(gpu_browser.state(), models[name], picture)
        gpu_browser.screenshot("gpu")
        gpu_browser.check_quiet()


def test_both_are_measured_on_the_page(gpu_browser, serve, site, scenes, save):
    with serve(site) as url:
        gpu_browser.open(url)
        choose(gpu_browser, "model", "tree")
        drop_picture(gpu_browser, save("scene.png", scenes[2]))
        gpu_browser("page.click", "#measure")
        gpu_browser.wait_for_words("Measured")
        first, cpu, gpu, _ = gpu_browser.run("document.getElementById('share').value").split("\n")
        assert first == "tree (64 px, float32), 30 runs"
        assert cpu.startswith("CPU, ")
        assert gpu.startswith("GPU")
        for line in (cpu, gpu):
            median, p95 = (
                float(word.split()[0]) for word in line.split("median ")[1].split("below ")
            )
            assert 0 < median <= p95
        gpu_browser.screenshot("measured")


def test_without_a_gpu_the_cpu_takes_over_and_the_page_says_so(
    browser, serve, site, models, scenes, save
):
    picture = save("scene.png", scenes[2])
    with serve(site) as url:
        browser.open(url)
        choose(browser, "place", "GPU")
        assert browser.text("runs-on").startswith("CPU")
        assert "no GPU" in browser.text("notice")
        drop_picture(browser, picture)
        assert check_same(browser.state(), models["digits"], picture)


def test_a_gpu_that_is_lost_in_a_run_is_replaced(
    gpu_browser, serve, site, models, scenes, save, tmp_path
):
    copy = shutil.copytree(site, tmp_path / "site")
    network = copy / "network.js"
    lost = """async run(pixels) {
    this.runs = (this.runs ?? 0) + 1;
    if (this.place !== "cpu" && this.runs > 1) throw new Error("Device lost");"""
    assert "async run(pixels) {" in network.read_text()
    network.write_text(network.read_text().replace("async run(pixels) {", lost))
    picture = save("scene.png", scenes[2])
    with serve(copy) as url:
        gpu_browser.open(url)
        choose(gpu_browser, "place", "GPU")
        assert gpu_browser.text("runs-on").startswith("GPU")
        drop_picture(gpu_browser, picture)
        assert gpu_browser.text("runs-on").startswith("CPU")
        assert "The GPU stopped" in gpu_browser.text("notice")
        assert check_same(gpu_browser.state(), models["digits"], picture)
