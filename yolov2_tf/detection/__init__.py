"""From raw head tensors to detections, and the loss that trains them."""
