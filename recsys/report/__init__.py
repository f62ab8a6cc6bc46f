"""What a buyer reads about a model: figures from all sides, pictures, examples, and what it is bad at.

``findings`` measures, ``weaknesses`` says what speaks against the model, ``pictures`` draws, ``page`` lays it all out
as one HTML file that needs nothing else: no script, no network, readable by a screen reader and on paper.
"""

from recsys.report.findings import Findings, find
from recsys.report.page import Facts, page, pictures
from recsys.report.weaknesses import weaknesses

__all__ = ["Facts", "Findings", "find", "page", "pictures", "weaknesses"]
