"""Recordings, calibration files, and the encodings of images and depth."""
