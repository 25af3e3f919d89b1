"""Detections and ground truth to average precision."""
