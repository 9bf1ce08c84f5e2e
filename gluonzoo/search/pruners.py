"""When a trial that is worse than others is given up."""
import math
import warnings

import optuna

__all__ = ['MedianStop', 'make_pruner']


class MedianStop(optuna.pruners.BasePruner):
    """The rule of the search tool NNI, under the name Medianstop there.

    A trial is given up if the best of its values so far is worse than the median of what the complete trials had until
    then: of the means of their values up to the same step. The first complete trial counts at once. Optuna's
    MedianPruner compares with the values at that step instead of the means, and begins with the sixth trial.

    Of an even number of means, the median is the worse of the two in the middle. NaN counts as the worst value.

    Source: https://github.com/microsoft/nni, its medianstop assessor with start_step 0. The idea is of Google Vizier
    (Golovin et al., 2017, https://research.google/pubs/pub46180).
    """

    def prune(self, study, trial):
        """Whether a trial (FrozenTrial) shall be given up."""
        sign = 1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else -1
        values = _signed(trial, sign)
        if not values:
            return False
        complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        means = sorted(sum(others[:len(values)]) / len(values) for others in (_signed(one, sign) for one in complete)
                       if len(others) >= len(values))
        return bool(means) and max(values) < means[(len(means) - 1) // 2]


def _signed(trial, sign):
    """The reported values in the order of their steps; the greater, the better."""
    values = (sign * trial.intermediate_values[step] for step in sorted(trial.intermediate_values))
    return [-math.inf if math.isnan(value) else value for value in values]


def make_pruner(name):
    """The pruner of a name: median (Optuna's), medianstop or none."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', optuna.exceptions.ExperimentalWarning)
        return {'median': optuna.pruners.MedianPruner, 'medianstop': MedianStop,
                'none': optuna.pruners.NopPruner}[name]()
