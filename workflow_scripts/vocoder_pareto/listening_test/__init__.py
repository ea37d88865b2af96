"""The listening test: design, stimuli, the page and its exports, responses, screening and statistics."""
