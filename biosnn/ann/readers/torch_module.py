"""A network that is a module of PyTorch, in this process: exported to ONNX in a temporary folder, and read from there.

PyTorch is not imported here to find out what something is, and not needed unless a module is given.
"""

from __future__ import annotations

import inspect
import logging
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import numpy as np

from biosnn.ann.graph import Graph
from biosnn.ann.images import random_images
from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.onnx.reader import read_onnx
from biosnn.ann.reference import RELATIVE, check_reading, original
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import imported

_EXAMPLE = "one image or more as the module takes them, batch axis first, such as example=np.zeros((1, 1, 28, 28))"
_SCOPE = re.compile(r"'([^']*)'")


class TorchModule(Protocol):
    """What is used of ``torch.nn.Module``."""

    def __call__(self, *inputs: Any) -> Any: ...
    def eval(self) -> Any: ...
    def forward(self, *inputs: Any) -> Any: ...
    def modules(self) -> Iterable[Any]: ...
    def parameters(self) -> Iterable[Any]: ...


def is_torch_module(value: object) -> TypeGuard[TorchModule]:
    """Whether a value is a ``torch.nn.Module``, told by the names of its classes."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__}
    return "torch.nn.modules.module.Module" in names


def from_torch(module: TorchModule, example: Any, check: bool = True) -> Graph:
    """Read a module of PyTorch.

    It is exported by ``torch.onnx.export`` as it works after training (``eval()``); each of its parts is then put back
    into the mode that it was in.

    Parameters
    ----------
    module : torch.nn.Module
        The network. Layers are named after the parts that they were.
    example : array_like or torch.Tensor, shape (n, *shape of an image)
        One image or more. Only their shape matters.
    check : bool
        Whether what was read is compared with the module, and every layer with the export, on a few random images.

    Returns
    -------
    Graph

    Raises
    ------
    ConversionError
        If there is no example, the module does not take it, it cannot be exported, or it has layers that are not read.
    MissingExtraError
        If PyTorch or onnxscript, which its exporter needs, is not installed.
    """
    where = type(module).__qualname__
    if not is_torch_module(module):
        raise ConversionError(field_error("from_torch module", "a torch.nn.Module", where))
    torch = imported("torch", "train")
    imported("onnxscript", "train")
    if isinstance(module, torch.jit.ScriptModule):
        raise ConversionError(f"{where} is TorchScript, which PyTorch does not export. Give the module it was made of.")
    module = _unwrapped(module)
    example_input = _shown(torch, module, example, where)
    with tempfile.TemporaryDirectory() as folder, _evaluating(module), torch.no_grad():
        path = Path(folder) / "module.onnx"
        _call(module, example_input, where, f"the example, of shape {tuple(example_input.shape)}")
        _export(torch, module, example_input, path, where)
        try:
            _name_layers(path)
            graph = read_onnx(path)
            if check:
                images = random_images(graph)
                check_reading(path, graph, images, threads=1)
                _check_export(module, example_input.new_tensor(images), path, where)
        except ConversionError as problem:
            raise ConversionError(str(problem).replace(str(path), where)) from None
    return graph


def _unwrapped(module: Any) -> Any:
    """The module inside of what ``torch.compile`` and ``DataParallel`` make, which are not exported themselves."""
    inside = {"OptimizedModule": "_orig_mod", "DataParallel": "module", "DistributedDataParallel": "module"}
    return getattr(module, inside.get(type(module).__name__, ""), module)


def _shown(torch: Any, module: TorchModule, example: Any, where: str) -> Any:
    """The example as a tensor of the module's type, where the module is."""
    if example is None:
        raise ConversionError(f"{where}: a module of PyTorch does not say what shape it takes. Give {_EXAMPLE}.")
    weights = next((tensor for tensor in module.parameters() if tensor.is_floating_point()), torch.zeros(()))
    if weights.dtype != torch.float32:
        do = "Convert it with module.float()."
        raise ConversionError(field_error(f"{where} weights", "float32", str(weights.dtype), do))
    try:
        given = torch.as_tensor(example).detach().to(weights)
    except (TypeError, ValueError, RuntimeError) as problem:
        got = f"{type(example).__qualname__}: {problem}"
        raise ConversionError(field_error(f"{where} example", _EXAMPLE, got)) from None
    if given.ndim < 2 or not given.numel():
        raise ConversionError(field_error(f"{where} example", _EXAMPLE, f"shape {tuple(given.shape)}"))
    return given


