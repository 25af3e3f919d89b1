"""Readers of annotated images and the tf.data pipeline that trains on them."""
