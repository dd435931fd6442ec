"""Downloads: the catalogue of checkpoints, transfers over HTTP, archives."""
