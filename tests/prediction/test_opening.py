from yolov2_tf.prediction import opening


def test_execution_providers_reach_the_model(monkeypatch):
    asked = {}

    class Opened:
        tree = None

    def open_model(path, thresholds, **settings):
        asked.update(settings, path=path)
        return Opened()

    monkeypatch.setattr(opening, "open_model", open_model)
    opening.open_detector("m.onnx", 0.3, provider=["CPUExecutionProvider"])
    assert asked["providers"] == ["CPUExecutionProvider"]
