"""The tests of a project that uses twisted.trial; `test_trial.py` runs them as their user would."""
