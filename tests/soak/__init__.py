"""Long proofs, run by hand or at night: ./dev soak NAME."""
