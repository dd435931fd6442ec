"""Recordings in bags: files, topics, message types, reading and writing."""
