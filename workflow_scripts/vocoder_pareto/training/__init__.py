"""Training a system (`train.py`): what is minimised (`objectives`), how long (`budget.py`), and how no work is lost."""
