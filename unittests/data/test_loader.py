"""gluonzoo/data/loader.py: the same batches whatever the workers, from any place; damage counted; no thread left."""
import gc
import sys
import threading
import time
import warnings

import mxnet as mx
import numpy as np
import pytest
from record_cases import DAMAGE, write_file

from gluonzoo.data import Batch, Loader, RecordError
from gluonzoo.data.loader import _memory_of
from gluonzoo.registry import DATASETS

TRAIN = {'name': 'ssd_train', 'size': 24, 'mean': [100, 110, 120], 'std': [50, 60, 70]}


class Toy:
    """Element i is a picture full of i, i % 4 rows, and three numbers, the last one random."""

    arrays = (1, 2, 3), None, (3,)

    def __init__(self, count, broken=(), error=RecordError, pause=0):
        self.count, self.broken, self.error, self.pause = count, set(broken), error, pause
        self.skipped = {}

    def __len__(self):
        return self.count

    def item(self, i, rng, out):
        time.sleep(self.pause)
        if i in self.broken:
            raise self.error(f'record {i} is broken')
        picture, rows, numbers = out
        assert rows is None
        picture[:] = i
        numbers[:] = i, i * i, rng.integers(1 << 20)
        return picture, np.full((i % 4, 5), i, np.float32), numbers


def loader_of(dataset, batch_size=4, *, shuffle=True, seed=3, workers=2, **keywords):
    return Loader(dataset, batch_size, shuffle=shuffle, seed=seed, workers=workers, **keywords)


def contents(batches):
    return [([array.asnumpy() for array in batch.arrays], batch.records) for batch in batches]


def assert_same(got, wanted):
    assert len(got) == len(wanted)
    for (arrays, records), (wanted_arrays, wanted_records) in zip(got, wanted):
        np.testing.assert_array_equal(records, wanted_records)
        for array, wanted_array in zip(arrays, wanted_arrays):
            np.testing.assert_array_equal(array, wanted_array)


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith('gluonzoo-loader')]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


# -- batches -----------------------------------------------------------------------------------------------------

def test_batches_by_hand():
    first, second = loader_of(Toy(8), shuffle=False).epoch(0)
    assert isinstance(first, Batch) and isinstance(second.records, np.ndarray) and second.records.dtype == np.int64
    assert first.records.tolist() == [0, 1, 2, 3] and second.records.tolist() == [4, 5, 6, 7]
    pictures, rows, numbers = second.arrays
    assert all(isinstance(array, mx.nd.NDArray) and array.context == mx.cpu() and array.dtype == np.float32
               for array in second.arrays)
    assert pictures.shape == (4, 1, 2, 3) and pictures[:, 0, 1, 2].asnumpy().tolist() == [4, 5, 6, 7]
    assert rows.shape == (4, 3, 5)
    assert rows[..., 0].asnumpy().tolist() == [[-1, -1, -1], [5, -1, -1], [6, 6, -1], [7, 7, 7]]
    assert numbers.shape == (4, 3) and numbers[:, 1].asnumpy().tolist() == [16, 25, 36, 49]


def test_an_array_may_be_one_number_an_element():
    class Numbers(Toy):
        arrays = (),

        def item(self, i, rng, out):
            out[0][...] = i
            return out

    batch, = loader_of(Numbers(4), shuffle=False).epoch(0)
    assert batch.arrays[0].shape == (4,) and batch.arrays[0].asnumpy().tolist() == [0, 1, 2, 3]


def test_a_batch_without_rows_has_one_of_padding():
    batch, = loader_of(Toy(1), 1).epoch(0)
    assert batch.arrays[1].shape == (1, 1, 5) and (batch.arrays[1].asnumpy() == -1).all()


def test_order_and_random_numbers_are_functions_of_seed_epoch_and_place():
    for epoch in (0, 7):
        order = np.random.Generator(np.random.PCG64([3, epoch])).permutation(10)
        batches = list(loader_of(Toy(10)).epoch(epoch))
        assert np.concatenate([batch.records for batch in batches]).tolist() == order[:8].tolist()
        drawn = np.concatenate([batch.arrays[2][:, 2].asnumpy() for batch in batches])
        assert drawn.tolist() == [np.random.Generator(np.random.PCG64([3, epoch, place])).integers(1 << 20)
                                  for place in range(8)]


