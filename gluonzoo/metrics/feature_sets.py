"""Whether two arrays are sets of features that a metric can compare."""
import numpy as np

__all__ = ['check_features']


def check_features(features_a, features_b, least, why):
    """Both as float64 arrays. ValueError unless they are finite, [N, D] and [M, D], with at least `least` rows each.

    Parameters
    ----------
    features_a, features_b : arrays
    least : function of D -> int
    why : str
        the reason for the least number, for the message
    """
    found = []
    for name, features in (('features_a', features_a), ('features_b', features_b)):
        features = np.asarray(features, 'float64')
        if features.ndim != 2 or not features.shape[1]:
            raise ValueError(f'{name}: must be [N, D]: {list(features.shape)}')
        if len(features) < least(features.shape[1]):
            raise ValueError(f'{name}: must be of at least {least(features.shape[1])} pictures, {why}: {len(features)}')
        if not np.isfinite(features).all():
            raise ValueError(f'{name}: must be finite; there are infinite numbers or NaN')
        found.append(features)
    a, b = found
    if a.shape[1] != b.shape[1]:
        raise ValueError(f'features_b: must be as long as features_a, {a.shape[1]}: {b.shape[1]}')
    return a, b
