# SPDX-License-Identifier: Apache-2.0
"""Lifecycle transitions that are not possible in the node's state."""

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Let the service ~/change_state answer `success: false` to an impossible transition.

    rclpy raises the state machine's exception instead, which ends the executor and leaves the caller waiting for ever.
    """
    service = node._service_change_state  # rclpy offers no public access
    change_state = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
        try:
            return change_state(request, response)
        except RuntimeError:  # RCLError is one; rcl has logged the reason
            response.success = False
            return response

    service.callback = answer
