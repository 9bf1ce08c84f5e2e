"""YOLO's losses: by hand, against differences, PyTorch, GluonCV, g-darknet's gradient, and at outputs without end."""
from itertools import product
from math import exp, inf, log, nan

import gluoncv
import mxnet as mx
import numpy as np
import pytest

from gluonzoo import boxes
from gluonzoo.losses.yolo import BOX_WEIGHTS, YOLOLoss, predicted_boxes

KINDS = 'mse', 'iou', 'giou', 'diou', 'ciou'
MODES = [(kind, gradient) for gradient in BOX_WEIGHTS for kind in BOX_WEIGHTS[gradient]]
CLASSES = 3


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def make_priors(rng, count, largest=20):
    """Rows of grids of up to 20 x 20 cells. [1, N, 6]"""
    grid = rng.integers(1, largest + 1, (count, 2))
    return np.concatenate([rng.integers(0, grid), grid, np.exp(rng.uniform(np.log(.03), 0, (count, 2)))], axis=1)[None]


def make_case(rng, batch=2, count=9, near=.5):
    """What the loss takes. Boxes and objects overlap more the smaller `near` is."""
    priors = make_priors(rng, count)
    rows = rng.normal(0, 1.5, (batch, count, 5 + CLASSES))
    rows[..., :4] = rng.normal(0, near, (batch, count, 4))
    objectness = rng.choice([-1, 0, 1], (batch, count), p=[.2, .2, .6])
    places, sizes = rng.uniform(.1, .9, (batch, count, 2)), np.exp(rng.normal(0, near, (batch, count, 2)))
    sizes = np.minimum(sizes * priors[..., 4:], 1)
    targets = np.concatenate([(priors[..., :2] + places) / priors[..., 2:4], sizes], axis=2)
    classes = rng.integers(0, 2, (batch, count, CLASSES))
    responsible = (objectness == 1)[..., None]
    return (rows, priors, objectness, targets * responsible, classes * responsible,
            np.where(objectness == 1, rng.random((batch, count)), 1))


def run(loss, case, dtype='float64'):
    """Three numbers, and the gradient of their sum by the rows."""
    arrays = [mx.nd.array(x, dtype=dtype) for x in case]
    arrays[0].attach_grad()
    with mx.autograd.record():
        losses = loss(*arrays)
        total = losses[0] + losses[1] + losses[2]
    total.backward()
    assert [x.shape for x in losses] == [(1,)] * 3
    return [x.asscalar() for x in losses], arrays[0].grad.asnumpy()


def make_loss(*args, **keywords):
    loss = YOLOLoss(*args, **keywords)
    loss.hybridize(static_alloc=True)
    return loss


# -- by hand ---------------------------------------------------------------------------------------------------------

PRIOR = [1, 0, 2, 2, .25, .5]   # the upper right one of 2 x 2 cells; its middle is .75, .25


def one_row(row=(0,) * 8, objectness=1, target=(.75, .25, .25, .5), classes=(1, 0, 1), weight=1):
    return [[row]], [[PRIOR]], [[objectness]], [[target]], [[classes]], [[weight]]


def test_predicted_boxes():
    rows = [[[0, 0, 0, 0, 9], [log(3), -log(3), log(2), -log(2), 9]]]
    found = predicted_boxes(mx.nd, mx.nd.array(rows), mx.nd.array([[PRIOR, PRIOR]]))
    np.testing.assert_allclose(found.asnumpy(), [[[.75, .25, .25, .5], [.875, .125, .5, .25]]], rtol=1e-6)


def test_predicted_boxes_are_finite():
    rows = mx.nd.array(list(product([-inf, -1e30, 1e30, inf], repeat=4))).expand_dims(0)
    priors = mx.nd.broadcast_axis(mx.nd.array([[PRIOR]]), axis=1, size=256)
    found = predicted_boxes(mx.nd, rows, priors).asnumpy()[0]
    np.testing.assert_allclose(found[0], [.5, 0, .25 * exp(-8), .5 * exp(-8)], rtol=1e-5)
    np.testing.assert_allclose(found[-1], [1, .5, .25 * exp(8), .5 * exp(8)], rtol=1e-5)
    assert np.isfinite(found).all()


