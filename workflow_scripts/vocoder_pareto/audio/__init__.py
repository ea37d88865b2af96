"""Audio in and out: corpora, clips, mel-spectrograms, wav files."""
