"""`monodepth extract`: a recording as a folder in the layout of KITTI."""