@pytest.mark.parametrize('kind, expected', [
    ('mse', 2 * log(2) * (2 - 1 / 8)), ('iou', 0), ('giou', 0), ('diou', 0), ('ciou', 0)])
def test_the_right_box(kind, expected):
    """Outputs of 0 are in the middle of the cell, of the anchor's size, and have no opinion."""
    losses, gradient = run(YOLOLoss(kind, box_weight=1), one_row())
    np.testing.assert_allclose(losses, [log(2), expected, 3 * log(2)], atol=1e-12)
    np.testing.assert_allclose(gradient[0, 0, 4:], [-.5, -.5, .5, -.5])
    if kind == 'mse':   # the others have an edge there
        assert not gradient[0, 0, :4].any()


# The object is half an anchor further right, as large: the cells' units are 1/2, so 1/4 of a cell.
@pytest.mark.parametrize('kind, expected', [
    ('mse', (-.75 * log(.5) - .25 * log(.5) + log(2)) * (2 - 1 / 8)),
    ('iou', 2 / 3), ('giou', 2 / 3), ('diou', 2 / 3 + (1 / 4) ** 2 / ((3 / 4) ** 2 + 1)),
    ('ciou', 2 / 3 + (1 / 4) ** 2 / ((3 / 4) ** 2 + 1))])
def test_a_box_beside(kind, expected):
    case = one_row(target=(.875, .25, .25, .5))
    losses, _ = run(YOLOLoss(kind, box_weight=1), case)
    assert losses[1] == pytest.approx(expected, rel=1e-12)
    assert run(YOLOLoss(kind, box_weight=3), case)[0][1] == pytest.approx(3 * expected, rel=1e-12)


def test_size_of_mse():
    """Half of the squares of the differences of logarithms."""
    case = one_row([0, 0, log(2), log(3), 0, 0, 0, 0], target=(.75, .25, .5, .25))
    expected = (2 * log(2) + log(3 * 2) ** 2 / 2) * (2 - 1 / 8)
    assert run(YOLOLoss('mse'), case)[0][1] == pytest.approx(expected, rel=1e-12)


def test_units_are_the_same_for_places_and_sizes():
    """16 of 416 pixels at a stride of 32 move a box of 55 x 55 by 16: an IoU of 39 / 71, not of 54.5 / 55.5."""
    priors = [[[6, 6, 13, 13, 55 / 416, 55 / 416]]]
    target = [[[7 / 13, 6.5 / 13, 55 / 416, 55 / 416]]]
    losses, _ = run(YOLOLoss('iou', box_weight=1), ([[np.zeros(8)]], priors, [[1]], target, [[[0, 0, 0]]], [[1]]))
    assert losses[1] == pytest.approx(1 - 39 / 71, rel=1e-12)


def test_oblong_inputs_have_square_cells():
    """An object one cell further right, or one further down, on a grid of 2 x 8 cells: as far away."""
    far = []
    for target in ([1.5 / 8, .5 / 2, 1 / 8, 1 / 2], [.5 / 8, 1.5 / 2, 1 / 8, 1 / 2]):
        case = [[np.zeros(8)]], [[[0, 0, 8, 2, 1 / 8, 1 / 2]]], [[1]], [[target]], [[[0, 0, 0]]], [[1]]
        far.append(run(YOLOLoss('diou', box_weight=1), case)[0][1])
    np.testing.assert_allclose(far, 1 + 1 / 5, rtol=1e-12)


def test_sums_over_an_image_and_means_over_the_batch():
    rng = np.random.default_rng(0)
    case = make_case(rng, batch=3)
    for kind in KINDS:
        together, _ = run(make_loss(kind), case)
        apart = [run(make_loss(kind), [x if len(x) == 1 else x[b:b + 1] for x in case])[0] for b in range(3)]
        np.testing.assert_allclose(together, np.mean(apart, axis=0), rtol=1e-10)
    rows, priors, *rest = case
    twice = [np.concatenate([x, x], axis=1) for x in case]
    np.testing.assert_allclose(run(make_loss(), twice)[0], 2 * np.array(run(make_loss(), case)[0]), rtol=1e-10)


