"""When the generator has a turn: counted step by step, as the official code of WGAN does."""
import pytest

from gluonzoo.tasks.adversarial.critic_steps import CriticSteps

PAPER = {'usual': 5, 'more': 100, 'first': 25, 'every': 500}


def counted(steps, usual, more=1, first=0, every=10 ** 9):
    """The generator's updates after 0, 1, 2 ... steps."""
    updates, turns, found = 0, 0, [0]
    for _ in range(steps):
        turns += 1
        if turns == (more if updates < first or every < 10 ** 9 and updates % every == 0 else usual):
            updates, turns = updates + 1, 0
        found.append(updates)
    return found


@pytest.mark.parametrize('keywords', [PAPER, {'usual': 2, 'more': 7, 'first': 0, 'every': 4},
                                      {'usual': 3, 'more': 5, 'first': 6, 'every': 4},
                                      {'usual': 3, 'more': 1, 'first': 6},
                                      {'usual': 1, 'more': 4, 'first': 1}], ids=str)
def test_as_counted(keywords):
    critic = CriticSteps(keywords)
    assert [critic.updates(step) for step in range(6001)] == counted(6000, **keywords)
    assert all(critic.updates(critic.steps(n)) == n == critic.updates(critic.steps(n + 1) - 1) for n in range(900))


def test_one_number():
    assert [CriticSteps(3).updates(step) for step in range(8)] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert CriticSteps(1).updates(10 ** 12) == 10 ** 12


@pytest.mark.parametrize('steps, said', [
    (0, 'critic_steps: must be a whole number from 1 to 1000000: 0'),
    ({'usual': 5}, "critic_steps: must be a whole number, or have 'usual', 'more' and 'first'"),
    ({**PAPER, 'evry': 5}, "critic_steps: must have 'usual', 'more', 'first', 'every' alone"),
    ({**PAPER, 'usual': 0}, 'critic_steps.usual: must be a whole number from 1'),
    ({**PAPER, 'every': 0}, 'critic_steps.every: must be a whole number from 1'),
    ({**PAPER, 'first': -1}, 'critic_steps.first: must be a whole number from 0')], ids=str)
def test_errors(steps, said):
    with pytest.raises(ValueError, match=said.replace('.', r'\.')):
        CriticSteps(steps)
