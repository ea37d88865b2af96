"""Whether a vocoder of one's own does what the study asks of one, and what to mend where it does not."""
