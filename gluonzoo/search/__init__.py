"""A search for good settings: trials, each of them a training in a process of its own, and Optuna to choose them.

::

    distributions   the values that a setting may have: loguniform(1e-4, 1), choice(8, 16)
    space           which settings are searched, and under which conditions
    database        the SQLite file: whether it can be used, and what is wrong with it
    study           the trials in that file, with Optuna
    pruners         when a trial is given up
    reports         the main metric after each epoch, read from a run while it is trained
    process         one trial's training
    directory       where trials lie, which of their checkpoints stay, and who works there
    loop            asks for trials, starts them, watches them, tells the study what came of them
    say             lines for the user meanwhile
    results         the table of the best trials, trials.csv, the file of the best settings
    pictures        history.png and importance.png

Nothing here knows a recipe or a command: the words that start a training are passed in.
"""
