"""Train small ordinary networks to convert to spikes, and write them as ONNX files.

    python models/networks/train.py digits_cnn
    python models/networks/train.py mnist_cnn --out mnist_cnn.onnx

The networks named digits_... in this folder were made by it. They learn from images of `biosnn.datasets` and are tested
on images that they have not learned from: the dataset's own test images, or those that
``stratified_split(labels, 500, seed=1)`` holds out. The ONNX file says which (its ``metadata_props``), and how the
pixels were scaled. Training goes on to its last epoch: the test images choose neither an epoch nor weights. The same
seed gives the same weights on the same machine with the same versions.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.reference import reference
from biosnn.conversion import read_network
from biosnn.datasets import Dataset, load, stratified_split
from biosnn.errors import BiosnnError, MissingExtraError
from biosnn.optional_dependencies import imported, onnx

try:
    torch = imported("torch", "train")
    imported("onnxscript", "train")
except MissingExtraError as missing:
    sys.exit(str(missing))
nn = torch.nn

HELD_OUT = 500
SPLIT_SEED = 1
"""Of datasets without test images of their own; whoever measures a network holds out the same ones by them."""


@dataclass(frozen=True)
class Recipe:
    """What a network is, what it learns from, and how."""

    about: str
    dataset: str
    make: Callable[..., Any]
    epochs: int
    rate: float = 0.01
    batch: int = 64
    decay: float = 0.0005
    shift: int = 1
    """Images are moved by up to so many pixels while training, by chance."""
    flip: bool = False
    """And mirrored, half of them: where left and right do not matter."""


@dataclass(frozen=True)
class Images:
    """Intensities from 0 to 1, shape (n, 1, height, width), and classes; the last ones are for the test."""

    train: Any
    train_labels: Any
    test: Any
    test_labels: Any
    division: str
    """How the test images were chosen, in words."""


# ---- networks -----------------------------------------------------------------------------------------------------


def mlp(images: Dataset, _pool: str) -> Any:
    """Two hidden layers: 64-100-50-10 for the digits."""
    pixels = images.shape[0] * images.shape[1]
    hidden = [nn.Linear(pixels, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(50, images.classes))


def small_cnn(images: Dataset, pool: str) -> Any:
    """Two convolutions, pooling, and a residual block."""
    after = (images.shape[0] // 4) * (images.shape[1] // 4)
    return nn.Sequential(
        *_convolution(1, 16),
        *_convolution(16, 24),
        _pooling(pool),
        Residual(24),
        _pooling(pool),
        nn.Flatten(),
        nn.Linear(24 * after, images.classes),
    )


def cnn(images: Dataset, pool: str) -> Any:
    """Convolutions of 16, 32 and 64 channels, pooling after each width, and a residual block in the middle."""
    after = (images.shape[0] // 8) * (images.shape[1] // 8)
    return nn.Sequential(
        *_convolution(1, 16),
        _pooling(pool),
        *_convolution(16, 32),
        Residual(32),
        _pooling(pool),
        *_convolution(32, 64),
        _pooling(pool),
        nn.Flatten(),
        nn.Linear(64 * after, images.classes),
    )


def plain_cnn(images: Dataset, pool: str, blocks: tuple[tuple[int, int], ...]) -> Any:
    """Convolutions one after another, without a shortcut: blocks of (how many, how wide), and pooling between them."""
    layers: list[Any] = []
    before = 1
    for count, channels in blocks:
        layers += [_pooling(pool)] if layers else []
        for _ in range(count):
            layers += _convolution(before, channels)
            before = channels
    narrowed = 2 ** (len(blocks) - 1)
    after = (images.shape[0] // narrowed) * (images.shape[1] // narrowed)
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * after, images.classes))
    return network.to(memory_format=torch.channels_last)  # so few channels are trained a third faster then


twelve_convolutions = partial(plain_cnn, blocks=((6, 16), (6, 16)))
sixteen_convolutions = partial(plain_cnn, blocks=((2, 8), (7, 16), (7, 32)))


class Residual(nn.Module):
    """relu(x + f(x)), where f is convolution, ReLU, convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.path = nn.Sequential(*_convolution(channels, channels), *_convolution(channels, channels)[:2])
        self.relu = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.relu(x + self.path(x))


