"""What bench_models.py times: a network and its training in gluonzoo, and the same in PyTorch, each in its own process.
Inference also in onnxruntime.

A job is what a network is trained to do here:

detection
    a softmax over the classes of every anchor and a smooth L1 loss of its offsets, by SGD with momentum
classification
    a softmax over classes, by SGD with momentum
heads
    no loss: the gradients of all outputs are given. By SGD with momentum.
gan
    pix2pix: the network makes pictures, and a 70x70 PatchGAN judges them; cross-entropy, 100 L1, Adam for both. On
    gluonzoo's side this is the task that `gluonzoo train pix2pix` trains. The generator has no dropout, so that results
    can be compared.
noise
    DCGAN: the network makes pictures from noise, and a discriminator judges them; cross-entropy, Adam for both. On
    gluonzoo's side this is the task that `gluonzoo train dcgan` trains. Each turn makes its pictures anew, as MMagic's
    and WGAN's codes do. Both sides get the same noise, so that results can be compared.
cyclegan
    CycleGAN: two generators, two PatchGANs of 3 channels, pools of 50, Adam for both pairs; a step is that of
    torch_twins/cyclegan.py. On gluonzoo's side this is the task that `gluonzoo train cyclegan` trains.
views
    WS-DAN: the same network on a picture, on its middle enlarged, and on the picture faded where its attention looks;
    the mean of three cross-entropies, and the squared distance of the feature from a centre, by SGD with momentum.
    (`gluonzoo train wsdan` crops where the attention is, wipes out what is above a threshold, and draws one of the maps
    by chance. Here both sides must compute the same.) No gradient passes through the views. So gluonzoo's side goes
    back after each view and adds up gradients, which takes the memory of one view; PyTorch's goes back once, as the
    public code does.
"""
import contextlib
import copy
import importlib
import multiprocessing
import os
import tempfile
import traceback

import numpy as np

__all__ = ['GLUONZOO_WAYS', 'ONNX_WAYS', 'TORCH_WAYS', 'GluonzooSide', 'OnnxSide', 'Process', 'TorchSide']

GLUONZOO_WAYS = ('hybridized', 'for_inference')
TORCH_WAYS = ('eager', 'channels last', 'jit.freeze', 'jit.freeze, channels last')
ONNX_WAYS = ('onnxruntime',)
STEPS_FOR_MEMORY = 4
SGD = {'learning_rate': 1e-3, 'momentum': .9}


def resident(key):
    """Bytes of this process's resident memory: VmRSS, now; VmHWM, the most there has been."""
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key + ':'))


class Side:
    """One side's network and its training. Every method has waited for its work when it returns.

    A training step returns its loss, or if it has none, the length of its first output.

    Subclasses import their framework in `load`, make `networks` in `build` (inference uses the first one), and define
    the other methods that are called here.
    """

    def __init__(self, case, threads):
        self.load(threads)
        self.memory_before = resident('VmRSS')
        self.ready = {}   # way of inference -> what does it
        self.build(case)
        self.train = getattr(self, f'train_{case.job}')

    def peak_memory(self, x, targets):
        """Bytes that training needs, at the most."""
        self.feed(x, targets)
        for _ in range(STEPS_FOR_MEMORY):
            self.train()
        return resident('VmHWM') - self.memory_before


