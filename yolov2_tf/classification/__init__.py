"""Classifiers: what they are trained for, ranking of classes, accuracy."""
