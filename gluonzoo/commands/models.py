"""Lists the models: name, parameters, task, recipe, whether official weights can be converted, page.

    gluonzoo models
    gluonzoo models --like dsod
"""


def add_arguments(parser):
    parser.add_argument('--like', metavar='WORD', help='only those whose name has this in it')


def run(args):
    from .. import recipes
    from ..convert import CONVERTED
    from ..registry import get_model, list_models

    names = [name for name in list_models() if not args.like or args.like in name]
    if not names:
        raise ValueError(f'--like: no model has {args.like!r} in its name; there are {", ".join(list_models())}')
    rows = [('name', 'parameters', 'task', 'recipe', 'official weights', 'page')]
    for name in names:
        recipe = recipes.of_model(name)
        trained_by = recipe.__name__.rpartition('.')[2] if recipe and hasattr(recipe, 'settings') else '-'
        rows.append((name, f'{count_parameters(get_model(name)):,}', recipe.TASK if recipe else '-', trained_by,
                     'yes' if name in CONVERTED else '-', recipe and recipe.PAGE or '-'))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for name, parameters, *rest in rows:
        words = [name.ljust(widths[0]), parameters.rjust(widths[1]), *map(str.ljust, rest, widths[2:])]
        print('  '.join(words).rstrip())


def count_parameters(net):
    """What is trained, by the shapes alone: nothing is initialized."""
    from math import prod

    return sum(prod(parameter.shape) for parameter in net.collect_params().values() if parameter.grad_req != 'null')
