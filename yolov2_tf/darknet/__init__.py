"""Darknet networks, cfg and weights, in and out."""
