"""How many rounds an update takes, where a batch is more than a device holds."""
import math

__all__ = ['rounds']


def rounds(batch_size, devices, part):
    """How often devices take parts of about so many images to get through a batch.

    Rounds are equal. So a part is the divisor of a device's images that is nearest to `part`, by their ratio; of two,
    the smaller one.
    """
    images = batch_size // devices
    counts = [count for count in range(1, images + 1) if images % count == 0] or [1]
    return min(reversed(counts), key=lambda count: abs(math.log(images / count / part)) if images else 0)
