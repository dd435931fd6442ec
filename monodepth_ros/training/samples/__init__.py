"""Samples for training: clips of recordings, their selection, batches, augmentation, loading."""
