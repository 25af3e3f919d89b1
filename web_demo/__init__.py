"""Exported detectors in a browser: a page on LiteRT.js, and the server that threads need."""
