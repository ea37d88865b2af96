"""Objective quality of reconstructions, and its agreement with what listeners say."""
