"""What all pages share: the frame around them, the words for times and labels, pages of long lists, failures.

It knows no concept. A concept's pages are its own views.py, and its templates lie in templates/<concept>/.
Everything a page loads comes from static/; scripts and styles are never inline (Content-Security-Policy).
"""
