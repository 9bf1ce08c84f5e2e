"""Whether there is room on the disk for an archive and for what is in it."""
import shutil

from .dataset_folder import DatasetError

__all__ = ['check_room']


def check_room(out, file, archive):
    """DatasetError unless an archive and what is in it fit on the disk.

    Parameters
    ----------
    out : Path
        the folder that it is unpacked to
    file : object with `bytes`, of the whole archive, and `unpacked`, of what is in it
    archive : Path
        the archive, of which all may be there, or a part with the suffix .part, or nothing
    """
    there = sum(path.stat().st_size for path in (archive, archive.with_name(f'{archive.name}.part')) if path.exists())
    needed, free = file.bytes - there + file.unpacked, shutil.disk_usage(out).free
    if needed > free:
        raise DatasetError(f'{out}: {archive.name} takes {needed / 1e9:.1f} GB on the way, and {free / 1e9:.1f} GB are '
                           'free on the disk')
