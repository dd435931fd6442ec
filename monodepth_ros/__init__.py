# SPDX-License-Identifier: Apache-2.0
from pkgutil import extend_path

# colcon lays the generated message package of the same name beside this one; see CMakeLists.txt.
__path__ = extend_path(__path__, __name__)
