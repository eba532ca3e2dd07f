"""What a run is documented by: the model's report, and the file that the public may see."""
