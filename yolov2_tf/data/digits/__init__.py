"""The embedded data set of handwritten digits."""
