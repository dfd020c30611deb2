"""The words all stages share: types, protocols, errors, settings. No decision, no I/O."""
