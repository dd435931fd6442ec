# SPDX-License-Identifier: Apache-2.0
"""Requests for transitions that are not possible in a node's state."""

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Let the service ~/change_state answer `success: false` to them.

    rclpy lets the exception of the state machine through instead: it ends the executor, and the caller waits for ever.
    """
    service = node._service_change_state  # rclpy has no public way to it
    change_state = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
        try:
            return change_state(request, response)
        except RuntimeError:  # the state machine's RCLError is one; rcl has logged what is wrong
            response.success = False
            return response

    service.callback = answer
