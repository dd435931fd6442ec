"""Recordings, calibration files, images as messages carry them, and the synthetic world."""
