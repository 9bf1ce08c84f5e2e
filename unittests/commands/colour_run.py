"""A run of a network that tells three colours rightly, without any training, and pictures of them."""
import cv2
import mxnet as mx
import numpy as np

from gluonzoo.commands.resolve import make_task
from gluonzoo.train import Run
from gluonzoo.train.engine import Engine
from gluonzoo.train.settings import REVISION

COLOURS = {'blue': (40, 60, 200), 'green': (30, 180, 60), 'red': (200, 50, 40)}
LOOK = {'mean': [128, 128, 128], 'std': [64, 64, 64]}


def draw_pictures(folder):
    """Four noisy pictures of each colour, in a folder of its name. Returns `folder`."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir()
        for i in range(4):
            noisy = rng.normal(colour, 30, (20, 24, 3)).clip(0, 255).astype('uint8')
            cv2.imwrite(str(folder / name / f'{i}.png'), noisy[..., ::-1])
    return folder


def make_run(directory, pictures):
    """A run with one checkpoint, of a network of random layers whose last one is fitted to the colours."""
    settings = {'name': 'classification', 'class_names': sorted(COLOURS), 'size': 16, 'crop': 1.0, **LOOK,
                'net': {'name': 'cifar_resnet20'}}
    val_data = {'name': 'labelled_pictures', 'path': str(pictures), 'class_names': sorted(COLOURS),
                'transform': {'name': 'middle_crop', 'size': 16, 'crop': 1.0, **LOOK}}
    mx.random.seed(0)
    task = make_task({'task': settings})
    task.start_training(Engine())
    net = task.networks['net']
    net.hybridize(False)
    images = mx.nd.array(np.stack([np.full((16, 16, 3), COLOURS[name]) for name in sorted(COLOURS)]))
    last = next(block for block in _blocks(net) if isinstance(block, mx.gluon.nn.Dense))
    features = []
    hook = last.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0].reshape((3, -1)).asnumpy()))
    net((images.transpose((0, 3, 1, 2)) - 128) / 64)
    hook.detach()
    last.weight.set_data(mx.nd.array(10 * np.linalg.pinv(features[0]).T))
    Run.create(directory, {'revision': REVISION, 'task': settings, 'val_data': val_data}, resume=False).save(
        task, step=1, epoch=1, batch=0)
    return directory


def _blocks(block):
    return [block, *(each for child in block._children.values() for each in _blocks(child))]
