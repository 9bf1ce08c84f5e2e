"""scripts/center_loss.py: notes/center_loss.md has its tables, and what it imitates is what others do."""
import contextlib
import io
import re
from pathlib import Path

import center_loss
import mxnet as mx
import numpy as np
import pytest

NOTE = Path(__file__).resolve().parents[2] / 'notes' / 'center_loss.md'


@pytest.fixture(scope='module')
def printed():
    """What the script prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert center_loss.main() == 0
    return out.getvalue().strip()


@pytest.fixture(scope='module')
def tables(printed):
    """title -> rows of cells, all of them str; cells that are empty at the end of a row are left out"""
    found = {}
    for table in printed.split('\n\n'):
        title, *lines = table.split('\n')
        found[title] = [[line[:24].strip(), *(line[start:start + 17].strip() for start in range(24, len(line), 17))]
                        for line in lines]
    return found


def test_the_page_has_these_tables(printed):
    blocks = re.findall(r'^```(\w*)\n(.*?)\n```$', NOTE.read_text(), re.M | re.S)
    assert [block for kind, block in blocks if not kind] == ['python scripts/center_loss.py', *printed.split('\n\n')]


def numbers(cell):
    return [float(word) for word in cell.split()]


def test_every_step_is_the_formula(tables):
    """Of all ways of counting, on all cuts."""
    _, *rows = tables['duplicates']
    assert len(rows) == 6 and all(row[-1] == '0.000000' for row in rows)
    _, *rows = tables['parts']
    assert [row[1:4] for row in rows] == [['0.000000'] * 3] * 4


def test_by_hand(tables):
    """The first row of the page."""
    name, *cells = tables['duplicates'][1]
    assert name == 'sum, normalized'
    assert [numbers(cell) for cell in cells] == [[.008, -.056], [0, -.05], [0, 0], [0]]


def test_the_formula_counts_what_the_slow_twin_counts():
    """The formula itself, with numbers of its own: class 1 has two pictures, one of them on its center's direction."""
    centers, features = np.array([[9., 9.], [0, 2]]), np.array([[0., 1.], [1, 0]])
    for duplicates, share in (('sum', 1), ('mean', 1 / 2), ('damped', 1 / 3)):
        after = center_loss.by_formula(centers, features, np.array([1, 1]), duplicates=duplicates)
        np.testing.assert_allclose(after, [[9, 9], [.05 * share, 2 - .05 * share]], rtol=1e-12)


def test_the_last_duplicate_is_what_pytorch_keeps():
    torch = pytest.importorskip('torch')
    centers, labels = torch.tensor(center_loss.CENTERS.copy()), torch.tensor(center_loss.LABELS)
    features = torch.tensor(center_loss.FEATURES)
    batch = torch.nn.functional.normalize(centers[labels], dim=-1)
    centers[labels] += .05 * (features - batch)
    np.testing.assert_allclose(center_loss.by_last_duplicate(*center_loss.SMALL), centers.numpy(), rtol=1e-12)
    after = center_loss.by_gluonzoo(*center_loss.SMALL)[0]
    assert abs(after - centers.numpy()).max() > .01 and (after[1:] == pytest.approx(centers.numpy()[1:]))


def test_counting_on_the_host_cannot_be_hybridized():
    """Ours can: unittests/losses/test_center.py."""
    block = center_loss.BetaInTheLoss(3, 2)
    block.initialize()
    block.hybridize()
    with pytest.raises(mx.base.NotImplementedForSymbol, match='asnumpy'):
        block(mx.nd.ones((4, 2)), mx.nd.array([0, 0, 1, 2]))


def test_shares_of_others(tables):
    """1/D and 1/B of the update; beta / 2 and beta / 2 / 3 of the gradient of features."""
    shares = {row[0]: float(row[-1]) for row in tables['others'] if len(row) == 4 and row[0]}
    assert shares == {"gluon's L2Loss": 1 / 2, 'beta in the loss': 1 / 4}
    assert tables['features'][-1][-2:] == [f'{.05 / 6:.4f}', f'{.05 / 2:.4f}']


@pytest.mark.parametrize('length', [1, 3, 16])
def test_l2_loss_is_off_by_the_length(length):
    """For any length of features, and beside a loss that is right."""
    rng = np.random.default_rng(length)
    case = rng.normal(size=(3, length)), rng.normal(size=(8, length)), rng.integers(0, 3, 8)
    ours = center_loss.by_gluonzoo(*case, normalize=False)[0] - case[0]
    np.testing.assert_allclose((center_loss.by_l2_loss(*case) - case[0]) * length, ours, atol=1e-5)


def test_the_slope_through_the_length_does_not_shorten_a_center():
    after = center_loss.by_slope_through_normalisation(*center_loss.SMALL) - center_loss.CENTERS
    assert after[0] @ center_loss.CENTERS[0] == pytest.approx(0, abs=1e-8) and np.isnan(after[1]).all()


@pytest.mark.parametrize('mean', [.5, .9])
def test_a_normalized_center_is_beta_times_the_last_picture(mean):
    length, cosine, loss, difference = center_loss.long_run(mean, True, steps=200)
    assert length == pytest.approx(.05, rel=1e-4) and difference < 1e-5
    assert cosine == pytest.approx(mean, abs=.01) and loss == pytest.approx(2 * (1 - mean ** 2), abs=.02)
    assert center_loss.long_run(mean, False, steps=200)[2] == pytest.approx(1 - mean ** 2, rel=.05)


def test_a_batch_with_two_of_a_class_disturbs_it_little(tables):
    for row, mean in zip(tables['in batches of 12'][1:], (.5, .9)):
        length, cosine, loss, last = map(float, row[1:])
        assert length == pytest.approx(.05, abs=.005) and cosine == pytest.approx(mean, abs=.02)
        assert loss == pytest.approx(2 * (1 - mean ** 2), abs=.02) and last > .97
