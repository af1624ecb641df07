"""Written answers: laid out for people, marked by people, and entered into the gradebook.

`collect.py` finds the answers, `sheet.py` keeps them and makes them anonymous, `marks.py` writes
and reads the markers' files, `agreement.py` compares markers, and `decide.py` makes points of what
they agree on. `entries.py` puts those beside the automatic ones. No program judges an answer.
"""
