"""Pareto analysis, tables, figures and the report page. Nothing here imports PyTorch or librosa."""
