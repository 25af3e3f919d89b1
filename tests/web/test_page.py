"""The page in a real browser, against the Python detector on the same files and pictures."""

import io
import shutil

import numpy as np
from page_checks import check_same, drop_picture, write_video
from PIL import Image, ImageCms

from yolov2_tf.data.images import load_image
from yolov2_tf.detection.thresholds import SCORE
from yolov2_tf.export.runtime import TFLiteDetector


def test_a_picture_gets_the_boxes_of_every_kind_of_model(page, models, scenes, save):
    square = save("scene.png", scenes[2])
    wide = save("wide.png", scenes[2][:333])
    assert not page.run("document.getElementById('notice').checkVisibility()")
    page.drop(square)
    for name, model in models.items():
        page("page.selectOption", "#model", {"label": name})
        page.wait_for_words("object")
        page.screenshot(f"picture_{name}")
        for picture in (square, wide):
            drop_picture(page, picture)
            assert check_same(page.state(), model, picture)


def test_pictures_are_decoded_as_python_decodes_them(page, models, scenes, save):
    portrait = scenes[2][:, :301]
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    for name, options, tolerance in (
        ("turned.jpg", {"exif": exif, "quality": 95}, 2),
        ("lossless.webp", {"lossless": True}, 0),
        ("palette.gif", {}, 0),
        (
            "profile.png",
            {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()},
            0,
        ),
    ):
        path = save(name, portrait, **options)
        drop_picture(page, path)
        difference = np.abs(page.state()["pixels"].astype(int) - load_image(path))
        assert difference.max() <= tolerance, name


def test_the_camera_gets_the_boxes_of_each_frame(browse, serve, site, models, scenes, tmp_path):
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",  # allows the camera without asking
        f"--use-file-for-fake-video-capture={write_video(tmp_path / 'digits.y4m', scenes)}",
    )
    with serve(site) as url, browse(*flags) as browser:
        browser.open(url)
        browser("page.click", "#camera")
        browser.wait("document.querySelectorAll('.box').length > 0")
        seen, boxes = set(), 0
        for _ in range(8):
            # Frames and boxes are taken off the page at one moment: they must belong together.
            state = browser.state()
            boxes += check_same(state, models["digits"], state["pixels"])
            errors = [np.abs(state["pixels"].astype(int) - scene).mean() for scene in scenes]
            assert min(errors) < 6, "the camera shows none of the scenes"
            seen.add(int(np.argmin(errors)))
            browser("page.waitForTimeout", 400)
        assert boxes
        assert len(seen) > 1, "the picture stood still"
        assert browser.run("document.getElementById('rate').textContent").endswith("frames/s")
        browser.screenshot("camera")

        browser("page.click", "#camera")
        browser.wait_for_words("The camera is off")
        frames = [browser.state()["pixels"] for _ in range(2) if not browser.run(PAUSE)]
        np.testing.assert_array_equal(*frames)
        browser.check_quiet()


PAUSE = "new Promise((resolve) => setTimeout(() => resolve(null), 300))"


def test_without_a_camera_there_is_a_message(page):
    page("page.click", "#camera")
    page.wait("document.getElementById('alert').checkVisibility()")
    assert "camera" in page.alert()


def test_without_webassembly_there_is_a_message(browser, serve, site):
    with serve(site) as url:
        browser("test.begin")
        browser("context.addInitScript", {"content": "delete globalThis.WebAssembly"})
        browser("page.goto", url)
        browser.wait("document.getElementById('alert').checkVisibility()")
        assert "WebAssembly" in browser.alert()
        assert "no model" in browser.run("document.getElementById('status').textContent")


def test_a_model_that_is_gone_gets_a_message(browser, serve, site, tmp_path):
    copy = shutil.copytree(site, tmp_path / "site")
    with serve(copy) as url:
        browser.open(url)
        (copy / "models" / "1" / "model.tflite").unlink()
        browser("page.selectOption", "#model", "1")
        browser.wait("document.getElementById('alert').checkVisibility()")
        assert "404" in browser.alert()
        assert browser.run("document.getElementById('model').value") == "0"
        browser.check_quiet(failed_requests=True)


