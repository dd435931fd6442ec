"""The depth node itself: from image messages to published results."""
