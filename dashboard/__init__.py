"""Streamlit: shows what storage remembers; calls no network and no model."""
