"""WS-DAN's task: it learns, both trainers step as they shall, evaluation and views show both stages."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd
from task_checks import (
    NO_IMAGES,
    check_a_step_does_not_wait,
    check_it_is_no_image,
    check_statistics_are_of_the_step,
    parameters,
    start_training,
    values,
)
from tiny_wsdan import MAPS, MEAN, NAMES, SIZE, STD, TinyWSDAN, draw, make_batch

from gluonzoo.data import Batch
from gluonzoo.pictures.heat import draw_heat
from gluonzoo.pictures.labelled import labelled_sheet
from gluonzoo.registry import TASKS
from gluonzoo.tasks.fine_grained.attention_views import AttentionDrop
from gluonzoo.tasks.fine_grained.two_stage import joined
from gluonzoo.tasks.fine_grained.wsdan import OPTIMIZER, WSDAN

QUICK = {'net': {'name': 'sgd', 'learning_rate': .002, 'momentum': .9}, 'center': OPTIMIZER['center']}


def make_task(net=None, variant='guyuc', **options):
    """Started to train."""
    return start_training(WSDAN, net=net or TinyWSDAN(variant=variant), **{
        'class_names': NAMES, 'size': SIZE, 'mean': MEAN, 'std': STD, 'optimizer': QUICK, **options})


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def step(task, batch, number=0):
    """A step of which all draws are known."""
    mx.random.seed(number)
    return values(task.train_step(batch, number))


@pytest.fixture(scope='module', params=['guyuc', 'official'])
def trained(request):
    """(task, losses) after 150 steps."""
    task = make_task(variant=request.param)
    batches = [make_batch(16, seed) for seed in range(15)]
    return task, [step(task, batches[number % 15], number) for number in range(150)]


# -- learning --------------------------------------------------------------------------------------------------------

def test_it_learns(trained):
    task, losses = trained
    assert set(losses[0]) == {'loss', 'cross_entropy', 'center', 'train_raw_top1', 'train_crop_top1',
                              'train_drop_top1'}
    first, last = ({name: np.mean([each[name] for each in part]) for name in losses[0]}
                   for part in (losses[:10], losses[-10:]))
    assert last['cross_entropy'] < .5 * first['cross_entropy'] and last['center'] < .5 * first['center']
    assert last['train_raw_top1'] > .9 > .8 > first['train_raw_top1'] and last['train_crop_top1'] > .8
    metrics = task.evaluate(make_batch(16, seed) for seed in range(100, 104))
    kinds = ['top1', 'top5', 'mean_class_top1']
    assert list(metrics) == [*kinds, *(f'{stage}_{kind}' for stage in ('raw', 'refined') for kind in kinds)]
    assert metrics['top1'] > .9 and metrics['raw_top1'] > .9 and metrics['refined_top1'] > .6
    assert task.main_metric == ('top1', 'max')


def test_predict(trained):
    task, _ = trained
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 20)
    photos = [draw(rng, label) for label in labels]
    found = task.predict([photo.repeat(2, 0).repeat(3, 1) for photo in photos])   # squeezed again
    assert np.mean([each.labels[0] == label for each, label in zip(found, labels)]) > .8
    for each in found:
        assert sorted(each.labels) == [0, 1, 2, 3] and each.scores.sum() == pytest.approx(1, abs=1e-5)


def test_every_parameter_learns():
    """Also the centers of the classes of the batch, and no others."""
    task = make_task()
    before = parameters(task)
    batch = make_batch(8)
    assert all(np.isfinite(value) for value in step(task, batch).values())
    there = sorted({int(label) for label in batch.arrays[1].asnumpy().ravel()})
    for name, value in parameters(task).items():
        assert np.isfinite(value).all() and (value != before[name]).any(), name
        if name[0] == 'center':
            assert sorted(np.flatnonzero((value != before[name]).any(axis=1))) == there


def test_the_loss_against_numpy():
    """(raw + crop + drop) / 3, and the center loss by its weight; the three top1."""
    logits = np.random.default_rng(0).normal(0, 2, (3, 6, 4)).astype('float32')
    feature = np.random.default_rng(1).normal(0, 1, (6, TinyWSDAN.feature_length)).astype('float32')
    labels = np.array([3, 0, 1, 1, 2, 0])
    entropy = [-np.log(softmax(each.astype('float64'))[np.arange(6), labels]).mean() for each in logits]
    for weight in (0, .5, 1):
        task = make_task(center_weight=weight)
        answers = iter([(mx.nd.array(each), mx.nd.array(feature), mx.nd.ones((6, MAPS, 8, 8))) for each in logits])
        task._net, task.engine.backward = lambda images, answers=answers: next(answers), lambda names, losses: None
        found, = task._learn([(mx.nd.zeros((6, 3, SIZE, SIZE)), mx.nd.array(labels))])
        found = values(found)
        center = (feature.astype('float64') ** 2).sum(axis=1).mean()   # all centers are 0
        assert found['cross_entropy'] == pytest.approx(np.mean(entropy), rel=1e-5)
        assert found.get('center') == (pytest.approx(center, rel=1e-5) if weight else None)   # the distance itself
        assert found['loss'] == pytest.approx(np.mean(entropy) + weight * center, rel=1e-5)
        for name, each in zip(('raw', 'crop', 'drop'), logits):
            assert found[f'train_{name}_top1'] == pytest.approx((each.argmax(axis=1) == labels).mean())


@pytest.mark.parametrize('options', [{}, {'accumulate': 2}, {'ctx': [mx.cpu(0), mx.cpu(1)]},
                                     {'accumulate': 2, 'ctx': [mx.cpu(0), mx.cpu(1)]}], ids=str)
def test_centers_step_by_beta_over_the_whole_batch(options):
    """c += beta x the sum, over all pictures of the class, of feature - c / |c|."""
    task = make_task(center_weight=.3, **options)   # the weight is of the features' gradient alone
    old = np.random.default_rng(2).normal(0, 1, (4, TinyWSDAN.feature_length)).astype('float32')
    task.networks['center'].centers.set_data(mx.nd.array(old))
    batch, features, net = make_batch(8, 3), [], task._net

    def listening(images):
        outputs = net(images)
        features.append(outputs[1])
        return outputs
    task._net = listening
    step(task, batch)
    devices = len(task.ctx)   # which all see their pictures, then their crops, then their drops
    raw = [each.asnumpy() for number, each in enumerate(features) if number // devices % 3 == 0]
    feature = np.concatenate(raw).astype('float64')
    wanted = old.astype('float64')
    for label, each in zip(batch.arrays[1].asnumpy().ravel().astype(int), feature):
        wanted[label] += .05 * (each - old[label] / np.linalg.norm(old[label].astype('float64')))
    for ctx in task.ctx:
        np.testing.assert_allclose(task.networks['center'].centers.data(ctx).asnumpy(), wanted, atol=1e-6)


def test_centers_that_are_not_normalized():
    task, batch = make_task(normalize_centers=False), make_batch(4)
    centers = task.networks['center'].centers
    centers.set_data(mx.nd.full(centers.shape, 5))
    with autograd.train_mode():
        feature = task.networks['net'](batch.arrays[0])[1].asnumpy()
    assert step(task, batch)['center'] == pytest.approx(((feature - 5) ** 2).sum(axis=1).mean(), rel=1e-4)


def test_two_devices_are_as_two_rounds():
    """The draws of a device are its own, so nothing is drawn here: all that a crop or a drop could be is the same."""
    class Whole(TinyWSDAN):
        def hybrid_forward(self, F, x):
            logits, feature, attention = super().hybrid_forward(F, x)
            return logits, feature, F.zeros_like(attention)   # of which the crop is the picture, and nothing is dropped

    rounds, devices = make_task(Whole(), accumulate=2), make_task(Whole(), ctx=[mx.cpu(0), mx.cpu(1)])
    for number in range(3):
        losses = [values(task.train_step(make_batch(8, number), number)) for task in (rounds, devices)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)   # gradients add up in another order
    for ctx in devices.ctx:
        there = parameters(devices, ctx)
        for name, value in parameters(rounds).items():
            np.testing.assert_allclose(there[name], value, atol=1e-6)


def test_the_gradient_is_that_of_all_three_losses_together():
    """Going back after each view, or once."""
    apart, once = make_task(), make_task()
    batch = make_batch(8)
    mx.random.seed(4)
    apart.train_step(batch, 0)
    images, labels = batch.arrays[0], batch.arrays[1].reshape(-1)
    mx.random.seed(4)
    net = once.networks['net']
    with autograd.record():
        logits, feature, attention = net(images)
        crops, drops = once._views(images, attention.detach())
        losses = [once._cross_entropy(each, labels).mean() for each in (logits, net(crops)[0], net(drops)[0])]
        total = sum(losses) / 3 + once.networks['center'](feature, labels)
    total.backward()
    for name in once.trainers:
        once.trainers[name].update(1)
    found = parameters(apart)
    for name, value in parameters(once).items():
        np.testing.assert_allclose(found[name], value, atol=1e-6)


def test_draws_follow_the_seed_of_the_step():
    def losses(*seeds):
        task = make_task()
        found = []
        for number, seed in enumerate(seeds):
            mx.random.seed(seed)
            found.append(values(task.train_step(make_batch(8, number), number)))
        return found
    assert losses(0, 1) == losses(0, 1)
    assert losses(0, 1)[0] == losses(0, 2)[0] and losses(0, 1)[1] != losses(0, 2)[1]


@pytest.mark.parametrize('options', [{}, {'accumulate': 2, 'clip_norm': 1.}, {'ctx': [mx.cpu(0), mx.cpu(1)]},
                                     {'variant': 'official'}], ids=str)
def test_a_step_does_not_wait(options):
    check_a_step_does_not_wait(make_task(**options), make_batch(4))


def test_who_reads_the_running_statistics_gets_those_of_the_step():
    check_statistics_are_of_the_step(make_task(), [make_batch(16, seed) for seed in range(3)])


def test_a_batch_of_one():
    assert all(np.isfinite(value) for value in step(make_task(), make_batch(1)).values())


# -- use -------------------------------------------------------------------------------------------------------------

def test_prediction_makes_no_centers():
    task = WSDAN(TinyWSDAN(), NAMES, size=SIZE)
    task.start_prediction()
    assert list(task.networks) == ['net'] and not task.trainers
    assert list(make_task().networks) == ['net', 'center']


def test_both_stages_by_hand(trained):
    """Of each variant: how the two are joined."""
    task, _ = trained
    batch = make_batch(12, 77)
    images, truth = batch.arrays[0], batch.arrays[1].asnumpy().ravel().astype(int)
    raw, _, attention = task._net(images)
    crops, _ = task._two_stage.view(images, attention)
    raw, refined = raw.asnumpy(), task._net(crops)[0].asnumpy()
    joined = (softmax((raw + refined) / 2) if task._net.variant == 'guyuc' else
              (softmax(raw) + softmax(refined)) / 2)
    np.testing.assert_allclose(softmax(task.logits_of(images).asnumpy()), joined, atol=1e-5)
    metrics = task.evaluate([batch])
    for name, logits in (('top1', joined), ('raw_top1', raw), ('refined_top1', refined)):
        assert metrics[name] == pytest.approx((logits.argmax(axis=1) == truth).mean())


@pytest.mark.parametrize('variant', ['guyuc', 'official'])
def test_logits_far_apart(variant):
    """Of classes without any probability in float32 the likelier ones still come first."""
    logits = mx.nd.array([[0, -200, -300, -400, -500, 200, -130, -120.]])
    found = joined(mx.nd, logits, logits - 7, variant).asnumpy()[0]
    assert np.isfinite(found).all() and found.argsort().tolist() == logits.asnumpy()[0].argsort().tolist()


def test_evaluation_on_two_devices():
    one, two = make_task(), make_task(ctx=[mx.cpu(0), mx.cpu(1)])
    batches = [make_batch(5, 0), make_batch(1, 1)]
    assert one.evaluate(batches) == two.evaluate(batches)


def test_views(trained, monkeypatch):
    task, _ = trained
    rng, sheets = np.random.default_rng(8), []
    monkeypatch.setattr('gluonzoo.tasks.fine_grained.wsdan.labelled_sheet',
                        lambda images, *more: sheets.append(images) or labelled_sheet(images, *more))
    for photo in (draw(rng, label) for label in range(4)):   # the strongest map may be 0 on a picture
        sheets.clear()
        shown = task.views(photo)
        assert list(shown) == ['attention', 'crop', 'drop']
        assert [shown[name].shape for name in shown] == [(192, (1 + MAPS) * 196 - 4, 3), *2 * [(384, 772, 3)]]
        heats, (_, crop), (_, dropped) = sheets
        assert len(heats) == 1 + MAPS and dropped.shape == crop.shape == (SIZE, SIZE, 3)
        kept = (dropped == task.seen(photo)).all(axis=2)
        if not kept.all():
            break
    assert 0 < kept.mean() < 1   # what is dropped is the mean colour
    assert (abs(dropped[~kept].astype(int) - np.array(MEAN)) <= 1).all()


def shown_by(variant, monkeypatch):
    """What the views of a photo are made of, with maps by hand: a weak one on half of it, a strong one in a corner."""
    maps = np.zeros((1, MAPS, 8, 8), 'float32')
    maps[0, 1, :, :4], maps[0, 2, :3, :3] = 2, 9   # the means are 1 and 1.3
    sheets, task = [], make_task(variant=variant)
    net = task._net
    task._net = lambda images: (*net(images)[:2], mx.nd.array(maps))
    monkeypatch.setattr('gluonzoo.tasks.fine_grained.wsdan.labelled_sheet',
                        lambda images, *more: sheets.append(images) or labelled_sheet(images, *more))
    photo = np.full((SIZE, SIZE, 3), 200, 'uint8')
    task.views(photo)
    return photo, maps[0], sheets


@pytest.mark.parametrize('variant', ['guyuc', 'official'])
def test_views_by_hand(variant, monkeypatch):
    photo, maps, (heats, (outlined, _), (strongest, dropped)) = shown_by(variant, monkeypatch)
    for shown, heat, most in zip(heats, (maps.mean(axis=0), *maps), (None, 9, 9, 9)):
        np.testing.assert_array_equal(shown, draw_heat(photo, heat, most))
    np.testing.assert_array_equal(strongest, draw_heat(photo, maps[2]))
    drop = AttentionDrop(align_corners=variant == 'guyuc')
    ones = mx.nd.ones((1, 1, SIZE, SIZE))
    kept = drop(ones, mx.nd.array(maps[None, 2:]), mx.nd.full((1, 1, 1, 1), .35))[0, 0].asnumpy()
    assert 0 < kept.mean() < 1
    np.testing.assert_array_equal((dropped == 200).all(axis=2), kept > 0)
    assert outlined.shape == (384, 384, 3) and (outlined == 255).all(axis=2).any()   # the box, on what is enlarged


def test_picture(trained):
    task, _ = trained
    assert task.picture(make_batch(6)).shape == (2 * 196 - 4, 6 * 196 - 4, 3)
    assert task.picture(make_batch(1)).shape == (192, 3 * 196 - 4, 3)


def test_pictures_of_an_evaluation(trained):
    task, _ = trained
    task.evaluate([make_batch(8)])
    assert list(task.evaluation_pictures()) == ['confusion', 'mistakes']


@pytest.mark.parametrize('image, what', NO_IMAGES)
def test_what_is_no_image(image, what):
    check_it_is_no_image(make_task(), image, what)


# -- what does not fit -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('options, message', [
    ({'class_names': NAMES[:3]}, 'class_names: must name the 4 outputs of the network; there are 3'),
    ({'center_weight': -1}, 'center_weight: must be .*: -1'), ({'normalize_centers': 1}, 'normalize_centers: must be'),
    ({'center_weight': float('nan')}, 'center_weight: must be'),
    ({'crop': .4}, 'crop: must be .*: 0.4'),
    ({'optimizer': {'net': QUICK['net']}}, "optimizer: .*center"),
])
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        make_task(**options)


class Odd(TinyWSDAN):
    """Returns what `change` makes of the three outputs."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def hybrid_forward(self, F, x):
        return self.change(F, *super().hybrid_forward(F, x))


