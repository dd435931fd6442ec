"""The pipeline over a whole recording: configuration, frames, motion, and the topics of the node in a bag."""