@pytest.mark.parametrize('workers', [1, 2, 5, 16])
def test_any_number_of_workers_makes_the_same_batches(tmp_path, workers):
    path = write_file(tmp_path)[0]
    dataset = DATASETS.create('detection_records', path=str(path), transform=TRAIN)
    wanted = contents(loader_of(dataset, 5, workers=3, last='keep').epoch(1))
    assert_same(contents(loader_of(dataset, 5, workers=workers, last='keep').epoch(1)), wanted)
    # and the dataset alone makes the same elements
    for i, (arrays, records) in enumerate(wanted):
        for j, record in enumerate(records):
            image, labels = dataset.item(int(record), np.random.Generator(np.random.PCG64([3, 1, 5 * i + j])))
            np.testing.assert_array_equal(arrays[0][j], image)
            np.testing.assert_array_equal(arrays[1][j, :len(labels)], labels)


def test_epochs_and_seeds_differ_and_can_be_repeated():
    wanted = contents(loader_of(Toy(12)).epoch(0))
    assert_same(contents(loader_of(Toy(12)).epoch(0)), wanted)
    for other in (loader_of(Toy(12)).epoch(1), loader_of(Toy(12), seed=4).epoch(0)):
        assert any((batch.records != records).any() for batch, (_, records) in zip(other, wanted))


@pytest.mark.parametrize('last', ['discard', 'keep'])
def test_an_epoch_goes_on_from_any_batch(last):
    loader = loader_of(Toy(30), last=last)
    whole = contents(loader.epoch(2))
    assert len(whole) == len(loader) == (7 if last == 'discard' else 8)
    for start in range(len(whole) + 1):
        assert_same(contents(loader.epoch(2, start=start)), whole[start:])


@pytest.mark.parametrize('count, last, sizes', [(12, 'discard', [4, 4, 4]), (12, 'keep', [4, 4, 4]),
                                                (14, 'discard', [4, 4, 4]), (14, 'keep', [4, 4, 4, 2])])
def test_the_last_batch(count, last, sizes):
    loader = loader_of(Toy(count), last=last)
    assert len(loader) == len(sizes)
    assert [len(batch.records) for batch in loader.epoch(0)] == sizes
    assert [len(batch.arrays[0]) for batch in loader.epoch(0)] == sizes


@pytest.mark.parametrize('last', ['discard', 'keep'])
def test_parts_share_each_step(last):
    loaders = [loader_of(Toy(31), 3, part=(rank, 4), last=last) for rank in range(4)]
    order = [record for batch in loader_of(Toy(31), 1).epoch(5) for record in batch.records]
    parts = [list(loader.epoch(5)) for loader in loaders]
    assert [len(part) for part in parts] == [len(loader) for loader in loaders]
    assert [len(part) for part in parts] == ([2, 2, 2, 2] if last == 'discard' else [3, 3, 3, 2])
    for step in range(2):
        shares = [part[step].records for part in parts]
        assert np.concatenate(shares).tolist() == order[step * 12:step * 12 + 12]
    if last == 'keep':
        assert [part[2].records.tolist() for part in parts[:3]] == [order[24:27], order[27:30], order[30:31]]
    # The elements do not depend on the number of parts.
    one = list(loader_of(Toy(31), 12).epoch(5))
    for step in range(2):
        np.testing.assert_array_equal(np.concatenate([part[step].arrays[2].asnumpy() for part in parts]),
                                      one[step].arrays[2].asnumpy())


def test_a_batch_outlives_its_loader():
    kept = next(loader_of(Toy(8), shuffle=False).epoch(0))
    gc.collect()
    for _ in range(20):
        mx.nd.ones((4, 1, 2, 3)).wait_to_read()     # would take freed memory
    assert kept.arrays[0][:, 0, 0, 0].asnumpy().tolist() == [0, 1, 2, 3]


def test_what_is_written_to_keeps_the_batch_alive():
    array = mx.nd.empty((2, 3))
    count = sys.getrefcount(array)
    view = _memory_of(array)
    view[:] = [[1, 2, 3], [4, 5, 6]]
    row = view[1]
    del view
    assert sys.getrefcount(array) == count + 1 and row.tolist() == [4, 5, 6]
    assert array.asnumpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    del row
    assert sys.getrefcount(array) == count


def test_the_memory_of_a_batch_is_given_back():
    class Large(Toy):
        arrays = (1, 2, 540_000), None, (3,)

    def resident():
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('VmRSS')) / 1024

    for number, _ in enumerate(loader_of(Large(240), shuffle=False).epoch(0)):    # 16 MiB each, 1 GiB in all
        if number == 10:
            before = resident()
    assert resident() - before < 100


