"""The parameters of a task's networks, by structural names: the same in every process."""
import mxnet as mx

__all__ = ['named_parameters', 'names_of_parameters', 'used_networks', 'statistics', 'average_statistics',
           'single_value']


def named_parameters(net):
    """Dict of structural name ('features.0.weight') -> Parameter: the names that ``net.save_parameters`` uses."""
    return net._collect_params_with_prefix()


def names_of_parameters(networks):
    """Dict of Parameter -> 'network.name', for the networks of a task. The first name of a shared parameter."""
    names = {}
    for network, net in networks.items():
        for name, parameter in named_parameters(net).items():
            names.setdefault(parameter, f'{network}.{name}')
    return names


def used_networks(task):
    """Dict of name -> HybridBlock: the networks that evaluation and prediction use."""
    return {name: task.networks[name] for name in task.used}


def statistics(networks):
    """The running statistics of batch normalisation: parameters that the forward pass changes, and no gradient."""
    return [parameter for parameter in names_of_parameters(networks) if not parameter._differentiable]


def average_statistics(networks, workers, others=()):
    """Makes the running statistics equal on all devices and machines: their mean.

    Parameters
    ----------
    networks : dict of name -> HybridBlock
    workers : Workers
        the machines
    others : sequence of NDArray
        further arrays to average over the machines, such as moving averages of the statistics
    """
    parameters = statistics(networks)
    means = [single_value(parameter) for parameter in parameters]
    workers.average([*means, *others])
    for parameter, mean in zip(parameters, means):
        if len(parameter.list_ctx()) > 1:
            parameter.set_data(mean)


def single_value(parameter):
    """A parameter's value as one NDArray on its first device. For running statistics, the mean over the devices.

    Trained parameters are equal on all devices. Where there is nothing to average, the array is the data, not a copy.
    """
    first, *others = parameter.list_data()
    if not others or parameter._differentiable:
        return first
    return mx.nd.add_n(first, *(copy.as_in_context(first.context) for copy in others)) / (1 + len(others))
