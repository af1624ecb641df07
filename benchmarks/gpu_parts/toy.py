"""The toy size of every part: what runs on a CPU in seconds."""

from ift_course.memory import Shape

# The vocabulary has room for the tokenizer that the course ships; 64 divides the widths, as 4-bit
# layers need.
TOY = Shape("toy", 4352, 64, 128, 2, 4, 2, 16, tied=False)