@pytest.mark.parametrize('change, said', [
    (lambda F, logits, feature, maps: (logits, feature), r'\[1, 4\], \[1, 24\]$'),
    (lambda F, logits, feature, maps: logits, r'\[1, 4\]$'),
    (lambda F, logits, feature, maps: (logits, F.slice_axis(feature, axis=1, begin=0, end=5), maps), r'\[1, 5\]'),
    (lambda F, logits, feature, maps: (logits, feature, F.sum(maps, axis=1)), r'\[1, 8, 8\]$')])
def test_outputs_of_another_kind(change, said):
    with pytest.raises(ValueError, match=rf'^net: must return logits .* of feature_length, and attention .*: .*{said}'):
        make_task(Odd(change))


def test_a_network_of_another_kind():
    net = mx.gluon.nn.Dense(4)
    with pytest.raises(ValueError, match='net: must have the attribute feature_length'):
        make_task(net)


def test_images_of_another_size():
    task, batch = make_task(), make_batch(4)
    with pytest.raises(ValueError, match=r'images: must be \[B, 3, 16, 16\], by size: \[4, 3, 8, 16\]'):
        task.train_step(Batch((batch.arrays[0][:, :, :8], batch.arrays[1]), batch.records), 0)


def test_it_is_registered():
    assert TASKS.target('wsdan') is WSDAN


def test_export_is_of_both_stages():
    task = make_task()
    exported = task.exported(batch=2)
    outputs = exported.block(mx.nd.array(make_batch(2).arrays[0]))
    assert exported.inputs == {'image': (2, 3, SIZE, SIZE)} and exported.outputs == list(exported.metadata['outputs'])
    assert [output.shape for output in outputs] == [(2, 4), (2, 4), (2, 4), (2, 4)]
    with pytest.raises(ValueError, match='decode: wsdan has nothing to decode'):
        task.exported(decode=True)