class GluonzooSide(Side):

    def load(self, threads):
        import gluonzoo  # before mxnet
        from gluonzoo.commands.resolve import make_task
        from gluonzoo.data import Batch
        from gluonzoo.graph.fuse import for_inference
        from gluonzoo.train.engine import Engine

        import mxnet as mx  # isort: skip
        self.mx, self.gluonzoo, self.for_inference, self.make_batch = mx, gluonzoo, for_inference, Batch
        self.make_task, self.make_engine = make_task, Engine

    def build(self, case):
        mx = self.mx
        mx.random.seed(1)
        if case.job == 'gan':
            self.task = self.make_task({'task': {
                'name': 'pix2pix', 'generator': {'name': case.name, **case.arguments},
                'discriminator': {'name': 'patchgan'}, 'image_size': case.size}})
            self.task.start_training(self.make_engine())
            self.networks = [self.task.networks[name] for name in ('generator', 'discriminator')]
            return
        if case.job == 'noise':
            self.task = self._task_of_noise(*(self.gluonzoo.get_model(name, **case.arguments)
                                              for name in (case.name, 'dcgan_discriminator')))
            self.task.start_training(self.make_engine())
            self.networks = [self.task.networks[name] for name in ('generator', 'discriminator')]
            return
        if case.job == 'cyclegan':
            generator = {'name': case.name, **case.arguments}
            judge = {'name': 'patchgan', 'in_channels': 3, 'norm': 'instance'}
            names = 'generator_ab', 'generator_ba', 'discriminator_a', 'discriminator_b'
            self.task = self.make_task({'task': {'name': 'cyclegan', 'image_size': case.size,
                                                 **dict(zip(names, (generator, generator, judge, judge)))}})
            self.task.start_training(self.make_engine())
            self.networks = [self.task.networks[name] for name in names]
            return
        network = self.gluonzoo.get_model(case.name, **case.arguments)
        if case.job == 'views':
            network.collect_params().setattr('grad_req', 'add')
        network.initialize()
        network.hybridize(static_alloc=True)
        self.networks = [network]
        self.trainer = mx.gluon.Trainer(network.collect_params(), 'sgd', SGD, kvstore=None, update_on_kvstore=False)

    def conditions(self):
        return {'mxnet': self.mx.__version__, 'gluonzoo': self.gluonzoo.__version__, 'numpy': np.__version__,
                'gluonzoo malloc': 'keeps freed memory' if self.gluonzoo.runtime.keeps_memory() else 'the system\'s'}

    def output_shapes(self, x):
        outputs = self.networks[0](self.mx.nd.array(x))
        return [y.shape for y in self._listed(outputs)]

    def feed(self, x, targets):
        self.x, self.targets = self.mx.nd.array(x), [self.mx.nd.array(target) for target in targets]

    def weights(self):
        """In the order of the parts, the running averages too."""
        return [[parameter.data().asnumpy() for parameter in network._collect_params_with_prefix().values()]
                for network in self.networks]

    def gradients(self):
        return [parameter.grad().asnumpy() for parameter in self.networks[0]._collect_params_with_prefix().values()
                if parameter.grad_req != 'null']

    def prepare(self, way):
        network = self.networks[0]
        self.ready[way] = network if way == 'hybridized' else self.for_inference(network, self.x)

    def infer(self, way):
        self.ready[way](self.x)
        self.mx.nd.waitall()

    def outputs(self, way):
        return [y.asnumpy() for y in self._listed(self.ready[way](self.x))]

    def export_onnx(self, path):
        from gluonzoo.export import to_onnx
        to_onnx(self.networks[0], path, {'image': self.x.shape})

    def train_detection(self):
        def loss(outputs):
            (logits, offsets), (labels, wanted) = outputs, self.targets
            classes = -self.mx.nd.log_softmax(logits).pick(labels).mean()
            return classes + self.mx.nd.smooth_l1(offsets - wanted, scalar=1).mean()
        return self._descend(loss)

    def train_classification(self):
        return self._descend(lambda logits: -self.mx.nd.log_softmax(logits).pick(self.targets[0]).mean())

    def train_heads(self):
        with self.mx.autograd.record():
            outputs = self.networks[0](self.x)
        self.mx.autograd.backward(outputs, self.targets)
        self.trainer.step(1)
        self.mx.nd.waitall()
        return outputs[0].norm().asscalar()

    def train_views(self):
        nd, network, (labels, centres) = self.mx.nd, self.networks[0], self.targets
        height, width = self.x.shape[2:]

        def entropy(logits):
            return -nd.log_softmax(logits).pick(labels).mean()

        def size(x):
            return nd.contrib.BilinearResize2D(x, height=height, width=width)

        def learn(x):
            """A forward and a backward pass, so that the maps of one view alone are kept."""
            with self.mx.autograd.record():
                logits, feature, attention = network(x)
                loss = entropy(logits) / 3
                if x is self.x:
                    loss = loss + (feature - centres).square().sum(axis=1).mean()
            loss.backward()
            return loss, attention

        network.collect_params().zero_grad()
        loss, attention = learn(self.x)
        seen = size(attention.mean(axis=1, keepdims=True))
        crop = size(self.x[:, :, height // 4:height - height // 4, width // 4:width - width // 4])
        drop = self.x * (1 - seen / seen.max(axis=(2, 3), keepdims=True))
        loss = loss + learn(crop)[0] + learn(drop)[0]
        self.trainer.step(1)
        self.mx.nd.waitall()
        return loss.asscalar()

    def train_gan(self):
        losses = self.task.train_step(self.make_batch((self.x, *self.targets), np.arange(len(self.x))), step=0)
        self.mx.nd.waitall()
        return sum(loss.asscalar() for loss in losses.values())

    def _task_of_noise(self, generator, discriminator):
        from gluonzoo.tasks.adversarial.generation import Generation

        class Fed(Generation):
            """Makes its pictures from the noise that both sides get."""

            def generate(self, part):
                return self.networks['generator'](self.fed)

            generate_to_learn = generate

        return Fed(generator, discriminator)

    def train_noise(self):
        self.task.fed = self.x
        losses = self.task.train_step(self.make_batch(tuple(self.targets), np.arange(len(self.x))), step=0)
        self.mx.nd.waitall()
        return sum(loss.asscalar() for loss in losses.values())

    train_cyclegan = train_gan   # by the task, too

    def _descend(self, loss_of):
        with self.mx.autograd.record():
            loss = loss_of(self.networks[0](self.x))
        loss.backward()
        self.trainer.step(1)
        self.mx.nd.waitall()
        return loss.asscalar()

    @staticmethod
    def _listed(outputs):
        return outputs if isinstance(outputs, (list, tuple)) else [outputs]

    def share_of_operators(self, marks, steps):
        """As :func:`part_of_operators`, of some training steps."""
        profiler = self.mx.profiler
        self.train()
        # MXNet writes the file when the process ends, and puts it in the place of what is there, even of /dev/null. So
        # the file is in a folder that is gone by then.
        with tempfile.TemporaryDirectory() as folder:
            profiler.set_config(profile_symbolic=True, profile_imperative=True, aggregate_stats=True,
                                filename=os.path.join(folder, 'profile.json'))
            profiler.set_state('run')
            for _ in range(steps):
                self.train()
            profiler.set_state('stop')
        return part_of_operators(profiler.dumps(), marks)


def part_of_operators(table, marks):
    """From MXNet's table of profiled operators, those whose name has one of `marks` in it.

    Returns (their part of the time of all operators, 0 to 1; their names).
    """
    rows = table.split('\noperator\n')[1].split('\n\n')[0].splitlines()[3:]
    times = {}
    for row in rows:
        name, _, total, *_ = row.rsplit(None, 5)
        times[name.strip()] = float(total)
    marked = {name for name in times if any(mark in name for mark in marks)}
    return sum(times[name] for name in marked) / sum(times.values()), sorted(marked)


class TorchSide(Side):

    def load(self, threads):
        import torch
        self.torch = torch
        torch.set_num_threads(threads)

    def build(self, case):
        torch = self.torch
        self.networks = [self._twin(*case.twin)]
        if case.job in ('gan', 'noise'):
            self.networks.append(self._twin('torch_twins.pix2pix', 'PatchGAN', {}) if case.job == 'gan' else
                                 self._twin('torch_twins.dcgan', 'WGANCritic', case.twin[2]))
            self.trainers = [torch.optim.Adam(network.parameters(), 2e-4, (.5, .999)) for network in self.networks]
        elif case.job == 'cyclegan':
            self.networks.append(self._twin(*case.twin))
            self.networks += [self._twin('torch_twins.pix2pix', 'PatchGAN', {'in_channels': 3, 'norm': 'instance'})
                              for _ in 'ab']
            self.step = importlib.import_module('torch_twins.cyclegan').Step(*self.networks)
        else:
            self.trainers = [torch.optim.SGD(self.networks[0].parameters(), SGD['learning_rate'], SGD['momentum'])]

    @staticmethod
    def _twin(module, factory, arguments):
        return getattr(importlib.import_module(module), factory)(**arguments)

    def conditions(self):
        return {'torch': self.torch.__version__,
                'torch malloc': 'keeps freed memory' if 'MALLOC_MMAP_MAX_' in os.environ else 'the system\'s'}

    def feed(self, x, targets):
        self.x, self.targets = self.torch.from_numpy(x), [self.torch.from_numpy(target) for target in targets]

    def gradients(self):
        return [parameter.grad.numpy() for parameter in self.networks[0].parameters()]

    def set_weights(self, weights):
        for network, values in zip(self.networks, weights):
            own = [own for name, own in network.state_dict().items() if not name.endswith('num_batches_tracked')]
            if [part.numel() for part in own] != [value.size for value in values]:
                raise ValueError("the parts of the twin are not those of gluonzoo's network, in their order")
            for part, value in zip(own, values):
                part.copy_(self.torch.from_numpy(value).reshape(part.shape))

    def compile(self):
        """Has torch.compile make the networks' forward and backward passes, at their first call."""
        for network in self.networks:
            network.compile()

    def prepare(self, way):
        torch = self.torch
        layout = torch.channels_last if 'channels last' in way else torch.contiguous_format
        network = copy.deepcopy(self.networks[0]).eval().to(memory_format=layout)
        x = self.x.contiguous(memory_format=layout) if self.x.ndim == 4 else self.x   # or it is noise
        if 'jit.freeze' in way:
            with torch.no_grad():
                network = torch.jit.freeze(torch.jit.trace(network, x))
        self.ready[way] = network, x

    def infer(self, way):
        network, x = self.ready[way]
        with self.torch.no_grad():
            network(x)

    def outputs(self, way):
        network, x = self.ready[way]
        with self.torch.no_grad():
            outputs = network(x)
        return [y.numpy() for y in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]

    def train_detection(self):
        functional = self.torch.nn.functional

        def loss(outputs):
            (logits, offsets), (labels, wanted) = outputs, self.targets
            return (functional.cross_entropy(logits.flatten(0, 1), labels.flatten().long())
                    + functional.smooth_l1_loss(offsets, wanted))
        return self._descend(loss)

    def train_classification(self):
        labels = self.targets[0].long()
        return self._descend(lambda logits: self.torch.nn.functional.cross_entropy(logits, labels))

    def train_heads(self):
        self.trainers[0].zero_grad()
        outputs = self.networks[0](self.x)
        self.torch.autograd.backward(outputs, self.targets)
        self.trainers[0].step()
        return outputs[0].norm().item()

    def train_views(self):
        functional, network, (labels, centres) = self.torch.nn.functional, self.networks[0], self.targets
        labels, (height, width) = labels.long(), self.x.shape[2:]

        def size(x):
            return functional.interpolate(x, (height, width), mode='bilinear', align_corners=True)

        self.trainers[0].zero_grad()
        logits, feature, attention = network(self.x)
        with self.torch.no_grad():
            seen = size(attention.mean(1, keepdim=True))
            drop = self.x * (1 - seen / seen.amax((2, 3), keepdim=True))
            crop = size(self.x[:, :, height // 4:height - height // 4, width // 4:width - width // 4])
        every = (logits, network(crop)[0], network(drop)[0])
        loss = sum(functional.cross_entropy(one, labels) for one in every) / 3
        loss = loss + (feature - centres).square().sum(1).mean()
        loss.backward()
        self.trainers[0].step()
        return loss.item()

    def train_noise(self):
        torch = self.torch
        (generator, discriminator), (learn_to_make, learn_to_judge) = self.networks, self.trainers

        def judge(picture, real):
            scores = discriminator(picture)
            wanted = torch.full_like(scores, real)
            return torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted)

        with torch.no_grad():
            made = generator(self.x)
        discriminator.requires_grad_(True)
        learn_to_judge.zero_grad()
        losses = [judge(self.targets[0], 1), judge(made, 0)]
        sum(losses).backward()
        learn_to_judge.step()
        discriminator.requires_grad_(False)
        learn_to_make.zero_grad()
        losses.append(judge(generator(self.x), 1))
        losses[-1].backward()
        learn_to_make.step()
        return sum(losses).item()

    def train_gan(self):
        torch = self.torch
        (generator, discriminator), (learn_to_make, learn_to_judge) = self.networks, self.trainers
        target, = self.targets

        def judge(picture, real):
            scores = discriminator(torch.cat([self.x, picture], 1))
            wanted = torch.full_like(scores, real)
            return torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted)

        made = generator(self.x)
        discriminator.requires_grad_(True)
        learn_to_judge.zero_grad()
        losses = [judge(made.detach(), 0), judge(target, 1)]
        (sum(losses) / 2).backward()
        learn_to_judge.step()
        discriminator.requires_grad_(False)
        learn_to_make.zero_grad()
        losses += [judge(made, 1), 100 * torch.nn.functional.l1_loss(made, target)]
        sum(losses[2:]).backward()
        learn_to_make.step()
        return sum(loss.item() for loss in losses)

    def train_cyclegan(self):
        return sum(loss.item() for loss in self.step(self.x, self.targets[0]).values())

    def _descend(self, loss_of):
        self.trainers[0].zero_grad()
        loss = loss_of(self.networks[0](self.x))
        loss.backward()
        self.trainers[0].step()
        return loss.item()


class OnnxSide:
    """onnxruntime, for inference alone, with the file that gluonzoo's side exports."""

    def __init__(self, case, threads):
        import onnxruntime
        self.version, self.make_session = onnxruntime.__version__, onnxruntime.InferenceSession
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads

    def conditions(self):
        return {'onnxruntime': self.version}

    def feed(self, x, path):
        self.inputs = {'image': x}
        self.session = self.make_session(path, self.options, providers=['CPUExecutionProvider'])

    def prepare(self, way):
        """There is one way."""

    def infer(self, way):
        self.session.run(None, self.inputs)

    def outputs(self, way):
        return self.session.run(None, self.inputs)


# -- their processes -------------------------------------------------------------------------------------------------

def serve(connection, side, case, threads):
    """Calls the methods that come over the connection as (method, arguments), until the connection is closed."""
    worker = None
    with contextlib.suppress(EOFError):
        while True:
            method, arguments = connection.recv()
            try:
                worker = worker or side(case, threads)
                connection.send((True, getattr(worker, method)(*arguments)))
            except Exception:
                connection.send((False, traceback.format_exc()))


class Process:
    """A side in a process of its own. Its methods are called here and run there.

    A context manager: the process ends with the context.

    Parameters
    ----------
    side : type
        GluonzooSide or TorchSide
    case : Case
        of bench_models.py
    threads : int
    environment : dict
        variables of the process, besides those of this one
    """

    def __init__(self, side, case, threads, environment=()):
        context = multiprocessing.get_context('spawn')
        self.connection, there = context.Pipe()
        self.process = context.Process(target=serve, args=(there, side, case, threads), daemon=True)
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            self.process.start()
        finally:
            os.environ.clear()
            os.environ.update(before)
        there.close()

    def call(self, method, *arguments):
        """The result of the side's method. RuntimeError, with the other process's traceback, if the method raises."""
        self.connection.send((method, arguments))
        right, result = self.connection.recv()
        if not right:
            raise RuntimeError(f'{method}:\n{result}')
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.join()
