"""What breaks, and what Microsoft leaves open: stories like those of tests/journeys, on an installation of their own."""