# -- damage ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('workers', [1, 4])
def test_a_broken_record_is_replaced_by_the_next_of_the_order(workers):
    order = np.random.Generator(np.random.PCG64([3, 0])).permutation(12).tolist()
    place = order.index(7)
    dataset = Toy(12, broken=[7])
    with pytest.warns(RuntimeWarning, match='record 7 is broken') as told:
        got = contents(loader_of(dataset, workers=workers).epoch(0))
    assert [warning.filename for warning in told if warning.category is RuntimeWarning] == [__file__]
    records = np.concatenate([records for _, records in got]).tolist()
    wanted = order.copy()
    wanted[place] = order[(place + 1) % 12]
    assert records == wanted
    rows = [row for arrays, _ in got for row in arrays[2]]
    assert rows[place].tolist() == [wanted[place], wanted[place] ** 2,
                                    np.random.Generator(np.random.PCG64([3, 0, place])).integers(1 << 20)]
    assert dataset.skipped == {7: 'record 7 is broken'}
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)
        list(loader_of(dataset).epoch(1))       # it has been told, and is not counted again
    assert dataset.skipped == {7: 'record 7 is broken'}


@pytest.mark.parametrize('count, broken, fails', [
    (48, 1, False), (48, 2, True), (100, 1, False), (100, 2, True), (299, 2, False), (299, 3, True), (1, 1, True),
    (2, 2, True), (6, 6, True)])
@pytest.mark.filterwarnings('ignore:skipped')
def test_more_than_one_in_a_hundred_is_an_error(count, broken, fails):
    dataset = Toy(count, broken=range(broken))
    loader = loader_of(dataset, 1)
    if not fails:
        assert len(list(loader.epoch(0))) == count
        return
    with pytest.raises(RecordError, match=f'of {count} records cannot be read, .*record {broken - 1} is broken'):
        list(loader.epoch(0))


class Shared(Toy):
    """Each record shows picture i % shared, and those of `broken` are the ones that cannot be read."""

    def __init__(self, count, shared, broken):
        super().__init__(count)
        self.shared, self.broken = shared, set(broken)

    def item(self, i, rng, out):
        if i % self.shared in self.broken:
            raise RecordError(f'picture {i % self.shared} is broken', i % self.shared)
        return super().item(i, rng, out)


@pytest.mark.filterwarnings('ignore:skipped')
@pytest.mark.parametrize('workers', [1, 3])
def test_a_picture_that_many_records_show_counts_once(workers):
    dataset = Shared(40, 4, [2])   # ten records show it
    for epoch in range(3):
        records = np.concatenate([records for _, records in contents(loader_of(dataset, workers=workers).epoch(epoch))])
        assert len(records) == 40 and not (records % 4 == 2).any()
    assert dataset.skipped == {2: 'picture 2 is broken'}
    dataset = Shared(40, 4, [1, 2])
    with pytest.raises(RecordError, match='2 of 40 records cannot be read.*picture [12] is broken; picture [12]'):
        list(loader_of(dataset, workers=workers).epoch(0))


@pytest.mark.filterwarnings('ignore:skipped')
def test_where_no_other_record_can_take_the_place():
    """One picture alone cannot be read, which would be allowed, but all records show it."""
    with pytest.raises(RecordError, match='1 of 8 records cannot be read.*picture 0 is broken'):
        list(loader_of(Shared(8, 1, [0])).epoch(0))


@pytest.mark.filterwarnings('ignore:skipped')
def test_the_error_comes_at_the_same_batch_whatever_the_workers():
    got = []
    for workers in (1, 2, 8):
        dataset = Toy(40, broken=[11, 30], pause=1e-4)
        batches, count = loader_of(dataset, shuffle=False, workers=workers).epoch(0), 0
        with pytest.raises(RecordError, match='record 11 is broken; record 30 is broken'):
            for _ in batches:
                count += 1
        got.append(count)
    assert got == [7, 7, 7]


