"""What people do on the page besides looking: choose, paste, filter, play, save."""

import io
import json

import numpy as np
import pytest
from page_checks import check_same, drop_picture
from PIL import Image

from yolov2_tf.export.runtime import TFLiteDetector


def test_a_click_on_the_empty_area_chooses_a_file(page):
    page.run(
        "document.getElementById('file').addEventListener('click', (event) => {"
        " event.preventDefault(); window.chosen = true; })"
    )
    page("page.click", "#drop")
    assert page.run("window.chosen")


def test_pasted_pictures_are_used(page, models, scenes, save):
    picture = save("scene.png", scenes[2])
    content = list(picture.read_bytes())
    page.run(
        f"""(() => {{
            const clipboardData = new DataTransfer();
            const bytes = new Uint8Array({json.dumps(content)});
            clipboardData.items.add(new File([bytes], "image.png", {{ type: "image/png" }}));
            document.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData, bubbles: true }}));
        }})()"""
    )
    page.wait_for_words("object")
    assert check_same(page.state(), models["digits"], picture)


def test_the_paste_button_uses_the_clipboard(browser, serve, site, models, scenes, save):
    picture = save("scene.png", scenes[1])
    content = list(picture.read_bytes())
    with serve(site) as url:
        browser.begin(url, permissions=["clipboard-read", "clipboard-write"])
        browser.wait_for_words("Ready")
        browser.run(
            f"""navigator.clipboard.write([new ClipboardItem({{ "image/png":
                new Blob([new Uint8Array({json.dumps(content)})], {{ type: "image/png" }}) }})])
                .then(() => null)"""
        )
        browser("page.click", "#paste")
        browser.wait_for_words("object")
        assert check_same(browser.state(), models["digits"], picture)
        browser.run("navigator.clipboard.writeText('words').then(() => null)")
        browser("page.click", "#paste")
        browser.wait("document.getElementById('alert').checkVisibility()")
        assert "no picture in the clipboard" in browser.alert()


def test_drawings_are_named_as_such(page, tmp_path):
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9'/></svg>"
    (tmp_path / "logo.svg").write_text(svg)
    page.drop(tmp_path / "logo.svg")
    page.wait("document.getElementById('alert').checkVisibility()")
    assert "“logo.svg” is an SVG drawing" in page.alert()


def test_classes_are_filtered(page, models, scenes, save):
    drop_picture(page, save("scene.png", scenes[2]))
    everything = page.state()
    label = everything["labels"][0]
    name = TFLiteDetector(models["digits"]).class_names[label]
    wanted = everything["labels"] == label
    page("page.fill", "#classes", f" {name.upper()} , unicorn")
    some = page.state()
    np.testing.assert_array_equal(some["boxes"], everything["boxes"][wanted])
    np.testing.assert_array_equal(some["drawn"], everything["drawn"][wanted])
    assert "“unicorn”" in page.text("classes-hint")
    page("page.fill", "#classes", "")
    np.testing.assert_array_equal(page.state()["boxes"], everything["boxes"])
    assert page.text("classes-hint") == ""


@pytest.mark.parametrize(
    ("text", "wanted", "unknown"),
    [
        ("", None, []),
        (" , ", None, []),
        ("bear", [1], []),
        ("BEAR, cat", [0, 1], []),
        ("ted", [2], []),
        ("cat, fish", [0], ["fish"]),
        ("fish", [], ["fish"]),
    ],
)
def test_classes_are_understood(run, text, wanted, unknown):
    answer = run("chosenClasses", text=text, names=["Cat", "bear", "teddy bear"])
    assert answer == {"wanted": wanted, "unknown": unknown}


def test_times_are_summed_up_by_rank(run):
    assert run("spread", times=list(range(20, 0, -1))) == {"median": 10, "p95": 19}
    assert run("spread", times=[3]) == {"median": 3, "p95": 3}


