"""CycleGAN beside PyTorch: from the same weights, on the same batches, the same losses and the same updates."""
import mxnet as mx
import numpy as np
import pytest

from gluonzoo.convert import load_weights
from gluonzoo.convert import pix2pix as name_maps
from gluonzoo.data import Batch
from gluonzoo.models.patchgan import PatchGAN
from gluonzoo.models.resnet_generator import ResNetGenerator
from gluonzoo.recipes.schedules import linear_by_epochs
from gluonzoo.tasks.adversarial.cyclegan import CycleGAN
from gluonzoo.train import schedule
from gluonzoo.train.engine import Engine

torch = pytest.importorskip('torch')
from torch_twins import cyclegan as twin  # noqa: E402
from torch_twins import pix2pix as networks  # noqa: E402

SIZE = 32
OURS = {'ab': 'generator_ab', 'ba': 'generator_ba', 'judge_a': 'discriminator_a', 'judge_b': 'discriminator_b'}
OF_THE_TASK = {'cycle_a': 'lambda_a', 'cycle_b': 'lambda_b', 'identity': 'lambda_identity'}
SGD = {'name': 'sgd', 'learning_rate': .05}


def pair(optimizer, their_optimizer=None, accumulate=1, **options):
    """(our task, started to train; the twin; their networks by our names; name maps), with the same weights."""
    torch.manual_seed(0)
    theirs = {name: networks.PatchGAN(3, 2, 4, 'instance') if 'judge' in name else networks.ResNetGenerator(2, width=4)
              for name in OURS}
    with torch.no_grad():
        for net in theirs.values():
            for weights in net.parameters():   # so that a generator's pictures are neither grey nor those it was given
                weights.normal_(0, .2)
    task = CycleGAN(**{ours: PatchGAN(3, 2, 4, 'instance') if 'judge' in name else ResNetGenerator(2, width=4)
                       for name, ours in OURS.items()}, image_size=SIZE, optimizer=optimizer,
                    **{OF_THE_TASK.get(key, key): value for key, value in options.items()})
    task.start_training(Engine(accumulate=accumulate))
    maps = {}
    for name, ours in OURS.items():
        net = task.networks[ours]
        maps[ours] = (name_maps.patchgan if 'judge' in name else name_maps.resnet_generator)(net)
        load_weights(net, {key: values.numpy() for key, values in theirs[name].state_dict().items()}, maps[ours])
    step = twin.Step(*theirs.values(), optimizer=their_optimizer, **options)
    return task, step, {OURS[name]: net for name, net in theirs.items()}, maps


def pictures(seed, batch=2):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (batch, 3, 8, 8)).astype('float32').repeat(4, 2).repeat(4, 3) for _ in 'ab']


def both(task, step, seed, batch=2):
    """The losses of a step of each side: two dicts of name -> float."""
    a, b = pictures(seed, batch)
    np.random.seed(seed)
    wanted = {name: loss.item() for name, loss in step(torch.from_numpy(a), torch.from_numpy(b)).items()}
    np.random.seed(seed)
    found = task.train_step(Batch((mx.nd.array(a), mx.nd.array(b)), np.arange(batch)), seed)
    return {name: loss.asscalar() for name, loss in found.items()}, wanted


def weights_of(task, theirs, maps):
    """(network, name) -> (ours, theirs)"""
    found = {}
    for name, net in theirs.items():
        parameters = task.networks[name]._collect_params_with_prefix()
        ours = maps[name].inverse(parameters)
        for key, values in net.named_parameters():
            found[name, key] = parameters[ours[key]].data().asnumpy(), values.detach().numpy().copy()
    return found


@pytest.mark.parametrize('options', [{}, dict(cycle_a=4., cycle_b=7., identity=.25), dict(identity=0., pool_size=0)],
                         ids=['published', 'weights', 'no identity loss, no pool'])
def test_one_step_is_the_official_step(options):
    """By plain gradient descent, a step shows the gradients of all four networks."""
    task, step, theirs, maps = pair(SGD, lambda parameters: torch.optim.SGD(parameters, .05), **options)
    before = {key: values for key, (_, values) in weights_of(task, theirs, maps).items()}
    found, wanted = both(task, step, 0)
    assert found == pytest.approx(wanted, rel=1e-5) and len(found) == (6 if options.get('identity') == 0 else 8)
    moves = {key: (ours - before[key], values - before[key])
             for key, (ours, values) in weights_of(task, theirs, maps).items()}
    for network in theirs:
        largest = max(abs(move).max() for (name, _), (_, move) in moves.items() if name == network)
        for (name, key), (ours, move) in moves.items():
            if name == network:
                assert abs(ours - move).max() < 1e-3 * abs(move).max() + 1e-5 * largest, (name, key)


def test_a_step_in_rounds_is_the_official_step_of_all():
    """With normalisation of each picture, the mean of the parts' losses is the loss of the whole."""
    task, step, *_ = pair(SGD, lambda parameters: torch.optim.SGD(parameters, .05), accumulate=2, pool_size=0)
    for seed in range(2):
        found, wanted = both(task, step, seed, batch=4)
        assert found == pytest.approx(wanted, rel=1e-4)


def test_steps_with_the_official_optimizers_and_pools():
    """Both pools are full after the second step; from then on both sides draw the same pictures from them."""
    optimizer = {'name': 'adam', 'learning_rate': 2e-4, 'beta1': .5}
    task, step, *_ = pair(optimizer, pool_size=3)
    for seed in range(6):
        found, wanted = both(task, step, seed)
        assert found == pytest.approx(wanted, rel=2e-3), seed
    for domain in 'ab':
        ours, theirs = task.state()[f'pool_{domain}.images'], torch.stack(getattr(step, f'pool_{domain}').pictures)
        np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)


def test_the_learning_rate_of_each_epoch():
    rate = schedule.create(linear_by_epochs(200, 7))
    for epoch in range(1, 201):
        for step in (0, 6):
            assert rate((epoch - 1) * 7 + step) == pytest.approx(twin.decay(epoch))
    short = schedule.create(linear_by_epochs(5, 2))   # 3 epochs at the full rate, 2 on the way down
    assert [short(2 * epoch) for epoch in range(5)] == pytest.approx([1, 1, 1, 2 / 3, 1 / 3])
    assert schedule.create(linear_by_epochs(1, 2))(1) == 1
