"""Many pictures through a detector: in a stream, by several workers, into files that grow."""
