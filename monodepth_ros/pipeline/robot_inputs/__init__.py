"""What the robot adds to the images: wheel odometry, an IMU, the mount of the camera."""
