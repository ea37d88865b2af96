"""Training: what is minimised (`objectives`), for how long (`budget.py`), and how no work is lost (`state.py`)."""
