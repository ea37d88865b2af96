"""What each family minimises, one file per recipe behind the interface of `objective.py`; `registry.py` finds them."""
