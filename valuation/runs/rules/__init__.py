"""The steps of a run as pure functions of frames."""
