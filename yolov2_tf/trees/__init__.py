"""Label trees (WordTree): reading, building, probabilities of their nodes."""
