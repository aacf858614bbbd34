# SPDX-License-Identifier: BSD-2-Clause
"""The tests of the module. They run with the plug-in, whether it is installed or not."""
pytest_plugins = ["pytester"]
