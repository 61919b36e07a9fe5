"""The task ``asr/speech-recognition``: from audio with transcripts to a network that writes what it hears."""
