"""What users name is found; names, folders, frames, rate and orientation are kept."""

import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from yolov2_tf.data.picture_finder import walk_pictures
from yolov2_tf.drawing.media import find_media, read_media, written_media
from yolov2_tf.drawing.media_finder import Source, stream_media
from yolov2_tf.errors import InputError


def picture(path, value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (value, 20, 30)).save(path)
    return path


def drawn(sources):
    return [str(source.drawn) for source in sources]


def test_folders_keep_their_paths_and_names_their_suffix(tmp_path):
    for name in ("a.jpg", "deep/a.jpg", "deep/b.webp", "deep/c.gif"):
        picture(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    sources = find_media([tmp_path / "in"])
    assert drawn(sources) == ["a.jpg", "deep/a.jpg", "deep/b.webp", "deep/c.png"]
    for source in sources:
        with written_media(source, tmp_path / "out") as write:
            for _, pixels in read_media(source):
                write(pixels)
    written = sorted(p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*.*"))
    assert [str(p) for p in written] == ["a.jpg", "deep/a.jpg", "deep/b.webp", "deep/c.png"]
    formats = [Image.open(tmp_path / "out" / p).format for p in written]
    assert formats == ["JPEG", "JPEG", "WEBP", "PNG"]


def test_no_two_drawings_share_a_name(tmp_path):
    one, two = picture(tmp_path / "x" / "a.jpg"), picture(tmp_path / "y" / "a.jpg")
    assert drawn(find_media([one])) == ["a.jpg"]
    assert drawn(find_media([one, two])) == ["x/a.jpg", "y/a.jpg"]
    assert drawn(find_media([tmp_path / "x", tmp_path / "y"])) == ["x/a.jpg", "y/a.jpg"]
    assert drawn(find_media([one, one])) == ["a.jpg", "a-2.jpg"]
    gif = picture(tmp_path / "x" / "a.gif")
    assert drawn(find_media([picture(tmp_path / "x" / "a.png"), gif])) == ["a.png", "a-2.png"]


def test_patterns_are_expanded_and_earlier_drawings_left_out(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.png", "deep/c.jpg", "out/a.jpg"):
        picture(tmp_path / name)
    assert [s.name for s in find_media([tmp_path / "*.jpg"])] == [str(tmp_path / "a.jpg")]
    assert len(find_media([f"{tmp_path}/**/*.jpg"])) == 3
    assert drawn(find_media([tmp_path], tmp_path / "out")) == ["a.jpg", "b.png", "deep/c.jpg"]
    odd = picture(tmp_path / "odd" / "a[1].jpg")  # a file before it is a pattern
    assert [s.name for s in find_media([odd])] == [str(odd)]
    for nothing in ("*.bmp", "nowhere.jpg", "ftp://x/y.jpg"):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError):
            find_media([nothing])


def test_cameras_and_streams_are_live():
    camera, stream, film, web = find_media(
        ["0", "rtsp://host/live", "https://host/a/film.mp4?x=1", "https://host/a%20b.jpg"]
    )
    assert (camera.kind, camera.opened, str(camera.drawn)) == ("live", 0, "camera0.mp4")
    assert (stream.kind, film.kind, web.kind) == ("live", "video", "picture")
    assert str(web.drawn) == "a b.jpg"


def test_a_drawing_never_replaces_its_source(tmp_path):
    path = picture(tmp_path / "a.jpg")
    (source,) = find_media([path])
    content = path.read_bytes()
    with pytest.raises(InputError, match="written over"), written_media(source, tmp_path) as write:
        write(np.zeros((30, 40, 3), np.uint8))
    assert path.read_bytes() == content


def test_addresses_are_read_and_faults_named(tmp_path):
    picture(tmp_path / "a.png", 200)
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {
        "log_message": lambda *_: None,
        "__init__": lambda self, *a: http.server.SimpleHTTPRequestHandler.__init__(
            self, *a, directory=str(tmp_path)),
    })  # fmt: skip
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}"
        found, gone = find_media([f"{address}/a.png", f"{address}/gone.png"])
        ((name, pixels),) = read_media(found)
        assert name == f"{address}/a.png"
        assert pixels[0, 0].tolist() == [200, 20, 30]
        with pytest.raises(InputError, match="answers 404"):
            list(read_media(gone))
        server.shutdown()
    with pytest.raises(InputError, match="does not answer"):
        list(read_media(found))


