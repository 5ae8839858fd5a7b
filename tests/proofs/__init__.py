"""What is promised of sends, proved on the real thing: killed workers, restored databases. The long forms: `./dev soak sends`."""
