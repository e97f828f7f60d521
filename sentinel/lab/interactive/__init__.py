"""Charts that can be zoomed and hovered, over the still figures of a page: data, script and style, all within the page.

`chart` is what a figure was drawn from, `page_charts` has the script for a page that holds any. Where no script runs,
in print, in JupyterLab and in editors, the still figure stands.
"""
