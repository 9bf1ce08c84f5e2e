"""Many pictures as one."""
import numpy as np
import pytest

from gluonzoo.pictures.contact_sheet import contact_sheet


@pytest.mark.parametrize('count, shape', [(1, (10, 20)), (3, (10, 68)), (4, (10, 92)), (5, (24, 92)), (8, (24, 92))])
def test_contact_sheet(count, shape):
    sheet = contact_sheet([np.full((10, 20, 3), 100 + i, 'uint8') for i in range(count)])
    assert sheet.shape == (*shape, 3) and sheet.dtype == np.uint8
    assert sheet[0, 0, 0] == 100 and (sheet[9, -1, 0] == 100 + min(count, 4) - 1)
    if count > 4:
        assert (sheet[14:, :20] == 104).all() and (sheet[10:14] == 48).all()
    if count > 1:
        assert (sheet[:, 20:24] == 48).all()


def test_contact_sheet_of_unequal_images():
    with pytest.raises(ValueError, match='one size'):
        contact_sheet([np.zeros((2, 2, 3), 'uint8'), np.zeros((2, 3, 3), 'uint8')])
    with pytest.raises(ValueError, match='one or more'):
        contact_sheet([])
