"""Documents on paper: one value in finished words (`page.py`), of which the PDF (`pdf.py`) and the HTML view are made.

What customers and their events say is text everywhere and never markup: Typst gets it as JSON, HTML escapes it.
"""
