# SPDX-License-Identifier: Apache-2.0
"""Definition of monodepth_ros/DepthStatus, to write it without ROS: the fields of msg/DepthStatus.msg."""

TYPE = "monodepth_ros/msg/DepthStatus"

DEFINITION = """
std_msgs/Header header
string checkpoint
string engine
string device
float32 min_depth
float32 median_depth
float32 max_depth
float32 valid_ratio
float32 image_coverage
uint8 SCALE_RELATIVE=0
uint8 SCALE_CHECKPOINT=1
uint8 SCALE_FIXED=2
uint8 SCALE_CAMERA_HEIGHT=3
uint8 SCALE_ODOMETRY=4
uint8 SCALE_METRIC_MODEL=5
uint8 SCALE_STEREO=6
float64 scale
uint8 scale_source
float32 scale_uncertainty
uint8 SCALE_STATE_STATED=0
uint8 SCALE_STATE_WAITING=1
uint8 SCALE_STATE_MEASURED=2
uint8 SCALE_STATE_HELD=3
uint8 SCALE_STATE_CHANGING=4
uint8 scale_state
uint64 frames_received
uint64 frames_processed
uint64 frames_unwanted
uint64 frames_replaced
uint64 frames_duplicate
uint64 frames_invalid
uint64 frames_uncalibrated
uint64 frames_failed
uint64 frames_lost
float32 latency_transport_ms
float32 latency_decode_ms
float32 latency_inference_ms
float32 latency_motion_ms
float32 latency_publish_ms
float32 latency_total_ms
uint8 ODOMETRY_NO_DATA=0
uint8 ODOMETRY_TRACKING=1
uint8 ODOMETRY_LOST=2
uint8 ODOMETRY_DISABLED=3
uint8 odometry_state
"""