def film(path, frames=23, rate=12.5, size=(96, 64)):
    """A video with a bright square that moves from left to right."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), rate, size)
    for i in range(frames):
        image = np.full((size[1], size[0], 3), 30, np.uint8)
        image[:16, 3 * i : 3 * i + 16] = 250
        writer.write(image)
    writer.release()
    return path


def probed(path):
    """What ffprobe tells of the video."""
    ffprobe = shutil.which("ffprobe") or pytest.skip("needs ffprobe (Debian's ffmpeg)")
    fields = "stream=width,height,nb_read_frames,r_frame_rate:stream_side_data=rotation"
    command = [ffprobe, "-v", "error", "-count_frames", "-show_entries", fields, "-of", "json"]
    done = subprocess.run([*command, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["streams"][0]


def copied(source, out):
    with written_media(source, out) as write:
        count = 0
        for _, pixels in read_media(source):
            write(pixels)
            count += 1
    return Path(out) / source.drawn, count


@pytest.mark.parametrize("size", [(96, 64), (97, 65)])
def test_videos_keep_all_frames_and_their_rate(tmp_path, size):
    (source,) = find_media([film(tmp_path / "clip.mp4", size=size)])
    out, count = copied(source, tmp_path / "out")
    assert (out.name, count) == ("clip.mp4", 23)
    stream = probed(out)
    assert (stream["nb_read_frames"], stream["r_frame_rate"]) == ("23", "25/2")
    # MPEG-4 has whole blocks of 2 × 2 pixels.
    assert (stream["width"], stream["height"]) == (size[0] // 2 * 2, size[1] // 2 * 2)


@pytest.mark.parametrize("suffix", [".MP4", ".mpg", ".wmv", ".3gp", ".m2ts"])
def test_videos_of_many_programs_are_found(tmp_path, suffix):
    film(tmp_path / "clip.mp4").rename(tmp_path / f"clip{suffix}")
    (source,) = find_media([tmp_path])
    assert (source.kind, source.drawn) == ("video", Path("clip.mp4"))
    assert len(list(read_media(source))) == 23


def test_videos_of_odd_sides_keep_the_last_row_and_column(tmp_path):
    camera = Source("camera", "live", Path("camera.mp4"), "0")
    frame = np.zeros((49, 65, 3), np.uint8)
    frame[-1], frame[:, -1] = 255, 255
    with written_media(camera, tmp_path) as write:
        write(frame)
    ((_, seen),) = read_media(find_media([tmp_path / "camera.mp4"])[0])
    assert seen.shape == (50, 66, 3)
    for edge in (seen[48:], seen[:, 64:]):
        assert edge.min() > 200
    assert seen[:47, :63].max() < 60


def test_frames_too_large_for_a_video_are_named(tmp_path):
    camera = Source("camera", "live", Path("camera.mp4"), "0")
    with (
        pytest.raises(InputError, match="no video of 8194×32"),
        written_media(camera, tmp_path) as write,
    ):
        write(np.zeros((32, 8194, 3), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_videos_that_lie_on_their_side_are_turned_upright(tmp_path, degrees):
    """Compared with what ffmpeg itself shows."""
    ffmpeg = shutil.which("ffmpeg") or pytest.skip("needs ffmpeg (Debian's)")
    turned = tmp_path / "turned.mp4"
    command = [ffmpeg, "-v", "error", "-i", film(tmp_path / "clip.mp4"), "-c", "copy"]
    subprocess.run([*command, "-metadata:s:v", f"rotate={degrees}", turned], check=True)
    if not any("rotation" in data for data in probed(turned).get("side_data_list", [])):
        pytest.skip("this ffmpeg writes no rotation")
    command = [ffmpeg, "-v", "error", "-i", turned, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shown = subprocess.run(command, capture_output=True, check=True).stdout
    shape = (96, 64, 3) if degrees != 180 else (64, 96, 3)
    shown = np.frombuffer(shown, np.uint8).reshape(23, *shape).astype(int)

    (source,) = find_media([turned])
    out, count = copied(source, tmp_path / "out")
    assert count == 23
    stream = probed(out)
    assert (stream["height"], stream["width"]) == shape[:2]
    assert not stream.get("side_data_list")
    for (_, frame), expected in zip(read_media(find_media([out])[0]), shown, strict=True):
        assert np.abs(frame - expected).mean() < 8


def test_broken_videos_are_named_and_leave_nothing(tmp_path):
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"no video")
    (source,) = find_media([path])
    with pytest.raises(InputError, match="not a video"):
        copied(source, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_a_video_that_is_cut_short_is_read_as_far_as_it_goes_and_told(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 96, 3), np.uint8)
    whole = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter_fourcc(*"MJPG"), 12.5, (96, 64))
    for frame in noise:
        writer.write(frame)
    writer.release()
    half = tmp_path / "half.avi"
    content = whole.read_bytes()
    half.write_bytes(content[: len(content) // 2])
    told = []
    assert len(list(read_media(find_media([whole])[0], told.append))) == 40
    assert not told
    frames = len(list(read_media(find_media([half])[0], told.append)))
    assert 10 < frames < 30
    assert told == [f"{half}: {frames} of about 40 frames, then it is cut short"]


def test_pipes_are_not_waited_for(tmp_path):
    picture(tmp_path / "in" / "a.jpg")
    for name in ("pipe.jpg", "pipe.mp4"):
        os.mkfifo(tmp_path / "in" / name)
    assert drawn(find_media([tmp_path / "in"])) == ["a.jpg"]
    os.mkfifo(tmp_path / "list.txt")
    with pytest.raises(InputError, match="no ordinary file"):
        find_media([tmp_path / "list.txt"])


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    one, two = picture(tmp_path / "a.jpg"), picture(tmp_path / "b.jpg")
    (tmp_path / "list.txt").write_text(f"{one}\n{two}\n", encoding="utf-8-sig")
    assert [source.name for source in find_media([tmp_path / "list.txt"])] == [str(one), str(two)]


def test_drawings_into_the_folder_of_the_pictures_are_refused_for_what_they_are(
    tmp_path, monkeypatch
):
    picture(tmp_path / "a.jpg")
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, "."):
        for find in (find_media, stream_media):
            with pytest.raises(InputError, match="the folder of the drawings is that of the pict"):
                find([folder], tmp_path)


def test_folders_are_walked_as_those_of_data_sets(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    for name in ("b.jpg", "._b.jpg", ".hidden.jpg", ".git/c.jpg", "deep/d.jpg", "out/b.jpg"):
        picture(folder / name)
    picture(tmp_path / "elsewhere" / "e.jpg")
    (folder / "a.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "linked again").symlink_to(tmp_path / "elsewhere")
    (folder / "round").symlink_to(folder)
    (folder / "to out").symlink_to(folder / "out")
    sources = find_media([folder], folder / "out")
    places = ["a.jpg", "b.jpg", "deep/d.jpg", "linked/e.jpg"]
    assert drawn(sources) == places
    assert [source.name for source in sources] == [str(folder / place) for place in places]
    assert list(walk_pictures(folder)) == [source.name for source in find_media([folder])]
    with pytest.raises(InputError, match=r"a\.jpg: "):
        list(read_media(sources[0]))
    monkeypatch.chdir(folder)
    assert [source.name for source in find_media(["."], "out")] == places
    hidden = folder / ".git"  # what is named is meant
    assert len(find_media([hidden, folder / ".hidden.jpg"])) == 2


def test_pictures_below_earlier_drawings_may_be_named(tmp_path):
    picture(tmp_path / "out" / "deep" / "a.jpg")
    assert drawn(find_media([tmp_path / "out" / "deep"], tmp_path / "out")) == ["a.jpg"]


def test_no_place_leads_out_of_the_folder_of_the_drawings(tmp_path, monkeypatch):
    """Neither of the folder above, nor behind a link that Git wrote as a file."""
    for name in ("in/a.jpg", "elsewhere/b.jpg"):
        picture(tmp_path / name)
    (tmp_path / "in" / "linked").write_text("../elsewhere")
    places = drawn(find_media([tmp_path / "in"]))
    assert places == ["a.jpg", "elsewhere/b.jpg"]
    monkeypatch.chdir(tmp_path / "in")
    places = drawn(find_media(["..", tmp_path / "elsewhere" / "b.jpg"]))
    assert all(not place.startswith(("..", "/")) for place in places)
    assert len(set(places)) == len(places)
