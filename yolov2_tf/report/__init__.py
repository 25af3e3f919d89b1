"""Pages for people: what a data set holds, and what a detector does on it."""
