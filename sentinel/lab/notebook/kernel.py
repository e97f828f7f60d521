"""The kernel that executes a notebook for `sentinel run`: this interpreter's, whatever kernels are installed."""

from __future__ import annotations

import sys

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager


class OwnSpec(KernelSpecManager):
    """Knows one kernel, under every name: a `python3` that a user or a system installed may be another Python's."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """See KernelSpecManager."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name=kernel_name, language="python")


class OwnKernel(AsyncKernelManager):
    """Starts it."""

    def _kernel_spec_manager_default(self) -> KernelSpecManager:
        return OwnSpec(parent=self)
