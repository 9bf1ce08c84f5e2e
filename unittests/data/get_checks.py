"""What the tests of getting datasets share: how the command is run, its server, and what each dataset must do."""
import contextlib

from file_server import serve

import gluonzoo.data.fetch.download
from gluonzoo.commands.main import main


def runner(words, out, capsys):
    """A function that runs `gluonzoo` with these words for the folder `get.out`: -> (exit code, stdout, stderr)"""
    def get(*arguments):
        code = main([*words, *arguments, '--out', str(get.out)])
        return (code, *capsys.readouterr())
    get.out = out
    return get


@contextlib.contextmanager
def serving(monkeypatch, files=None):
    """A server that the downloads of this process reach, and without pauses between their trials."""
    monkeypatch.setenv('NO_PROXY', '127.0.0.1')
    monkeypatch.setattr(gluonzoo.data.fetch.download, '_WAIT', 0)
    with serve(files) as running:
        yield running


def tree(folder):
    """The files in it and below: name -> bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def check_a_folder_that_is_not_empty(get, *small):
    get.out.mkdir(parents=True)
    (get.out / 'mine.txt').write_text('mine')
    code, _, complained = get('--synthetic', *small)
    assert code == 1 and 'is not an empty folder' in complained, complained
    assert names(get.out) == ['mine.txt']


def check_a_card_of_something_else(get, server, card):
    get.out.mkdir(parents=True)
    (get.out / 'dataset.json').write_text(card)
    code, _, complained = get()
    assert code == 1 and 'dataset.json: is of another dataset, or damaged' in complained, complained
    assert server.requests == []


def check_an_interruption_leaves_nothing(get, monkeypatch, module, at, *words):
    """Ctrl-C while a fetcher's module draws its picture number `at`."""
    picture = module.picture

    def interrupted(seed, index, *size):
        if index == at:
            raise KeyboardInterrupt
        return picture(seed, index, *size)

    monkeypatch.setattr(module, 'picture', interrupted)
    assert get('--synthetic', *words)[0] == 130   # as a shell says of Ctrl-C
    assert names(get.out.parent) == []


def check_a_full_disk(get, full_disk, *words):
    """Whenever the disk is full, there is one line about it, after the bar of the progress, and nothing is left."""
    for room in (0, 300, 3000):
        with full_disk(room):
            code, _, complained = get(*words)
        assert code == 1, room
        assert complained.split('\n')[-2:] == [f'gluonzoo data: {get.out}: File too large', ''], room
        assert not get.out.parent.exists() or names(get.out.parent) == [], room
