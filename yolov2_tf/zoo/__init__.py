"""Networks by name: published ones are downloaded once and kept."""