@pytest.mark.parametrize('damage', DAMAGE)
def test_damaged_files(tmp_path, damage):
    path, begins = write_file(tmp_path)
    clean = DATASETS.create('detection_records', path=str(path), transform=TRAIN)
    wanted = contents(loader_of(clean, 3, shuffle=False).epoch(0))
    DAMAGE[damage](path, begins[5])
    dataset = DATASETS.create('detection_records', path=str(path), transform=TRAIN)
    with pytest.warns(RuntimeWarning, match='some.rec: record 5'):
        got = contents(loader_of(dataset, 3, shuffle=False).epoch(0))
    assert list(dataset.skipped) == [5] and got[1][1].tolist() == [3, 4, 6]
    for i in (0, 2, 3):
        assert_same(got[i:i + 1], wanted[i:i + 1])
    np.testing.assert_array_equal(got[1][0][0][:2], wanted[1][0][0][:2])


# -- errors and endings ------------------------------------------------------------------------------------------

def test_an_exception_of_a_worker_reaches_the_consumer_at_its_batch():
    batches = loader_of(Toy(40, broken=[9], error=ZeroDivisionError), shuffle=False, workers=4).epoch(0)
    assert next(batches).records.tolist() == [0, 1, 2, 3] and next(batches).records.tolist() == [4, 5, 6, 7]
    with pytest.raises(ZeroDivisionError, match='record 9 is broken'):
        next(batches)
    assert not threads()
    with pytest.raises(StopIteration):
        next(batches)


@pytest.mark.parametrize('end', ['close', 'lose', 'raise', 'exhaust'])
def test_no_thread_is_left(end):
    loader = loader_of(Toy(400, pause=1e-3), workers=4)
    batches = loader.epoch(0)
    assert not threads()
    next(batches)
    assert len(threads()) == 4
    if end == 'close':
        batches.close()
    elif end == 'lose':
        del batches
    elif end == 'raise':
        with pytest.raises(KeyboardInterrupt):
            batches.throw(KeyboardInterrupt)
    else:
        list(batches)
    assert not threads()


def test_only_a_few_batches_are_prepared_ahead():
    asked = []

    class Asked(Toy):
        def item(self, i, rng, out):
            asked.append(i)
            return super().item(i, rng, out)

    batches = loader_of(Asked(400), workers=2).epoch(0)
    next(batches)
    time.sleep(0.05)
    assert 8 <= len(asked) <= 12
    batches.close()


def test_two_epochs_at_a_time():
    loader = loader_of(Toy(20))
    wanted = contents(loader.epoch(0)), contents(loader.epoch(1))
    pairs = list(zip(loader.epoch(0), loader.epoch(1)))
    for i in range(2):
        assert_same(contents(pair[i] for pair in pairs), wanted[i])


@pytest.mark.parametrize('keywords, words', [
    ({'batch_size': 0}, 'batch_size: '), ({'batch_size': 2.5}, 'batch_size: '), ({'workers': 0}, 'workers: '),
    ({'seed': -1}, 'seed: '), ({'last': 'pad'}, "last: must be 'discard' or 'keep': 'pad'"),
    ({'part': (2, 2)}, 'part: '), ({'part': (0, 0)}, 'part: '), ({'batch_size': 11}, 'more than the 10 of the dataset'),
    ({'batch_size': 6, 'part': (0, 2)}, 'more than the 10'),
    ({'batch_size': 6, 'part': (2, 3), 'last': 'keep'}, 'more than the 10'),
])
def test_arguments_are_checked(keywords, words):
    with pytest.raises(ValueError, match=words):
        loader_of(Toy(10), **keywords)


@pytest.mark.parametrize('change', [lambda picture, rows, numbers: (picture.copy(), rows, numbers),
                                    lambda picture, rows, numbers: (picture, rows)], ids=['another', 'fewer'])
def test_what_is_not_written_to_the_batch_is_an_error(change):
    """Else the batch would hold whatever was in memory."""
    class Forgetful(Toy):
        def item(self, i, rng, out):
            return change(*super().item(i, rng, out))

    with pytest.raises(ValueError, match=r'item\(\) must return the arrays of `out`, and rows for each None, 3 in all'):
        next(loader_of(Forgetful(8)).epoch(0))


def test_a_dataset_without_a_transform_makes_no_batches(tmp_path):
    dataset = DATASETS.create('detection_records', path=str(write_file(tmp_path)[0]))
    with pytest.raises(ValueError, match='dataset: must have a transform: without one it gives samples only'):
        loader_of(dataset)


def test_epochs_are_checked():
    loader = loader_of(Toy(10))
    for epoch, start, words in ((-1, 0, 'e: '), (0.5, 0, 'e: '), (0, -1, 'start: '), (0, 3, 'start: must be in 0 .. ')):
        with pytest.raises(ValueError, match=words):
            loader.epoch(epoch, start)     # at once, not at the first batch
