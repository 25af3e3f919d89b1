"""Pictures for people: detections, plots, trees, videos."""
