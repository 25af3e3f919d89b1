"""Deployable forms of a detector: SavedModel, TFLite, ONNX, and what runs them."""
