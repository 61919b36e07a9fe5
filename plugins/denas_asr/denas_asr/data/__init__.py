"""Speech data: audio files, transcripts, and what is wrong with them."""