@contextmanager
def _evaluating(module: TorchModule) -> Iterator[None]:
    """Every part in the mode for use, and afterwards in its own again: some may have been frozen on purpose."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def _call(module: TorchModule, images: Any, where: str, what: str) -> Any:
    try:
        answers = module(images)
    except Exception as problem:  # whatever the module's own code raises
        raise ConversionError(f"{where} does not take {what}. It says: {_first_line(problem)}") from problem
    if not hasattr(answers, "shape"):
        raise ConversionError(field_error(f"{where}.forward()", "one tensor", type(answers).__qualname__))
    if answers.shape[:1] != images.shape[:1]:
        expected = f"one answer for each of {len(images)} images, the batch axis first"
        got = f"shape {tuple(answers.shape)}"
        raise ConversionError(field_error(f"{where}.forward()", expected, got, "Keep the batch axis: x.flatten(1)."))
    return answers


def _export(torch: Any, module: TorchModule, example_input: Any, path: Path, where: str) -> None:
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it names what it does without
    axes: Any = {0: torch.export.Dim("n")}
    if any(taken.kind is taken.VAR_POSITIONAL for taken in inspect.signature(module.forward).parameters.values()):
        axes = (axes,)  # forward(*inputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about PyTorch's own parts
            torch.onnx.export(
                module,
                (example_input,),
                path,
                input_names=["input"],
                dynamo=True,
                external_data=False,
                dynamic_shapes=(axes,),
                verbose=False,
            )
    except Exception as problem:  # the exporter has errors of many kinds
        do = "A module is exported whose forward() takes one tensor and does the same whatever the tensor holds."
        raise ConversionError(f"{where}: PyTorch does not export it to ONNX: {_reason(problem)} {do}") from problem
    finally:
        logger.setLevel(level)


def _reason(problem: BaseException) -> str:
    """What the exporter ran into first; its own message says little but that there is a cause."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return _first_line(problem)


def _first_line(problem: BaseException) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    text = lines[0] if lines else "(no message)"
    return f"{type(problem).__name__}: {text}" + ("" if text.endswith((".", "!", "?")) else ".")


def _name_layers(path: Path) -> None:
    """Name the nodes after the parts of the module that they come from, where the exporter says so."""
    model = onnx_file.load(path)
    counts: Counter[str] = Counter()
    for node in model.graph.node:
        part = _part(node)
        if part:
            counts[part] += 1
            node.name = part if counts[part] == 1 else f"{part}/{node.op_type}_{counts[part]}"
    path.write_bytes(model.SerializeToString())


def _part(node: Any) -> str:
    """The part whose weights a node uses, or else that whose code it was; empty for the module's own code."""
    weights = [name for name in node.input if name.endswith(".weight")]
    if weights:
        return str(weights[0].removesuffix(".weight"))
    scopes = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "")
    parts: list[str] = ["", *_SCOPE.findall(scopes)[:-1]]
    return parts[-1]


def _check_export(module: TorchModule, images: Any, path: Path, where: str) -> None:
    """Make sure that the export computes what the module does."""
    expected = _call(module, images, where, "random images").cpu().numpy()
    output = onnx_file.load(path).graph.output[0].name
    computed = original(path, images.cpu().numpy(), [output], threads=1)[0]
    most = float(np.abs(expected).max())
    if computed.shape != expected.shape or not np.abs(computed - expected).max() <= RELATIVE * most:
        do = "Does it draw random numbers, or depend on the size of the batch? It must do neither."
        raise ConversionError(f"{where}: what PyTorch exported does not compute what the module does. {do}")
