"""The `monodepth` command and its verbs."""