def _convolution(inside: int, outside: int) -> list[Any]:
    """3x3, with batch normalisation, which the export or the reader takes into the weights, and a ReLU."""
    return [nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]


def _pooling(kind: str) -> Any:
    """Average by default: the rate of a pool of neurons is an average, while a maximum needs more than weights."""
    return nn.AvgPool2d(2) if kind == "average" else nn.MaxPool2d(2)


NETWORKS = {
    "digits_mlp": Recipe("two hidden layers, 64-100-50-10", "digits", mlp, epochs=150, decay=0.01),
    "digits_cnn": Recipe("four convolutions, two of them a residual block", "digits", small_cnn, epochs=50),
    "digits_plain": Recipe("twelve convolutions, no shortcut", "digits", twelve_convolutions, epochs=100),
    "mnist_cnn": Recipe("five convolutions, two of them a residual block", "mnist", cnn, epochs=4, batch=128),
    "fashion_cnn": Recipe(
        "five convolutions, two of them a residual block", "fashion-mnist", cnn, epochs=8, batch=128, flip=True
    ),
    "mnist_plain": Recipe("sixteen convolutions, no shortcut", "mnist", sixteen_convolutions, epochs=3, batch=128),
    "fashion_plain": Recipe(
        "sixteen convolutions, no shortcut", "fashion-mnist", sixteen_convolutions, epochs=8, batch=128, flip=True
    ),
}


# ---- images -------------------------------------------------------------------------------------------------------


def divided(data: Dataset) -> Images:
    """Images to learn from and images for the test, which are never learned from."""
    if data.for_training:
        kept, held = np.arange(data.for_training), np.arange(data.for_training, len(data.labels))
        division = f"the dataset's own test images, the last {len(held)}"
    else:
        kept, held = stratified_split(data.labels, HELD_OUT, SPLIT_SEED)
        division = f"the second part of biosnn.datasets.stratified_split(labels, {HELD_OUT}, seed={SPLIT_SEED})"
    pixels = torch.from_numpy(data.images[:, None].astype(np.float32) / data.brightest)
    labels = torch.from_numpy(data.labels)
    return Images(pixels[kept], labels[kept], pixels[held], labels[held], division)


