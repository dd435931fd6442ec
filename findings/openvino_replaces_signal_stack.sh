#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenVINO's CPU plugin replaces the alternate signal stack of the thread that compiles a model.
#
# Seen with:  OpenVINO 2026.4.1, CPython 3.11, Linux 6 on x86-64 (AMX is not needed for it).
# Behaviour:  the first `compile_model(..., "CPU")` of a Core calls sigaltstack() for the calling thread. The new stack belongs
#             to the Core: it is as small as AT_MINSIGSTKSZ + SIGSTKSZ, and it goes with the Core. CPython runs every handler
#             of signal.signal() on that stack (SA_ONSTACK), and so does faulthandler, whose own larger stack is out of use
#             from then on.
# One would guess: that an inference library leaves the process's signal handling alone.
# Why it matters: in a node, control-C is a signal. A process that had made and released several Cores was seen to die of
#             SIGSEGV at a later control-C. This package keeps one Core for as long as the process lives
#             (monodepth_ros/inference/openvino.py) and tests that the stack is still there after engines are released.
# Source:     OpenVINO, src/plugins/intel_cpu, class SigAltStackSetup; sigaltstack(2); CPython, PyOS_setsig().
#
# Prints the stack before and after; exits 1 if compiling a model leaves it alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 'numpy==2.4.6'
"$folder/venv/bin/python" - <<'PYTHON'
import ctypes
import faulthandler
import sys

sys.modules["openvino_telemetry"] = None  # keeps the import from reporting
import numpy as np
import openvino
from openvino import opset13 as operations


class Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def signal_stack():
    found = Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found.address, found.size


faulthandler.enable()
before = signal_stack()
core = openvino.Core()
image = operations.parameter([1, 8, 16, 16], np.float32)
weights = operations.constant(np.ones((8, 8, 3, 3), np.float32))
output = operations.convolution(image, weights, [1, 1], [1, 1], [1, 1], [1, 1])
unchanged = signal_stack() == before
compiled = core.compile_model(openvino.Model([output], [image]), "CPU")
after = signal_stack()
print(f"openvino {openvino.__version__}")
print(f"faulthandler's stack:    {before[1]} bytes, still in use once a Core is made: {unchanged}")
print(f"after compile_model:     {after[1]} bytes, at another address: {after[0] != before[0]}")
sys.exit(0 if after[0] != before[0] and after[1] < before[1] else 1)
PYTHON
