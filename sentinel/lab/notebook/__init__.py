"""Notebooks: executed by papermill, opened in JupyterLab, with their progress shown."""