def test_rows_that_do_not_count_have_no_gradient():
    case = make_case(np.random.default_rng(0), count=40)
    objectness = case[2]
    for mode in MODES:
        _, gradient = run(make_loss(*mode), case)
        assert not gradient[objectness == -1].any()
        assert gradient[objectness == 0][:, 4].all() and not np.delete(gradient[objectness == 0], 4, axis=1).any()
        assert gradient[objectness == 1][:, 4:].all() and gradient[objectness == 1][:, :4].any()


def test_row_weights():
    """They multiply all losses of responsible rows, and nothing of the others."""
    case = list(make_case(np.random.default_rng(0), batch=1))
    case[2] = np.where(np.arange(9) < 1, 1, 0)[None]
    case[5] = np.where(case[2] == 1, .3, 1)
    without = [*case[:5], np.where(case[2] == 1, 0, 1)]
    whole = [*case[:5], np.ones_like(case[5])]
    for mode in MODES:
        some, none, full = (run(make_loss(*mode), x) for x in (case, without, whole))
        np.testing.assert_allclose(some[0], np.array(none[0]) * .7 + np.array(full[0]) * .3, rtol=1e-10)
        np.testing.assert_allclose(some[1], none[1] * .7 + full[1] * .3, rtol=1e-10, atol=1e-12)
        assert none[0][1] == none[0][2] == 0


def test_smoothing():
    case = one_row([0, 0, 0, 0, 0, 2, 2, -1])
    expected = sum(log(1 + exp(x)) - x * t for x, t in ((2, .9), (2, .1), (-1, .9)))
    losses, gradient = run(make_loss(smoothing=.1), case)
    assert losses[2] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient[0, 0, 5:], sigmoid(np.array([2, 2, -1])) - [.9, .1, .9], rtol=1e-10)


def test_logits_of_exactly_0():
    """The slope of a cross entropy is sigmoid - target there, too; Gluon's loss says -target."""
    logit = mx.nd.zeros((1, 1))
    logit.attach_grad()
    with mx.autograd.record():
        mx.gluon.loss.SigmoidBCELoss()(logit, mx.nd.zeros((1, 1))).backward()
    assert logit.grad.asscalar() == 0
    _, gradient = run(YOLOLoss(), one_row(objectness=0))
    assert gradient[0, 0, 4] == .5


# -- gradients -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('kind', ['mse', 'iou', 'giou', 'diou'])
def test_gradient_against_differences(kind):
    loss = make_loss(kind, smoothing=.05)
    for seed, near in ((0, .2), (1, 1), (2, 2)):
        rows, *rest = make_case(np.random.default_rng(seed), count=4, near=near)
        _, gradient = run(loss, (rows, *rest))
        expected = np.zeros_like(rows)
        for index in np.ndindex(rows.shape):
            step = np.zeros_like(rows)
            step[index] = 1e-6
            up, down = (sum(run(loss, (moved, *rest))[0]) for moved in (rows + step, rows - step))
            expected[index] = (up - down) / 2e-6
        np.testing.assert_allclose(gradient, expected, atol=2e-7)


