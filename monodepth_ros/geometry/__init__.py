"""Camera models, rigid motions and warping; numpy or torch, no input or output."""
