"""The task ``asr/speech-recognition``: a network learns from audio with transcripts to write down speech."""
