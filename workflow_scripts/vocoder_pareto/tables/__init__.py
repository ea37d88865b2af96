"""Tables as files: the columns of `systems.csv`, reading and writing of CSV. Nothing here imports PyTorch."""