def torch_losses(torch, kind, rows, priors, objectness, targets, classes, weights, smoothing):
    """The losses by PyTorch's functions, on the responsible rows alone."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    images = []
    for b in range(len(rows)):
        own, weight = objectness[b] == 1, weights[b][objectness[b] == 1]
        row, prior, target = rows[b][own], priors[0][own], targets[b][own]
        counted = objectness[b] >= 0
        first = (entropy(rows[b, :, 4], own.double(), reduction='none') * weights[b])[counted].sum()
        smooth = classes[b][own] * (1 - 2 * smoothing) + smoothing
        third = (entropy(row[:, 5:], smooth, reduction='none') * weight[:, None]).sum()
        if kind == 'mse':
            place = target[:, :2] * prior[:, 2:4] - prior[:, :2]
            size = row[:, 2:4] - (target[:, 2:] / prior[:, 4:]).log()
            box = (entropy(row[:, :2], place, reduction='none') + size ** 2 / 2).sum(1)
            box = box * (2 - target[:, 2] * target[:, 3])
        else:
            a = torch.cat([row[:, :2].sigmoid() + prior[:, :2], row[:, 2:4].exp() * prior[:, 4:] * prior[:, 2:4]], 1)
            b_ = target * prior[:, [2, 3, 2, 3]]
            (alow, ahigh), (blow, bhigh) = ((x[:, :2] - x[:, 2:] / 2, x[:, :2] + x[:, 2:] / 2) for x in (a, b_))
            both = (torch.minimum(ahigh, bhigh) - torch.maximum(alow, blow)).clamp(min=0).prod(1)
            union = a[:, 2:].prod(1) + b_[:, 2:].prod(1) - both
            hull = torch.maximum(ahigh, bhigh) - torch.minimum(alow, blow)
            overlap = both / union
            if kind == 'giou':
                overlap = overlap - 1 + union / hull.prod(1)
            if kind in ('diou', 'ciou'):
                distance = ((a[:, :2] - b_[:, :2]) ** 2).sum(1) / (hull ** 2).sum(1)
                v = 4 / np.pi ** 2 * ((b_[:, 2] / b_[:, 3]).atan() - (a[:, 2] / a[:, 3]).atan()) ** 2
                alpha = (v / (1 - overlap + v)).detach()
                overlap = overlap - distance - (alpha * v if kind == 'ciou' else 0)
            box = 1 - overlap
        images.append(torch.stack([first, (box * weight).sum(), third]))
    return torch.stack(images).mean(0)


@pytest.mark.parametrize('kind', KINDS)
def test_against_pytorch(kind):
    torch = pytest.importorskip('torch')
    for seed, near in ((0, .2), (1, 1), (2, 2)):
        case = make_case(np.random.default_rng(seed), batch=3, count=20, near=near)
        assert np.abs(case[0]).max() < 8
        losses, gradient = run(make_loss(kind, box_weight=1, smoothing=.1), case)
        tensors = [torch.tensor(x, dtype=torch.float64) for x in case]
        tensors[0].requires_grad_()
        expected = torch_losses(torch, kind, *tensors, .1)
        expected.sum().backward()
        np.testing.assert_allclose(losses, expected.detach().numpy(), rtol=1e-9)
        np.testing.assert_allclose(gradient, tensors[0].grad.numpy(), rtol=1e-8, atol=1e-10)


def g_darknet_gradient(kind, row, prior, target, clamp=False):
    """What g-darknet adds to tx, ty, tw, th (the descent, before its normaliser), by its formulas of the four edges.

    `clamp`: with an intersection that is never less than 0.
    """
    columns, rows = prior[2:4]
    x, y = (prior[0] + sigmoid(row[0])) / columns, (prior[1] + sigmoid(row[1])) / rows
    w, h = prior[4] * np.exp(row[2]), prior[5] * np.exp(row[3])
    left, right, top, bottom = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    tx, ty, tw, th = target
    tleft, tright, ttop, tbottom = tx - tw / 2, tx + tw / 2, ty - th / 2, ty + th / 2
    iw, ih = min(right, tright) - max(left, tleft), min(bottom, tbottom) - max(top, ttop)
    meets = not clamp or (iw > 0 and ih > 0)
    inner = iw * ih * meets
    union = w * h + tw * th - inner
    cw, ch = max(right, tright) - min(left, tleft), max(bottom, tbottom) - min(top, ttop)
    hull = cw * ch
    descent = {}
    for edge, d_area, d_inner, d_hull in (('left', -h, -ih * (left > tleft), -ch * (left < tleft)),
                                          ('right', h, ih * (right < tright), ch * (right > tright)),
                                          ('top', -w, -iw * (top > ttop), -cw * (top < ttop)),
                                          ('bottom', w, iw * (bottom < tbottom), cw * (bottom > tbottom))):
        d_inner *= meets
        d_union = d_area - d_inner
        # The union of boxes far apart comes out below 0; then there is no gradient of the IoU.
        descent[edge] = (union > 0) * (union * d_inner - inner * d_union) / union ** 2
        if kind == 'giou':
            descent[edge] += (hull * d_union - union * d_hull) / hull ** 2
    return [descent['left'] + descent['right'], descent['top'] + descent['bottom'],
            (descent['right'] - descent['left']) / 2 * np.exp(row[2]),
            (descent['bottom'] - descent['top']) / 2 * np.exp(row[3])]


def meet(row, prior, target):
    found = predicted_boxes(mx.nd, mx.nd.array(row[None, None]), mx.nd.array(prior[None, None])).asnumpy()[0, 0]
    return boxes.iou(boxes.center_to_corner(found), boxes.center_to_corner(target.astype('float32'))) > 0


@pytest.mark.parametrize('dtype, tolerance', [('float32', 2e-5), ('float64', 1e-12)])
@pytest.mark.parametrize('kind', ['iou', 'giou'])
def test_the_gradient_of_g_darknet(kind, dtype, tolerance):
    """For boxes that meet; the tolerance is of the greatest one of a row."""
    count = 0
    for seed, near in product(range(20), (.1, .4, 1)):
        case = [np.float32(x).astype('float64') for x in make_case(np.random.default_rng(seed), 1, 9, near)]
        rows, priors, objectness, targets, classes, _ = case
        _, gradient = run(make_loss(kind, 'darknet', box_weight=1), (*case[:5], np.ones_like(objectness)), dtype)
        for n in np.flatnonzero(objectness[0] == 1):
            if meet(rows[0, n], priors[0, n], targets[0, n]):
                expected = -np.array(g_darknet_gradient(kind, rows[0, n], priors[0, n], targets[0, n]))
                np.testing.assert_allclose(gradient[0, n, :4], expected, atol=tolerance * np.abs(expected).max())
                count += 1
    assert count > 150


def test_boxes_apart_have_no_intersection():
    """g-darknet multiplies lengths that may be negative: apart in x and y, its intersection is greater than 0."""
    others = 0
    for seed in range(20):
        rows, priors, objectness, targets, classes, weights = make_case(np.random.default_rng(seed), 1, 9, 2)
        _, gradient = run(make_loss('giou', 'darknet', box_weight=1), (rows, priors, objectness, targets, classes,
                                                                      np.ones_like(weights)))
        for n in np.flatnonzero(objectness[0] == 1):
            if not meet(rows[0, n], priors[0, n], targets[0, n]):
                arguments = 'giou', rows[0, n], priors[0, n], targets[0, n]
                expected = -np.array(g_darknet_gradient(*arguments, clamp=True))
                np.testing.assert_allclose(gradient[0, n, :4], expected, rtol=1e-9, atol=1e-12)
                others += np.abs(expected + g_darknet_gradient(*arguments)).max() > .05 * np.abs(expected).max()
    assert others > 5


def test_the_two_gradients_differ_by_the_factors_of_the_chain():
    rows, priors, objectness, targets, classes, weights = make_case(np.random.default_rng(0), 1, 30)
    for kind in ('iou', 'giou'):
        case = rows, priors, objectness, targets, classes, weights
        (value, ours), (same, theirs) = (run(make_loss(kind, mode, box_weight=1), case) for mode in BOX_WEIGHTS)
        np.testing.assert_allclose(value, same, rtol=1e-12)
        p = sigmoid(rows[..., :2])
        factors = np.concatenate([p * (1 - p) / priors[..., 2:4], np.broadcast_to(priors[..., 4:], p.shape)], axis=2)
        np.testing.assert_allclose(ours[..., :4], theirs[..., :4] * factors, rtol=1e-8, atol=1e-12)


def test_the_two_gradients_are_of_the_same_loss():
    """To the bit, also where an output is great beside the box."""
    rows, *rest = make_case(np.random.default_rng(0), 1, 30)
    rows[..., :2] += 100   # the lower right corner of the cell
    for kind in ('iou', 'giou'):
        ours, theirs = (run(make_loss(kind, mode, box_weight=1), (rows, *rest), 'float32')[0] for mode in BOX_WEIGHTS)
        assert ours == theirs


# -- without end -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('mode', MODES)
def test_outputs_without_end(mode):
    """Each number of a responsible row, of one that is not, and of one that does not count; then all at once."""
    loss = make_loss(*mode, smoothing=.1)
    rows, *rest = make_case(np.random.default_rng(0), 1, 3)
    rest[1][:] = [[1, 0, -1]]
    rest[2][:] = [[[.4, .6, .2, .3], [0, 0, 0, 0], [0, 0, 0, 0]]]
    _, usual = run(loss, (rows, *rest), 'float32')
    for value in (inf, -inf, 1e30, -1e30):
        for row, column in np.ndindex(3, 8):
            wild = rows.copy()
            wild[0, row, column] = value
            losses, gradient = run(loss, (wild, *rest), 'float32')
            assert np.isfinite(losses).all() and np.abs(gradient).max() < 2e4, (value, row, column, losses)
            np.testing.assert_array_equal(np.delete(gradient, row, axis=1), np.delete(usual, row, axis=1))
        losses, gradient = run(YOLOLoss(*mode), (np.full_like(rows, value), *rest), 'float32')
        assert np.isfinite(losses).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize('mode', MODES)
def test_large_outputs_are_drawn_back(mode):
    """Up to 10,000, a logit that is wrong has the full slope; and so have the squares of sizes."""
    rows, *rest = make_case(np.random.default_rng(0), 1, 2)
    rest[1][:], rest[2][:], rest[3][:], rest[4][:] = [[1, 0]], .5, [1, 0, 1], 1
    rows[..., 4:] = [[9999, -9999, 9999, -9999], [9999, 0, 0, 0]]
    rows[0, 0, 4] *= -1
    rows[0, 0, 2] = 900
    _, gradient = run(make_loss(*mode), (rows, *rest), 'float32')
    assert gradient[0, 0, 4:].tolist() == [-1, -1, 1, -1] and gradient[0, 1, 4] == 1
    if mode[0] == 'mse':
        assert gradient[0, 0, 2] > 800


@pytest.mark.parametrize('mode', MODES)
def test_degenerate_targets(mode):
    """A very thin object, and one that is larger than the input, and far away."""
    for target in ([.5, .5, 1e-30, .5], [.5, .5, 1e-7, 1e-7], [.5, .5, 9, 9], [-3, 4, .1, .1]):
        rows, *rest = make_case(np.random.default_rng(0), 1, 2)
        rest[1][:], rest[2][:] = 1, target
        losses, gradient = run(make_loss(*mode), (rows, *rest), 'float32')
        assert np.isfinite(losses).all() and np.isfinite(gradient).all() and np.abs(gradient).max() < 2000
        assert losses[1] > 0
        if mode[0] == 'mse':   # a center elsewhere is on the cell's edge
            assert np.abs(gradient[..., :2]).max() <= 2


def test_nan_gives_nan():
    """For the training loop to find."""
    for mode in MODES:
        rows, *rest = make_case(np.random.default_rng(0))
        rest[1][:] = 1
        assert np.isnan(run(make_loss(*mode), (rows * nan, *rest))[0]).all()


# -- one block for all -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_hybridized_as_imperative_at_several_sizes(mode, dtype):
    plain, hybrid = YOLOLoss(*mode), make_loss(*mode)
    for seed, (batch, count) in enumerate([(2, 9), (1, 30), (3, 9), (2, 70), (2, 9)]):
        case = make_case(np.random.default_rng(seed), batch, count)
        (losses, gradient), (expected, slope) = (run(loss, case, dtype) for loss in (hybrid, plain))
        np.testing.assert_allclose(losses, expected, rtol=1e-5 if dtype == 'float32' else 1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-4, atol=1e-5 if dtype == 'float32' else 1e-12)


# -- against GluonCV's -----------------------------------------------------------------------------------------------

def test_equal_to_gluoncv():
    """Objectness, classes and places; and sizes, where |x| is x^2 / 2: at 0 and 2."""
    rows, priors, objectness, targets, classes, weights = make_case(np.random.default_rng(0), batch=3, count=30)
    own = objectness == 1
    safe = np.where(own[..., None], targets, 1)   # 0 has no logarithm
    log_sizes = np.log(safe[..., 2:] / priors[..., 4:])
    rows[..., 2:4] = log_sizes + np.random.default_rng(1).choice([-2, 0, 2], log_sizes.shape)
    losses, _ = run(make_loss('mse'), (rows, priors, objectness, targets, classes, weights))
    places = safe[..., :2] * priors[..., 2:4] - priors[..., :2]
    pair = np.repeat(2 - safe[..., 2:3] * safe[..., 3:], 2, axis=2) * own[..., None]
    mixed = np.where(own, weights, objectness)[..., None]
    expected = gluoncv.loss.YOLOV3Loss()(*(mx.nd.array(x) for x in (
        rows[..., 4:5], rows[..., :2], rows[..., 2:4], rows[..., 5:], mixed, places * own[..., None],
        log_sizes * own[..., None], pair, classes, np.repeat(own[..., None], CLASSES, axis=2))))
    objectness_loss, center_loss, size_loss, class_loss = (x.mean().asscalar() for x in expected)
    np.testing.assert_allclose(losses, [objectness_loss, center_loss + size_loss, class_loss], rtol=1e-5)


# -- settings --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('keywords, message', [
    (dict(box_loss='l1'), "box_loss: must be 'mse', 'iou', 'giou', 'diou' or 'ciou': 'l1'"),
    (dict(giou_gradient='exact'), "giou_gradient: must be 'autograd' or 'darknet': 'exact'"),
    (dict(giou_gradient='darknet'), "giou_gradient: must be 'autograd' for the box loss 'mse': 'darknet'"),
    (dict(box_loss='ciou', giou_gradient='darknet'), "must be 'autograd' for the box loss 'ciou'"),
    (dict(box_weight=-1), 'box_weight: must be a number, at least 0: -1'),
    (dict(box_weight=nan), 'box_weight: must be a number, at least 0: nan'),
    (dict(box_weight='1'), "box_weight: must be a number, at least 0: '1'"),
    (dict(box_weight=True), 'box_weight: must be a number, at least 0: True'),
    (dict(smoothing='0'), "smoothing: must be a number: '0'"),
    (dict(smoothing=.5), 'smoothing: must be from 0 to below 0.5: 0.5'),
    (dict(smoothing=-.1), 'smoothing: must be from 0 to below 0.5: -0.1')])
def test_settings_out_of_range(keywords, message):
    with pytest.raises(ValueError, match=message):
        YOLOLoss(**keywords)


def test_weights_by_default():
    assert BOX_WEIGHTS['autograd']['mse'] == 1   # darknet's
    assert BOX_WEIGHTS['darknet'] == {'iou': .5, 'giou': .5}   # g-darknet's, for COCO
    # Measured: notes/models/yolo3.md.
    assert {BOX_WEIGHTS['autograd'][kind] for kind in ('iou', 'giou', 'diou', 'ciou')} == {2.5}
    case = make_case(np.random.default_rng(0))
    for gradient, weights in BOX_WEIGHTS.items():
        for kind, weight in weights.items():
            losses = [run(YOLOLoss(kind, gradient, **x), case)[0][1] for x in ({}, {'box_weight': 1})]
            assert losses[0] == pytest.approx(weight * losses[1], rel=1e-12) and losses[1] > 0
