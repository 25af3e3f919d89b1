"""SIGTERM ends a command as Ctrl-C does: nothing half written is left."""

import os
import signal
import threading

import pytest

from yolov2_tf.cli.ending import ended_like_by_hand
from yolov2_tf.files import replacing


@pytest.fixture(autouse=True)
def _as_it_was():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_what_was_begun_is_taken_away_and_the_exit_code_says_why(run, monkeypatch, tmp_path):
    def killed(*_, **__):
        with replacing(tmp_path / "deep" / "a.json") as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()

    monkeypatch.setattr("yolov2_tf.cli.parsing.open_checked", killed)
    code, _, err = run("anchors", "digits")
    assert code == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_other_ends_keep_their_code(run):
    assert run("anchors", "nowhere")[0] == 2
    assert run("anchors", "--help")[0] == 0


def test_a_handler_of_somebody_else_stays():
    def own(number, frame):
        pass

    signal.signal(signal.SIGTERM, own)
    with ended_like_by_hand():
        assert signal.getsignal(signal.SIGTERM) is own
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    seen = []

    def elsewhere():
        with ended_like_by_hand():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_a_second_one_kills():
    handlers = []

    def ask():
        with ended_like_by_hand():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                signal.pause()
            finally:
                handlers.append(signal.getsignal(signal.SIGTERM))

    with pytest.raises(KeyboardInterrupt):
        ask()
    assert handlers == [signal.SIG_DFL]