def test_unusable_files_get_a_message_and_change_nothing(page, models, scenes, save, tmp_path):
    good = save("good.png", scenes[2])
    drop_picture(page, good)
    content = models["float"].read_bytes()
    files = {
        "words.txt": (b"These are words.", "not a picture"),
        "broken.png": (good.read_bytes()[:60], "“broken.png”"),
        "huge.png": (huge_png(), "90 million pixels"),
        "empty.jpg": (b"", "not a picture"),
        "strange.tflite": (b"no model at all", "yolov2 export"),
        "cut.tflite": (content[: len(content) // 2], "yolov2 export"),
        # The archive at its end is whole, the network before it is not.
        "rotten.tflite": (bytes(4000) + content[4000:], "cannot run this model"),
    }
    for name, (damaged, message) in files.items():
        path = tmp_path / name
        path.write_bytes(damaged)
        page.run("document.getElementById('alert').hidden = true")
        page.drop(path)
        page.wait("document.getElementById('alert').checkVisibility()")
        assert message in page.alert(), name
        assert check_same(page.state(), models["digits"], good)
        if name == "words.txt":
            page.screenshot("unusable_file")
    assert page.run("document.getElementById('model').selectedOptions[0].text") == "digits"
    drop_picture(page, good)  # all goes on
    assert page.alert() is None


def huge_png():
    encoded = io.BytesIO()
    Image.fromarray(np.zeros((9_000, 10_000), np.uint8)).save(encoded, "png", compress_level=1)
    return encoded.getvalue()


def test_a_dropped_model_is_used(page, models, scenes, save, tmp_path):
    picture = save("scene.png", scenes[2])
    drop_picture(page, picture)
    own = shutil.copy(models["int8"], tmp_path / "my own.tflite")
    page.drop(own)
    page.wait("document.getElementById('model').selectedOptions[0].text === 'my own'")
    page.wait_for_words("object")
    assert check_same(page.state(), own, picture)


def test_it_can_be_used_by_keyboard_alone(page, models, site):
    reached = []
    while "threshold" not in reached and len(reached) < 20:
        page("keyboard.press", "Tab")
        active = page.run("[document.activeElement.id, document.activeElement.innerHTML]")
        reached.append("example" if "example-" in active[1] else active[0])
        if reached.count("example") == 1 and reached[-1] == "example":
            page("keyboard.press", "Enter")
            page.wait_for_words("object")
    first = ["empty", "choose", "camera", "paste", *["example"] * 4]
    assert reached == [*first, "found", "save-picture", "save-json", "threshold"]

    for _ in range(20):
        page("keyboard.press", "ArrowRight")
    assert page.run("document.getElementById('threshold-value').textContent") == "45 %"
    state = page.state()
    example = site / "models" / "0" / "example-0.jpg"
    threshold = SCORE + 0.2
    found = TFLiteDetector(models["digits"], score_threshold=threshold).detect(state["pixels"])
    np.testing.assert_allclose(state["scores"], found["scores"], atol=0.02)
    assert np.abs(state["pixels"].astype(int) - load_image(example)).max() <= 2


def test_it_works_offline_once_loaded(browser, serve, site, models, scenes, save):
    picture = save("scene.png", scenes[2])
    with serve(site) as url:
        browser.open(url)
    browser("page.reload")  # the server is gone
    browser.wait_for_words("Ready")
    drop_picture(browser, picture)
    assert check_same(browser.state(), models["digits"], picture)
    assert browser.run("document.getElementById('threads').textContent") != "1"
    browser.check_quiet(failed_requests=True)


def test_it_fits_phones_and_dark_rooms(page, scenes, save):
    page("page.setViewportSize", {"width": 390, "height": 844})
    page("page.emulateMedia", {"colorScheme": "dark"})
    drop_picture(page, save("scene.png", scenes[2]))
    page.screenshot("phone_dark")
    assert page.run("document.documentElement.scrollWidth") <= 390
    background = page.run("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(15, 17, 21)"
