"""What was handed in: which files there are, whose they are, and which of them is graded.

`tree` reads the files, `layouts` finds out whose they are, `contents` surveys what they hold,
`choice` picks the file of each student that is graded, and `collect` puts it all together.
"""
