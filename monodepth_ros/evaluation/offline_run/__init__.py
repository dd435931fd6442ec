"""What an offline run leaves behind: depth files, video, cloud, trajectory, metrics, report; one per file."""
