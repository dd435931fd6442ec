"""Running networks on images: one interface, several engines."""