def batches(images: Images, recipe: Recipe, chance: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    """One epoch: all training images in random order, moved and mirrored by chance."""
    order = torch.from_numpy(chance.permutation(len(images.train)))
    for part in order.split(recipe.batch):
        shown = images.train[part]
        if recipe.flip:
            mirrored = torch.from_numpy(chance.random(len(part)) < 0.5)
            shown = torch.where(mirrored[:, None, None, None], shown.flip(3), shown)
        yield moved(shown, recipe.shift, chance), images.train_labels[part]


def moved(images: Any, most: int, chance: np.random.Generator) -> Any:
    """Each image moved by its own number of pixels, up to ``most`` in each direction; what comes in is dark."""
    count, _, height, width = images.shape
    down, across = (torch.from_numpy(chance.integers(0, 2 * most + 1, (count, 1, 1))) for _ in range(2))
    framed = torch.nn.functional.pad(images, (most,) * 4)[:, 0]
    rows, columns = torch.arange(height)[None, :, None] + down, torch.arange(width)[None, None, :] + across
    return framed[torch.arange(count)[:, None, None], rows, columns][:, None]


# ---- training -----------------------------------------------------------------------------------------------------


def train(network: Any, images: Images, recipe: Recipe, seed: int) -> None:
    """Adam with decoupled weight decay; its rate rises for a tenth of the steps and falls by half a cosine to zero."""
    chance = np.random.default_rng(seed)
    steps = recipe.epochs * -(-len(images.train) // recipe.batch)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=recipe.decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, total_steps=steps, pct_start=0.1)
    for epoch in range(recipe.epochs):
        network.train()
        begun, total = time.monotonic(), 0.0
        for shown, labels in batches(images, recipe, chance):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(shown), labels)
            loss.backward()
            optimizer.step()
            rate.step()
            total += loss.item() * len(labels)
        mean, took = total / len(images.train), time.monotonic() - begun
        print(f"epoch {epoch + 1:3d}/{recipe.epochs}  loss {mean:.4f}  {took:.1f} s", flush=True)


# ---- the file -----------------------------------------------------------------------------------------------------


def write(network: Any, images: Images, path: Path, about: dict[str, str]) -> float:
    """Write an ONNX file, read it as a user would, and return its accuracy, in percent, on the test images."""
    temporary = path.with_name(f".{path.name}")
    try:
        with warnings.catch_warnings():  # of the exporter's own making
            warnings.simplefilter("ignore", FutureWarning)
            torch.onnx.export(
                network.eval(),
                (images.test[:2],),
                temporary,
                input_names=["image"],
                output_names=["classes"],
                opset_version=18,
                dynamo=True,
                external_data=False,
                dynamic_shapes=({0: torch.export.Dim("n")},),
                verbose=False,
            )
        model = onnx_file.load(temporary)
        _tidy(model)
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        graph = read_network(temporary)
        answers = reference(graph, threads=1).outputs(images.test.numpy()).argmax(axis=1)
        accuracy = 100 * float(np.mean(answers == images.test_labels.numpy()))
        onnx().helper.set_model_props(model, about | {"accuracy": f"{accuracy:.2f} % of the held-out images"})
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    print(graph)
    return accuracy


def _tidy(model: Any) -> None:
    """Name nodes by what they do, and leave out the exporter's notes: lines of code, with paths on this machine."""
    counts: Counter[str] = Counter()
    for node in model.graph.node:
        counts[node.op_type] += 1
        node.name = f"{node.op_type.lower()}{counts[node.op_type]}"
    notes = (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer)
    for part in (*notes, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""


def main() -> None:
    """Train one network and write it."""
    about = "\n".join(f"  {name:12} {recipe.dataset}: {recipe.about}" for name, recipe in NETWORKS.items())
    parser = argparse.ArgumentParser(
        description="Train an ordinary network and write it as an ONNX file.",
        epilog=f"networks:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("network", choices=NETWORKS, metavar="network", help="which one; they are listed below")
    parser.add_argument("--out", type=_new_file, help="the file to write (default: NETWORK.onnx in the current folder)")
    parser.add_argument("--epochs", type=_count, help="how often all images are shown (default: as the network needs)")
    parser.add_argument("--seed", type=_seed, default=1, help="of weights, order and moves (default: %(default)s)")
    parser.add_argument("--pool", choices=("average", "max"), default="average", help="(default: %(default)s)")
    parser.add_argument("--threads", type=_count, default=1, help="of PyTorch (default: %(default)s)")
    try:
        run(parser.parse_args())
    except BiosnnError as problem:
        sys.exit(str(problem))


def _new_file(text: str) -> Path:
    path = Path(text).expanduser()
    if path.suffix != ".onnx" or not path.parent.is_dir() or path.is_dir():
        raise argparse.ArgumentTypeError(f"expected NAME.onnx in a folder that there is (got {text!r})")
    return path


def _count(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} (got {text!r})")
    return int(text)


def _seed(text: str) -> int:
    return _count(text, least=0)


def run(asked: argparse.Namespace) -> None:
    """What the command line asks for."""
    recipe = NETWORKS[asked.network]
    recipe = replace(recipe, epochs=asked.epochs or recipe.epochs)
    torch.set_num_threads(asked.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(asked.seed)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names what it does without
    data = load(recipe.dataset)
    images = divided(data)
    network = recipe.make(data, asked.pool)
    begun = time.monotonic()
    train(network, images, recipe, asked.seed)
    path = asked.out or Path(f"{asked.network}.onnx")
    about = {
        "dataset": f"biosnn.datasets.load({recipe.dataset!r})",
        "held_out": images.division,
        "seed": str(asked.seed),
        "epochs": str(recipe.epochs),
        "preprocessing": f"grey level / {data.brightest}, shape (n, 1, {data.shape[0]}, {data.shape[1]})",
        "trained_by": f"models/networks/train.py {asked.network} --pool {asked.pool}",
    }
    accuracy = write(network, images, path, about)
    parameters = sum(weights.numel() for weights in network.parameters())
    took = time.monotonic() - begun
    print(f"{path}: {accuracy:.2f} % of {len(images.test)} held-out images, {parameters} parameters, {took:.0f} s")


if __name__ == "__main__":
    main()
