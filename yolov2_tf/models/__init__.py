"""Networks: layers, heads, Darknet-19, YOLOv2, and how weights move between them."""
