"""One file for each promise of docs/privacy.md: it fails when the promise does not hold."""
