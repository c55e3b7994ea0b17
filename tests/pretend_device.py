"""A device that is none: tensors on ``fakegpu`` compute on the processor, and complain like those of a GPU.

An operation that mixes them with a plain tensor of one axis or more raises, and so does ``.numpy()``. What a GPU allows
is allowed: ``copy_``, indices on the host in ``x[i]``, numbers without an axis, lengths of packed sequences.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from unittest import mock

import torch
from torch import nn
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

import xmr_lib.runtime
from xmr_lib.runtime import Runtime

NAME = "fakegpu"
ALLOWED = {
    torch.Tensor.copy_,
    torch.Tensor.__getitem__,
    torch.Tensor.__setitem__,
    torch._has_compatible_shallow_copy_type,
    torch._pack_padded_sequence,
}
PACKED = ("gru", "lstm", "_pack_padded_sequence", "_pad_packed_sequence")
_setup_privateuseone_for_python_backend(NAME)
# Asked for wherever activations are computed again, also on the processor, once a device of this kind is known.
torch.get_device_module(NAME).get_amp_supported_dtype = lambda: [torch.bfloat16]
DEVICE = torch.device(NAME, 0)


class OnDevice(torch.Tensor):
    """A tensor that says that it lies on the device."""

    device = property(lambda self: DEVICE)
    is_cuda = property(lambda self: False)

    @property
    def grad(self):
        found = torch._C.TensorBase.grad.__get__(self)
        return None if found is None else found.as_subclass(OnDevice)

    @grad.setter
    def grad(self, value):
        torch._C.TensorBase.grad.__set__(self, value)

    def cpu(self):
        return self.as_subclass(torch.Tensor)

    def numpy(self, *args, **kwargs):
        raise TypeError(f"can't convert a tensor on {NAME} to numpy; use .cpu() first")

    def __deepcopy__(self, memo):
        copied = self.detach().cpu().clone().as_subclass(OnDevice)
        return nn.Parameter(copied, self.requires_grad) if isinstance(self, nn.Parameter) else copied

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        there = any(isinstance(x, OnDevice) for x in tensors)
        here = any(not isinstance(x, OnDevice) and x.dim() > 0 for x in tensors)
        if there and here and func not in ALLOWED and name not in PACKED:
            raise RuntimeError(f"two devices in {resolve_name(func) or func}")
        found = super().__torch_function__(func, types, args, kwargs)
        # The lengths that packing returns stay on the host.
        return (found[0], found[1].as_subclass(torch.Tensor)) if name in PACKED[2:] else found


class _Moves(TorchFunctionMode):
    """Makes ``.to`` and ``device=`` know the device."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.to:
            wanted = [kwargs.get("device"), *args[1:]]
            target = next((x for x in wanted if isinstance(x, str | torch.device | torch.Tensor)), None)
            dtype = kwargs.get("dtype") or next((x for x in args[1:] if isinstance(x, torch.dtype)), None)
            if isinstance(target, torch.Tensor):
                target, dtype = target.device, dtype or target.dtype
            tensor = args[0].type(dtype) if dtype else args[0]
            if target is not None and torch.device(target).type in (NAME, "cpu"):
                return tensor.as_subclass(OnDevice if torch.device(target).type == NAME else torch.Tensor)
        if kwargs.get("device") is not None and torch.device(kwargs["device"]).type == NAME:
            found = func(*args, **{**kwargs, "device": "cpu"})
            return tree_map(lambda x: x.as_subclass(OnDevice) if isinstance(x, torch.Tensor) else x, found)
        return func(*args, **kwargs)


def _loaded(load, *args, **kwargs):
    """Load into a module's parameters as they are: those of an LSTM can't be swapped for others once they were used."""
    torch.__future__.set_swap_module_params_on_conversion(False)
    try:
        return load(*args, **kwargs)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(True)


class Roomy(Runtime):
    """One whose device takes whatever is to be kept there."""

    def room(self) -> int:
        return 2**60


@contextmanager
def pretended(roomy: bool = False):
    """Yield a runtime of the device, within which it can be used."""
    before = torch.__future__.get_swap_module_params_on_conversion()
    torch.__future__.set_swap_module_params_on_conversion(True)
    # Each thread has modes of its own.
    threads = partial(ThreadPoolExecutor, initializer=lambda: _Moves().__enter__())
    load_plainly = nn.Module.load_state_dict

    def load(self, *args, **kwargs):
        return _loaded(load_plainly, self, *args, **kwargs)

    try:
        with (
            _Moves(),
            mock.patch.object(xmr_lib.runtime, "ThreadPoolExecutor", threads),
            mock.patch.object(nn.Module, "load_state_dict", load),
        ):
            yield (Roomy if roomy else Runtime)(DEVICE)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(before)
