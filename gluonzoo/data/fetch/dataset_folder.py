"""A folder that holds a dataset, and says which: an original or a drawn one.

When the folder is complete, it has dataset.json, the card. Unfinished files lie beside the folder.
"""
import hashlib
import json
import sys

from ...reading import read_json
from ..dataset import CARD
from ..staging import staging
from .download import ChecksumError, DownloadError, sha1_of

__all__ = ['CARD', 'DatasetError', 'DatasetFolder', 'check_card', 'check_unchanged', 'make_once', 'sha1_of_folder',
           'write_card']


class DatasetError(ValueError):
    """The wanted dataset cannot be put into the folder."""


class DatasetFolder:
    """A folder for an original dataset, or for a drawn one if that is wanted or the original cannot be reached.

    A subclass defines `card_keys` and the last five methods.

    Parameters
    ----------
    out : Path

    Attributes
    ----------
    card_keys : dict of kind ('original', 'synthetic') -> set
        what the card must have
    """

    card_keys = {}

    def __init__(self, out):
        self.out = out

    def get(self, settings, given=(), original=True):
        """Makes or completes the dataset in the folder, if necessary. Returns words that say which dataset it is.

        Parameters
        ----------
        settings : dict
            of the drawn one
        given : names of settings that the user has chosen
            If the folder holds a drawn dataset already, these must agree with it. If the original is not wanted, all
            settings must agree.
        original : bool
            whether the original is wanted

        Raises
        ------
        DatasetError
            if the folder holds something else, or a part of the original that cannot be completed.
        ChecksumError, ArchiveError
            if what has been downloaded is not the original, or is broken.
        """
        out, card = self.out, self.card()
        if card and card['kind'] == 'synthetic':
            self._check_settings(card, {name: settings[name] for name in given} if original else settings)
            self.check_drawn(card)
            return 'the SYNTHETIC dataset, made earlier' + (
                f'. (For the original, remove {out} or choose another --out)' if original else '')
        if original:
            try:
                return self.get_original(known=card is not None)
            except ChecksumError:
                raise
            except DownloadError as error:
                if card or self.begun():
                    raise DatasetError(f'{error}\n{out} holds a part of the original. Run this again to go on, or '
                                       'choose another --out') from error
                print(f'THE ORIGINAL DATASET CANNOT BE DOWNLOADED:\n{error}\nA synthetic one is made instead.',
                      file=sys.stderr)
        if card or self.begun():
            raise DatasetError(f'{out}: holds the original dataset, or a part of it; choose another --out')
        self._draw(settings)
        return 'the SYNTHETIC dataset, made now'

    def card(self):
        """What the folder says that it holds; None if it says nothing."""
        try:
            card = read_json(self.out / CARD)
            dicts = (card.get(name, {}) for name in ('settings', 'files'))
            if card.keys() != self.card_keys[card['kind']] or not all(isinstance(each, dict) for each in dicts):
                raise ValueError(card)
            return card
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f'{self.out / CARD}: is of another dataset, or damaged; choose another --out') from error

    def _draw(self, settings):
        """Draws the dataset into the folder, which must be empty or not there."""
        out = self.out
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DatasetError(f'{out}: is not an empty folder; choose another --out')
        with staging(out) as folder:
            whole = folder / 'dataset'
            whole.mkdir()
            self.draw(whole, settings)
            write_card(whole, {'kind': 'synthetic', 'settings': settings, **self.checksums(whole)})
            whole.replace(out)

    def _check_settings(self, card, settings):
        """DatasetError if the drawn dataset that is there has other settings."""
        differences = [f'--{name} {card["settings"].get(name)}, not {value}' for name, value in settings.items()
                       if card['settings'].get(name) != value]
        if differences:
            raise DatasetError(f'{self.out}: was made with {", ".join(differences)}. Choose another --out, or remove '
                               'it')

    # -- what a subclass defines -------------------------------------------------------------------------------------

    def get_original(self, known):
        """Downloads what is not there, checks it all, and writes the card. Returns words that say what it is.

        `known`: the card says that the folder holds the original.
        """
        raise NotImplementedError

    def begun(self):
        """Whether a part of the original is there."""
        raise NotImplementedError

    def draw(self, folder, settings):
        """Draws the dataset into a folder that is empty."""
        raise NotImplementedError

    def checksums(self, folder):
        """What the card of a drawn dataset holds of its files: a dict."""
        raise NotImplementedError

    def check_drawn(self, card):
        """DatasetError if the drawn dataset that is there is not as it was made."""
        raise NotImplementedError


def write_card(folder, card):
    part = folder / f'{CARD}.part'
    part.write_text(json.dumps(card, indent=2) + '\n')
    part.replace(folder / CARD)


def check_card(out, card):
    """DatasetError if the folder does not say that it holds what `card` describes."""
    try:
        there = read_json(out / CARD)
    except (OSError, ValueError):
        raise DatasetError(f'{out}: is there, and not by this program; choose another --out') from None
    if there != card:
        raise DatasetError(f'{out}: holds something else: {json.dumps(there)[:300]}. Remove it, or choose another '
                           '--out')


def check_unchanged(out, names, sums):
    """DatasetError if a file of a drawn dataset is not as it was made; `sums`: name -> SHA-1, of its card."""
    for name in names:
        path = out / name
        if not path.is_file() or sha1_of(path) != sums.get(name):
            raise DatasetError(f'{path}: is not as it was made. Remove {out}, and run this again')


def sha1_of_folder(out):
    """The SHA-1 of the names and contents of all files in a folder but the card."""
    digest = hashlib.sha1()
    for path in sorted(out.rglob('*')):
        if path.is_file() and path != out / CARD:
            digest.update(f'{path.relative_to(out)} {path.stat().st_size} '.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def make_once(out, card, fill):
    """Sees to it that a folder holds the dataset that its card describes; there is no other form of the dataset.

    Parameters
    ----------
    out : Path
    card : dict
    fill : function of an empty folder
        Makes the dataset in it, and returns the folder within that becomes `out`.

    Returns
    -------
    bool : whether the dataset has been made now; else it is there already

    Raises
    ------
    DatasetError
        if there is something else.
    """
    if out.exists():
        check_card(out, card)
        return False
    with staging(out) as folder:
        whole = fill(folder)
        write_card(whole, card)
        whole.replace(out)
    return True