def test_what_is_shown_can_be_saved(page, models, scenes, save):
    picture = save("street.scene.png", scenes[2])
    drop_picture(page, picture)
    page("page.fill", "#threshold", "0.4")
    state = page.state()
    detector = TFLiteDetector(models["digits"], score_threshold=0.4)
    found = detector.detect(picture)
    assert len(found["scores"])

    name, content = page.saved("save-json")
    assert name == "street.scene.json"
    (entry,) = json.loads(content)
    assert entry["image"] == "street.scene.png"
    named = [detector.class_names[label] for label in found["labels"]]
    assert [each["label"] for each in entry["detections"]] == named
    np.testing.assert_allclose([d["box"] for d in entry["detections"]], state["boxes"], atol=1e-5)
    np.testing.assert_allclose(
        [d["score"] for d in entry["detections"]], state["scores"], atol=1e-5
    )

    name, content = page.saved("save-picture")
    assert name == "street.scene-boxes.png"
    drawn = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)
    assert drawn.shape == scenes[2].shape
    changed = (np.abs(drawn - scenes[2]) > 8).any(axis=2)
    height, width = changed.shape
    near = np.zeros_like(changed)
    for top, left, bottom, right in found["boxes"]:
        rows, columns = np.array([top, bottom]) * height, np.array([left, right]) * width
        for row in rows.astype(int):  # both lines of the box are there
            line = changed[max(row - 3, 0) : row + 4, slice(*columns.astype(int))]
            assert line.any(axis=0).mean() > 0.9
        (y, down), (x, across) = rows.astype(int), columns.astype(int)
        near[max(y - 24, 0) : down + 5, max(x - 90, 0) : across + 90] = True
    assert not changed[~near].any()


def test_a_video_plays_with_the_boxes_of_its_frames(page, models, scenes, tmp_path):
    video = webm(page, scenes, tmp_path)
    page.drop(video)
    page.wait("document.querySelectorAll('.box').length > 0")
    assert page.text("camera") == "Stop the video"
    boxes = 0
    for _ in range(4):
        state = page.state()
        boxes += check_same(state, models["digits"], state["pixels"])
        page("page.waitForTimeout", 150)
    assert boxes
    page.wait_for_words("is over")
    assert page.text("camera") == "Start the camera"
    assert page.saved("save-json")[0] == "film.json"


def webm(page, scenes, folder):
    """A film of the scenes, which Chromium records itself."""
    pictures = [[*cut.shape[1::-1], cut.ravel().tolist()] for cut in scenes[:3]]
    content = page.run(
        f"""(async () => {{
            const canvas = document.createElement("canvas");
            const context = canvas.getContext("2d");
            const recorder = new MediaRecorder(canvas.captureStream(20), {{
                mimeType: "video/webm", videoBitsPerSecond: 8_000_000 }});
            const parts = [];
            recorder.ondataavailable = ({{ data }}) => parts.push(data);
            const pictures = {json.dumps(pictures)}.map(([width, height, rgb]) => {{
                const image = new ImageData(width, height);
                for (let i = 0; i < width * height; i++) {{
                    for (let c = 0; c < 3; c++) image.data[4 * i + c] = rgb[3 * i + c];
                    image.data[4 * i + 3] = 255;
                }}
                Object.assign(canvas, {{ width, height }});
                return image;
            }});
            recorder.start();
            for (let i = 0; i < 30; i++) {{
                context.putImageData(pictures[Math.floor(i / 10)], 0, 0);
                await new Promise((resolve) => setTimeout(resolve, 50));
            }}
            recorder.stop();
            await new Promise((resolve) => (recorder.onstop = resolve));
            return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
        }})()"""
    )
    path = folder / "film.webm"
    path.write_bytes(bytes(content))
    return path


def test_a_broken_video_gets_a_message(page, tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"no film at all")
    page.drop(tmp_path / "film.mp4")
    page.wait("document.getElementById('alert').checkVisibility()")
    assert "“film.mp4” is not a video" in page.alert()


def test_cameras_are_chosen_and_models_load_beside_them(browse, serve, site, models):
    flags = (
        "--use-fake-device-for-media-stream=device-count=2",
        "--use-fake-ui-for-media-stream",
    )
    with serve(site) as url, browse(*flags) as browser:
        browser.open(url)
        assert not browser.run("document.getElementById('cameras').checkVisibility()")
        browser("page.click", "#camera")
        browser.wait("document.getElementById('cameras').checkVisibility()")
        first, second = browser.run("[...document.getElementById('cameras')].map((o) => o.value)")
        browser("page.selectOption", "#cameras", second)
        browser.wait(f"document.getElementById('cameras').value === {json.dumps(second)}")
        assert first != second
        browser.wait("document.getElementById('camera').ariaPressed === 'true'")

        browser.run(  # all that was said from now on
            """(window.said = [], new MutationObserver(() => {
                const loading = document.getElementById("loading");
                if (!loading.hidden) said.push([
                    loading.textContent.trim(), document.getElementById("summary").textContent]);
            }).observe(document.body, { subtree: true, childList: true, attributes: true }),
            null)"""
        )
        browser("page.selectOption", "#model", {"label": "float"})
        browser.wait("document.getElementById('model').selectedOptions[0].text === 'float'")
        said = browser.run("window.said")
        assert said, "nothing was said while it loaded"
        assert {tuple(words) for words in said} == {("Loading float…", "Loading float…")}
        browser.wait_for_words("object", "Objects")
        state = browser.state()
        check_same(state, models["float"], state["pixels"])
