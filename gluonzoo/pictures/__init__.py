"""Pictures: read, written, resized and drawn on. RGB, uint8 [H, W, 3], throughout."""
